"""Commands that inject faults of the catalogue, and take them back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ipo_sim.catalogue.faults import FaultOption, FaultTarget, FaultType, OptionKind
from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.events import Fact
from ipo_sim.core.fault_events import FaultInjected, FaultWithdrawn
from ipo_sim.core.faults import TARGETS, find_kind
from ipo_sim.core.model import SECOND_NS, Nanoseconds
from ipo_sim.core.signal_events import EventReported
from ipo_sim.core.words import KeyReason
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime import arguments as a
from ipo_sim.runtime import intents
from ipo_sim.runtime.carry_out import apply
from ipo_sim.runtime.command import Command, Situation

# The arguments that every fault has; the others are options of some.
_COMMON = frozenset({"fault", "path", "start", "duration", "probability", "clear_after"})


def inject(situation: Situation, args: a.Injection) -> Fact:
    """The fault as it is wanted."""
    return injected(situation.unit.catalogue, args)


def injected(catalogue: Catalogue, args: a.Injection) -> FaultInjected:
    """The same for any unit, with the defaults of the catalogue for what is left out; CommandRejected."""
    kind = find_kind(catalogue, args.fault)
    given = {name: value for name, value in args.model_dump(exclude_none=True).items() if name not in _COMMON}
    wrong = [name for name in given if name not in kind.options]
    if wrong:
        allowed = ", ".join(kind.options) or "none"
        raise CommandRejected("bad-arguments", f"{wrong[0]}: {kind.name} has no such option; its options: {allowed}")
    return FaultInjected(
        kind.name,
        _target(kind, args.path),
        tuple(_options(kind, given)),
        _nanoseconds(args.start or 0.0),
        None if args.duration is None else _nanoseconds(args.duration),
        args.probability,
        args.clear_after,
    )


def clear(situation: Situation, args: a.FaultName) -> Fact:
    """An injected fault is taken back, or what set-fault broke is mended."""
    if args.fault is not None:
        return FaultWithdrawn(args.fault)
    assert args.path is not None
    return intents.clear_fault(situation, a.Place(path=args.path))


def report(_: Situation, args: a.PassingEvent) -> Fact:
    """What comes to pass, as an event tells of it."""
    return EventReported(args.event, args.path, args.reason, args.severity, args.text, args.data)


def _target(kind: FaultType, path: str | None) -> str:
    target = TARGETS.get(kind.target)
    if path is None and target is None:
        raise CommandRejected("bad-arguments", f"path: {kind.name} needs the place that fails, such as slots/1")
    return path or target or ""


def _options(kind: FaultType, given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, option in kind.options.items():
        value = given.get(name)
        yield name, option.default if value is None else _value(kind, name, option, value)


def _value(kind: FaultType, name: str, option: FaultOption, value: object) -> str:
    if option.kind is OptionKind.SERIAL:
        return str(value)
    assert isinstance(value, int | float)
    number = round(value * SECOND_NS) if option.kind is OptionKind.SECONDS else int(value)
    if not option.low <= number <= option.high or (_is_of_event_40(kind, name) and value not in intents.UNREADABLE):
        raise CommandRejected(
            "bad-arguments", f"{name}: of {kind.name} it is {_allowed(kind, name, option)}, not {value:g}"
        )
    return str(number)


def _is_of_event_40(kind: FaultType, option: str) -> bool:
    return option == "reason" and kind.target is FaultTarget.FEATURE_KEY


def _allowed(kind: FaultType, name: str, option: FaultOption) -> str:
    if _is_of_event_40(kind, name):
        return ", ".join(f"{int(reason)} ({KeyReason(reason).name.lower()})" for reason in intents.UNREADABLE)
    if option.kind is OptionKind.SECONDS:
        return f"{option.low / SECOND_NS:g} to {option.high / SECOND_NS:g} seconds"
    return f"{option.low} to {option.high}"


def _nanoseconds(seconds: float) -> Nanoseconds:
    return Nanoseconds(round(seconds * SECOND_NS))


COMMANDS = (
    Command(
        "inject-fault",
        "Inject a fault of the catalogue (`ipo-sim faults list`)",
        "inject-fault fault=flaky-contact bounces=5 duration=1h",
        a.Injection,
        apply,
        inject,
    ),
    Command(
        "clear-fault",
        "Take an injected fault back, or mend what set-fault broke",
        "clear-fault fault=card-mute",
        a.FaultName,
        apply,
        clear,
    ),
    Command(
        "send-event",
        "Let the unit send one of the maker's events that only tell of something",
        "send-event event=58 path=slots/1/port/3 text='call to 112'",
        a.PassingEvent,
        apply,
        report,
    ),
)
