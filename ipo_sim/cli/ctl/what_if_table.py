"""What commands would change, as people read it: the events, a row for each field, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from ipo_sim.cli.entity_text import reading_order
from ipo_sim.cli.terminal import Style, plural, table, value_text
from ipo_sim.core.words import SECOND_NS

Answer = Mapping[str, Any]

HEAD = ("ENTITY", "WHAT", "FIELD", "NOW", "THEN")
# Fields that only the unit itself has a use for; JSON has them all.
_INTERNAL = frozenset({"seq", "cause", "counter", "last_serial", "matches", "registered", "entity_name"})
# Fields that need not be told beside another one that says more.
_IMPLIED = {
    "hold": frozenset({"oper_state", "availability"}),
    "presence": frozenset({"law", "kind", "identity", "assurance", "reason", "detail"}),
    "available": frozenset({"usable"}),
}
_CLOCK = "clock_offset_ns"
# What tells most of an entity that comes or goes.
_HEADLINES = {
    "licences": "status",
    "features": "available",
    "users": "active",
    "extensions": "state",
    "alarms": "severity",
}
_PART = "fitted"


def what_if_lines(answer: Answer, style: Style) -> Iterator[str]:
    """The whole answer."""
    yield from map(_event_line, answer["events"])
    yield from change_lines(answer["changes"], style, HEAD[-2:])
    yield from (f"next: {hint}" for hint in _hints(answer))


def change_lines(found: Iterable[Answer], style: Style, sides: tuple[str, str]) -> Iterator[str]:
    """Entities that differ, a row for each field; `sides` are the names of what was and what comes after."""
    changes = sorted(found, key=lambda change: reading_order(change["path"]))
    leds = sum(change["path"].startswith("leds/") for change in changes)
    rows = [row for change in changes if not change["path"].startswith("leds/") for row in _rows(change)]
    if rows:
        head, *lines = table(_thinned(rows), (*HEAD[:3], *sides))
        yield style(head, "bold")
        yield from lines
    elif not leds:
        yield "nothing would change" if sides == HEAD[-2:] else "no entity differs"
    if leds:
        yield style(f"and {plural(leds, 'LED')}, which --json shows", "dim")


def _event_line(event: Answer) -> str:
    refused = ", ".join(event.get("refused", ()))
    reason = f" - refused: too few instances of {refused} are free" if refused else ""
    return f"event {event['seq']}, {event['at']}: {event['text']}{reason}"


def _rows(change: Answer) -> Iterator[tuple[str, ...]]:
    path, what, before, after = change["path"], change.get("what", ""), change["before"], change["after"]
    if before is None or after is None:
        field = _HEADLINES.get(path.partition("/")[0], _PART)
        now, then = ("-" if side is None else value_text(side.get(field, "there")) for side in (before, after))
        yield path, what, field, now, then
        return
    hidden = _INTERNAL.union(*(implied for field, implied in _IMPLIED.items() if field in after))
    for field, value in after.items():
        if field == _CLOCK:
            yield path, what, "clock ahead by", _duration(before[field]), _duration(value)
        elif field not in hidden:
            yield path, what, field, value_text(before[field]), value_text(value)


def _duration(nanoseconds: int) -> str:
    return str(timedelta(seconds=nanoseconds // SECOND_NS))


def _thinned(rows: list[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """An entity is named once, on its first row."""
    last = ""
    for path, what, *rest in rows:
        yield ("", "", *rest) if path == last else (path, what, *rest)
        last = path


def _hints(answer: Answer) -> Iterator[str]:
    """What who asks may want to ask next."""
    if any(_is_unloaded(change) for change in answer["changes"]):
        yield "entered keys count once the configuration is loaded (add load-configuration)"
    following = answer.get("next")
    if following:
        yield f"{following['text']}, at {following['at']} (add advance next-deadline)"


def _is_unloaded(change: Answer) -> bool:
    after = change["after"] or {}
    return change["path"].startswith("licences/") and change["before"] is None and after.get("loaded") is False
