"""A unit in one line or in a few, as the summary of a run shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.types import PlaceKind
from ipo_sim.cli.daemon.screen import Line, Piece
from ipo_sim.cli.terminal import edition_words, plural
from ipo_sim.core.model import (
    Alarm,
    FeatureKey,
    KeyCondition,
    Lifecycle,
    Nanoseconds,
    Part,
    Severity,
    UnitName,
    UnitStatus,
)
from ipo_sim.runtime.moment import rfc3339
from ipo_sim.runtime.store import Entry

Store = Mapping[str, Entry]
_V = TypeVar("_V", UnitStatus, FeatureKey)

# More kinds of alarms than this do not fit on a line; the first ones are those that the others come from.
MAX_ALARMS_SHOWN = 2

_STATE_COLOURS = {Lifecycle.RUNNING: "green", Lifecycle.AWAITING_FEATURE_KEY: "red", Lifecycle.STARTING: "yellow"}
_KEY_COLOURS = {KeyCondition.IN_ORDER: "green", KeyCondition.GRACE: "yellow", KeyCondition.NOT_IN_ORDER: "red"}
_ON_A_BASE_CARD = frozenset({PlaceKind.DAUGHTER, PlaceKind.CARRIER})
_PLAIN: tuple[str, ...] = ()
_TITLE = 10


def brief(name: UnitName, store: Store) -> Line:
    """All in one line."""
    parts = [part for part in _parts(store) if part.fitted is not None]
    serving = sum(part.service.hold is None for part in parts)
    alarms = len(list(_alarms(store)))
    return [
        (f"{name}: ", ("bold",)),
        *_status(store),
        (f", {_key_word(store)} ", _PLAIN),
        *_card(store),
        (", ", _PLAIN),
        (f"{serving} of {plural(len(parts), 'part')} in service", ("green",) if serving == len(parts) else ("red",)),
        (f", {plural(alarms, 'active alarm')}" if alarms else "", ("red",)),
    ]


def full(name: UnitName, store: Store) -> Iterator[Line]:
    """A few lines: state, card, what is in the slots and on the expansion ports, and alarms."""
    parts = [part for part in _parts(store) if part.fitted is not None or part.configured is not None]
    modules = [part for part in parts if part.place.kind is PlaceKind.EXPANSION]
    cards = [part for part in parts if part.place.kind is not PlaceKind.EXPANSION]
    yield [(f"{name:<{_TITLE}}", ("bold",)), *_status(store)]
    yield [_title(_key_word(store)), *_card(store)]
    yield [_title("slots"), *_row(cards)]
    yield [_title("modules"), *_row(modules)]
    yield [_title("alarms"), *_alarm_row(store)]


def count(states: Iterable[Lifecycle]) -> Line:
    """A fleet: how many units are in which state."""
    numbers = Counter(states)
    pieces: list[Piece] = [(f"{plural(numbers.total(), 'unit')}:", ("bold",))]
    for state, number in sorted(numbers.items()):
        comma = "," if len(pieces) > 1 else ""
        pieces.append((f"{comma} {number:,} {state.replace('_', ' ')}", _state_colours(state)))
    return pieces


def _status(store: Store) -> Iterator[Piece]:
    status = _value(store, "unit", UnitStatus)
    if status is None:
        return
    yield status.state.replace("_", " "), _state_colours(status.state)
    yield f", {edition_words(status.edition)}, telephony {'on' if status.telephony else 'off'}", _PLAIN


def _card(store: Store) -> Iterator[Piece]:
    key, status = _value(store, "feature-key", FeatureKey), _value(store, "unit", UnitStatus)
    if key is None or status is None:
        return
    yield f"{key.serial or key.presence}, ", _PLAIN
    yield key.condition.replace("_", " "), (_KEY_COLOURS.get(key.condition, "dim"),)
    if key.grace_until is not None:
        until = rfc3339(Nanoseconds(key.grace_until + status.clock_offset_ns))
        yield f" for {_key_word(store)} {key.validated_serial} until {until}", _PLAIN


def _key_word(store: Store) -> str:
    """What the feature key of the unit's model is called."""
    status = _value(store, "unit", UnitStatus)
    return "dongle" if status is not None and load_catalogue().models[status.model].dongles else "card"


def _row(parts: Sequence[Part]) -> Iterator[Piece]:
    """What is where; those that do not serve are red, and what holds them is told once if it is the same for all."""
    if not parts:
        yield "none", ("dim",)
    holds = {part.service.hold for part in parts}
    told_once = len(holds) == 1
    for number, part in enumerate(parts):
        what, hold = part.fitted or part.configured, part.service.hold
        gap = "  " if number else ""
        yield "+" if part.place.kind in _ON_A_BASE_CARD else f"{gap}{part.place.number} ", _PLAIN
        yield what.code if what is not None else "", ("red",) if hold else ("green",)
        if hold and not told_once:
            yield f" ({hold})", ("red",)
    if told_once and None not in holds:
        yield f"  held by {next(iter(holds))}", ("red",)


def _alarm_row(store: Store) -> Iterator[Piece]:
    """The alarms that say the same are told together, with the number of their places."""
    alike: dict[tuple[int, str], list[Alarm]] = {}
    for alarm in _alarms(store):
        alike.setdefault((alarm.event, alarm.text), []).append(alarm)
    if not alike:
        yield "none", ("green",)
    groups = list(alike.values())
    for number, group in enumerate(groups[:MAX_ALARMS_SHOWN]):
        colour = "yellow" if group[0].severity is Severity.WARNING else "red"
        yield f"{'; ' if number else ''}{group[0].event} {group[0].text}{_places(group)}", (colour,)
    more = sum(len(group) for group in groups[MAX_ALARMS_SHOWN:])
    if more:
        yield f"; and {more} more", ("red",)


def _places(alarms: Sequence[Alarm]) -> str:
    if len(alarms) > 1:
        return f" at {len(alarms)} places"
    entity = alarms[0].entity
    return "" if entity == "feature-key" else f" at {entity}"


def _parts(store: Store) -> list[Part]:
    return sorted((entry.value for entry in store.values() if isinstance(entry.value, Part)), key=_order)


def _order(part: Part) -> tuple[int, bool]:
    return part.place.number, part.place.kind in _ON_A_BASE_CARD


def _alarms(store: Store) -> Iterator[Alarm]:
    return (entry.value for entry in store.values() if isinstance(entry.value, Alarm))


def _title(text: str) -> Piece:
    return f"  {text:<{_TITLE - 2}}", ("dim",)


def _state_colours(state: Lifecycle) -> tuple[str, ...]:
    return (_STATE_COLOURS.get(state, "dim"),)


def _value(store: Store, path: str, kind: type[_V]) -> _V | None:
    entry = store.get(path)
    return entry.value if entry is not None and isinstance(entry.value, kind) else None
