"""The feature key: what the reader says of it, its grace, and what licence strings count against."""

from __future__ import annotations

from ipo_sim.core.draft import Draft
from ipo_sim.core.events import (
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    ReaderAttached,
    ReaderLost,
)
from ipo_sim.core.key_server import change_dongle
from ipo_sim.core.model import (
    FeatureKey,
    KeyCondition,
    KeyPresence,
    KeyReason,
    Life,
    Lifecycle,
    Nanoseconds,
    Reader,
)
from ipo_sim.core.words import KEY_INDEX, KEY_NAME, KEY_SERVER
from ipo_sim.errors import CommandRejected

KEY_PATH = "feature-key"
SERIAL_DIGITS = 10
# How the kinds of dongle begin.
DONGLE = "dongle-"


def attach_reader(draft: Draft, fact: ReaderAttached) -> None:
    """The reader answers; what card it holds comes as a fact of its own."""
    if draft.reader.attached and draft.reader.name == fact.name:
        raise CommandRejected("unchanged", f"reader {fact.name} is attached already")
    draft.reader = Reader(draft.reader.kind, fact.name, attached=True, seq=draft.seq)


def lose_reader(draft: Draft, fact: ReaderLost) -> None:
    """Without a reader the key is out of reach: licensing.md 8 gives a lost link reason 9."""
    reader = draft.reader
    if not reader.attached and reader.last_error == fact.error:
        raise CommandRejected("unchanged", f"reader {reader.name} is lost already: {fact.error}")
    draft.reader = Reader(
        reader.kind, reader.name, attached=False, seq=draft.seq, last_error=fact.error, cause=(draft.event_ref,)
    )
    if draft.key.presence is not KeyPresence.UNKNOWN:
        _lose(draft, KeyPresence.UNKNOWN, KeyReason.NON_SPECIFIC_ERROR, draft.key.counter)


def insert_key(draft: Draft, fact: FeatureKeyInserted) -> None:
    """A sound card, the right one or another."""
    if len(fact.serial) != SERIAL_DIGITS or not (fact.serial.isascii() and fact.serial.isdigit()):
        raise CommandRejected("bad-serial", f"a card serial has {SERIAL_DIGITS} decimal digits, not {fact.serial!r}")
    _check_form(draft, fact.kind)
    key = draft.key
    if key.presence is KeyPresence.PRESENT and (key.serial, key.law, key.kind, key.assurance) == (
        fact.serial,
        fact.law,
        fact.kind,
        fact.assurance,
    ):
        raise CommandRejected("unchanged", f"card {fact.serial} is in the reader already")
    draft.key = FeatureKey(
        presence=KeyPresence.PRESENT,
        reason=KeyReason.NO_REASON,
        condition=key.condition,
        seq=draft.seq,
        serial=fact.serial,
        law=fact.law,
        kind=fact.kind,
        identity=fact.identity,
        assurance=fact.assurance,
        counter=fact.counter,
        grace_until=key.grace_until,
        validated_serial=key.validated_serial,
        last_serial=key.last_serial,
    )
    recheck(draft)


def _check_form(draft: Draft, kind: str) -> None:
    """A dongle goes where its plug fits; what a reader calls otherwise stands for the unit's own form of key."""
    model = draft.catalogue.models[draft.definition.model]
    if kind.startswith(DONGLE) and kind not in model.dongles:
        taken = ", ".join(model.dongles) or f"a {model.key_form}"
        raise CommandRejected("wrong-key", f"{model.title} takes no {kind}, only {taken}")


def remove_key(draft: Draft, fact: FeatureKeyRemoved) -> None:
    """The reader is empty."""
    if draft.key.presence is KeyPresence.ABSENT:
        raise CommandRejected("no-card", "no card is in the reader")
    _lose(draft, KeyPresence.ABSENT, KeyReason.NOT_PRESENT, fact.counter)


def fail_key(draft: Draft, fact: FeatureKeyUnreadable) -> None:
    """A card that does not read, or not well."""
    if fact.reason in (KeyReason.NO_REASON, KeyReason.NOT_PRESENT):
        raise CommandRejected("bad-reason", f"reason {int(fact.reason)} does not say that a card is unreadable")
    key, detail = draft.key, fact.detail or None
    if key.presence is KeyPresence.UNREADABLE and (key.reason, key.detail) == (fact.reason, detail):
        raise CommandRejected("unchanged", f"the card is unreadable already, with reason {int(fact.reason)}")
    _lose(draft, KeyPresence.UNREADABLE, fact.reason, key.counter, detail)


def recheck(draft: Draft, *, booting: bool = False) -> None:
    """Check the key as the unit does at boot, at every change and at every poll (licensing.md 3)."""
    if not draft.up:
        return
    key = draft.key
    if key.presence is KeyPresence.PRESENT:
        _accept(draft)
    elif booting:
        draft.key = key._replace(
            condition=KeyCondition.NOT_IN_ORDER, grace_until=None, validated_serial=None, cause=_cause(key)
        )
    elif key.condition is KeyCondition.IN_ORDER:
        until = Nanoseconds(draft.at + draft.definition.grace_ns)
        draft.key = key._replace(condition=KeyCondition.GRACE, grace_until=until, cause=_cause(key))
    else:
        draft.key = key._replace(cause=_cause(key))


def end_grace(draft: Draft) -> None:
    """Nothing holds any more. Telephony stops under either boot policy, except where it needs no key."""
    draft.key = draft.key._replace(condition=KeyCondition.NOT_IN_ORDER, grace_until=None, validated_serial=None)
    if draft.catalogue.models[draft.definition.model].runs_without_key:
        return
    draft.life = Life(Lifecycle.AWAITING_FEATURE_KEY, draft.seq, last_start=draft.life.last_start)


def forget_check(draft: Draft) -> None:
    """The unit is not up: nobody checks the key, no grace runs."""
    draft.key = draft.key._replace(condition=KeyCondition.UNCHECKED, grace_until=None, validated_serial=None, cause=())


def _accept(draft: Draft) -> None:
    key = draft.key
    if key.last_serial not in (None, key.serial):
        if draft.reader.kind == KEY_SERVER:
            change_dongle(draft, key)
        else:
            draft.notify(23, KEY_PATH, KEY_NAME, KEY_INDEX, text=f"feature key changed from {key.last_serial}")
    draft.key = key._replace(
        condition=KeyCondition.IN_ORDER,
        grace_until=None,
        validated_serial=key.serial,
        last_serial=key.serial,
        cause=(),
    )
    if draft.life.state is Lifecycle.AWAITING_FEATURE_KEY:
        draft.life = Life(Lifecycle.RUNNING, draft.seq, last_start=draft.life.last_start)


def _lose(draft: Draft, presence: KeyPresence, reason: KeyReason, counter: int, detail: str | None = None) -> None:
    key = draft.key
    draft.key = FeatureKey(
        presence=presence,
        reason=reason,
        condition=key.condition,
        seq=draft.seq,
        counter=counter,
        grace_until=key.grace_until,
        validated_serial=key.validated_serial,
        last_serial=key.last_serial,
        detail=detail,
        cause=key.cause,
    )
    recheck(draft)


def _cause(key: FeatureKey) -> tuple[str, ...]:
    last = f"event:{key.seq}"
    return ("reader", last) if key.presence is KeyPresence.UNKNOWN else (last,)
