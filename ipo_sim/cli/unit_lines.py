"""A unit in one line or in a few, as the summary of a run shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from ipo_sim.catalogue.types import PlaceKind
from ipo_sim.cli.screen import Line, Piece
from ipo_sim.core.model import Alarm, FeatureKey, KeyCondition, Lifecycle, Part, Severity, UnitName, UnitStatus
from ipo_sim.runtime.bus import Entry

Store = Mapping[str, Entry]
_V = TypeVar("_V", UnitStatus, FeatureKey)

_STATE_COLOURS = {Lifecycle.RUNNING: "green", Lifecycle.AWAITING_FEATURE_KEY: "red", Lifecycle.STARTING: "yellow"}
_KEY_COLOURS = {KeyCondition.IN_ORDER: "green", KeyCondition.GRACE: "yellow", KeyCondition.NOT_IN_ORDER: "red"}
_PLAIN: tuple[str, ...] = ()
_KINDS = ((PlaceKind.SLOT, "slots"), (PlaceKind.EXPANSION, "modules"))
_TITLE = 10


def brief(name: UnitName, store: Store) -> Line:
    """All in one line."""
    parts = [part for part in _parts(store) if part.fitted is not None]
    serving = sum(part.service.hold is None for part in parts)
    alarms = list(_alarms(store))
    colour = "green" if serving == len(parts) else "red"
    return [
        (f"{name}: ", ("bold",)),
        *_status(store),
        (", card ", _PLAIN),
        *_card(store),
        (", ", _PLAIN),
        (f"{serving} of {len(parts)} parts in service", (colour,)),
        (f", {len(alarms)} active alarms" if len(alarms) > 1 else ", 1 active alarm" if alarms else "", ("red",)),
    ]


def full(name: UnitName, store: Store) -> Iterator[Line]:
    """A few lines: state, card, what is in the slots and on the expansion ports, and alarms."""
    yield [(f"{name:<{_TITLE}}", ("bold",)), *_status(store)]
    yield [_title("card"), *_card(store)]
    for kind, title in _KINDS:
        places = [part for part in _parts(store) if _is_shown(part, kind)]
        if places:
            yield [_title(title), *_pieces(places)]
    yield [_title("alarms"), *(_alarm_pieces(store) or [("none", ("green",))])]


def count(states: Iterable[Lifecycle]) -> Line:
    """A fleet: how many units are in which state."""
    numbers: dict[Lifecycle, int] = {}
    for state in states:
        numbers[state] = numbers.get(state, 0) + 1
    pieces: list[Piece] = [(f"{sum(numbers.values()):,} units:", ("bold",))]
    pieces += [(f" {number:,} {state}", _state_colours(state)) for state, number in sorted(numbers.items())]
    return pieces


def _status(store: Store) -> Iterator[Piece]:
    status = _value(store, "unit", UnitStatus)
    if status is None:
        return
    yield status.state.replace("_", " "), _state_colours(status.state)
    yield f", {status.edition} edition, telephony {'on' if status.telephony else 'off'}", _PLAIN


def _card(store: Store) -> Iterator[Piece]:
    key = _value(store, "feature-key", FeatureKey)
    if key is None:
        return
    yield f"{key.serial or key.presence}, ", _PLAIN
    yield key.condition.replace("_", " "), (_KEY_COLOURS.get(key.condition, "dim"),)
    if key.condition is KeyCondition.GRACE:
        yield f" for card {key.validated_serial}", _PLAIN


def _pieces(parts: Iterable[Part]) -> Iterator[Piece]:
    for part in parts:
        what = part.fitted or part.configured
        assert what is not None  # or it would not be shown
        before = "+" if part.place.kind is PlaceKind.DAUGHTER else f"  {part.place.number} "
        hold = part.service.hold
        yield before, _PLAIN
        yield what.code, ("green",) if hold is None else ("red",)
        if hold is not None:
            yield f" ({hold})", ("red",)


def _is_shown(part: Part, kind: PlaceKind) -> bool:
    there = part.fitted is not None or part.configured is not None
    return there and (part.place.kind is PlaceKind.EXPANSION) == (kind is PlaceKind.EXPANSION)


def _alarm_pieces(store: Store) -> list[Piece]:
    pieces: list[Piece] = []
    for alarm in _alarms(store):
        colour = "yellow" if alarm.severity is Severity.WARNING else "red"
        where = "" if alarm.entity == "feature-key" else f" at {alarm.entity}"
        pieces.append((f"{'; ' if pieces else ''}{alarm.event} {alarm.text}{where}", (colour,)))
    return pieces


def _parts(store: Store) -> list[Part]:
    return sorted((entry.value for entry in store.values() if isinstance(entry.value, Part)), key=_order)


def _order(part: Part) -> tuple[int, bool]:
    return part.place.number, part.place.kind is PlaceKind.DAUGHTER


def _alarms(store: Store) -> Iterator[Alarm]:
    return (entry.value for entry in store.values() if isinstance(entry.value, Alarm))


def _title(text: str) -> Piece:
    return f"  {text:<{_TITLE - 2}}", ("dim",)


def _state_colours(state: Lifecycle) -> tuple[str, ...]:
    return (_STATE_COLOURS.get(state, "dim"),)


def _value(store: Store, path: str, kind: type[_V]) -> _V | None:
    entry = store.get(path)
    return entry.value if entry is not None and isinstance(entry.value, kind) else None
