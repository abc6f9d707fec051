"""What commands mean for a unit: each makes the fact that it asks for, or refuses."""

from __future__ import annotations

from dataclasses import replace

from ipo_sim.core.events import (
    ConfigurationLoaded,
    DateSet,
    Fact,
    FaultCleared,
    FaultSet,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    LicenceAdded,
    LicenceRemoved,
    PartConfigured,
    PartFitted,
    PartWithdrawn,
    PowerApplied,
    PowerRemoved,
    RestartRequested,
    ShutdownRequested,
)
from ipo_sim.core.model import KeyPresence, KeyReason, Nanoseconds, Unit
from ipo_sim.core.words import KEY_SERVER
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime import arguments as a
from ipo_sim.runtime.arguments import FEATURE_KEY
from ipo_sim.runtime.command import Situation
from ipo_sim.runtime.moment import parse_moment

VIRTUAL = "virtual"
UNREADABLE = (KeyReason.NO_REGISTER_ACCESS, KeyReason.INVALID_REGISTERS, KeyReason.NON_SPECIFIC_ERROR)


def power(_: Situation, args: a.Power) -> Fact:
    """Mains power comes or goes."""
    return PowerApplied() if args.on else PowerRemoved()


def restart(_: Situation, _args: a.Arguments) -> Fact:
    """The unit starts warm."""
    return RestartRequested()


def shutdown(_: Situation, args: a.Shutdown) -> Fact:
    """The unit stops in an orderly way."""
    return ShutdownRequested(args.minutes, args.source)


def insert_card(situation: Situation, args: a.Card) -> Fact:
    """The card that was named, or the one last in the reader, or the configured one, with what was said about it."""
    _require_virtual(situation)
    said = args.model_dump(exclude_none=True)
    unit = situation.unit
    counter = unit.key.counter + 1
    if args.serial is not None:
        return FeatureKeyInserted(**{"kind": _kind(unit), **said}, counter=counter)
    return replace(_known_card(situation), **said, counter=counter)


def remove_card(situation: Situation, _: a.Arguments) -> Fact:
    """The reader is empty."""
    _require_virtual(situation)
    return FeatureKeyRemoved(situation.unit.key.counter)


def fit(_: Situation, args: a.Fit) -> Fact:
    """A part is put in."""
    return PartFitted(args.path, args.part)


def withdraw(_: Situation, args: a.Place) -> Fact:
    """A part is pulled out."""
    return PartWithdrawn(args.path)


def configure(_: Situation, args: a.Configure) -> Fact:
    """The configuration expects a part, or none."""
    return PartConfigured(args.path, args.part)


def add_licence(_: Situation, args: a.LicenceKeyText) -> Fact:
    """A licence key is entered."""
    return LicenceAdded(args.key)


def remove_licence(_: Situation, args: a.LicenceKeyText) -> Fact:
    """A licence key is deleted."""
    return LicenceRemoved(args.key)


def load_configuration(_: Situation, _args: a.Arguments) -> Fact:
    """Entered keys are checked from now on."""
    return ConfigurationLoaded()


def set_fault(situation: Situation, args: a.Fault) -> Fact:
    """A part fails; or the feature key cannot be read, for the reason given."""
    if args.path != FEATURE_KEY:
        return FaultSet(args.path, str(args.fault))
    _require_virtual(situation)
    reasons = {str(int(reason)): reason for reason in UNREADABLE}
    reason = reasons.get(str(args.fault))
    if reason is None:
        names = ", ".join(f"{number} ({reason.name.lower()})" for number, reason in reasons.items())
        raise CommandRejected("bad-arguments", f"fault: of the feature key it is one of {names}, not {args.fault}")
    return FeatureKeyUnreadable(reason)


def clear_fault(situation: Situation, args: a.Place) -> Fact:
    """A failed part works again; or the card in the reader can be read again."""
    if args.path != FEATURE_KEY:
        return FaultCleared(args.path)
    _require_virtual(situation)
    key = situation.unit.key
    if key.presence is not KeyPresence.UNREADABLE:
        raise CommandRejected("no-fault", f"the feature key is {key.presence}, not unreadable")
    return replace(_known_card(situation), counter=key.counter)


def set_date(situation: Situation, args: a.Time) -> Fact:
    """The unit's own clock is set."""
    if args.date is None or args.scale is not None or args.pause is not None:
        raise CommandRejected("bad-arguments", "scale and pause are for the whole daemon: here only date can be set")
    try:
        date = parse_moment(args.date, situation.unit.definition.utc_offset_minutes)
    except (ValueError, OverflowError) as error:
        raise CommandRejected("bad-arguments", f"date: {error}; write it as 2030-12-31T23:59:00") from error
    return DateSet(Nanoseconds(date - situation.now))


def _require_virtual(situation: Situation) -> None:
    definition = situation.unit.definition
    kind = definition.reader_kind
    if kind == VIRTUAL or situation.imagined:
        return
    where = f"at {definition.reader_name}" if kind == KEY_SERVER else "there"
    what = "the dongle" if kind == KEY_SERVER else "a card"
    raise CommandRejected(
        "reader-not-virtual", f"unit {definition.name} has a {kind} reader: {what} goes in and out {where}"
    )


def _kind(unit: Unit) -> str:
    """What is put in: at a key server such a dongle as is there, or the first that the model takes."""
    model = unit.catalogue.models[unit.definition.model]
    if unit.definition.reader_kind != KEY_SERVER:
        return model.own_key_kind
    return unit.key.kind or model.dongles[0]


def _known_card(situation: Situation) -> FeatureKeyInserted:
    last = situation.last_card()
    if last is not None:
        return last
    card = situation.unit.definition.card
    if card is None:
        raise CommandRejected("no-card", "no card was ever in the reader and none is configured: give its serial")
    return FeatureKeyInserted(card.serial, kind=card.kind, law=card.law)
