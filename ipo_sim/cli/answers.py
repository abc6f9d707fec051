"""Answers of a daemon as people read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ipo_sim.cli.terminal import Style, table

Answer = Mapping[str, Any]

# Fields of a what-if that follow from others, or that only the unit itself has a use for; JSON has them all.
_INTERNAL = frozenset({"seq", "cause", "counter", "last_serial", "matches"})


def answer_lines(verb: str, answer: Answer, style: Style) -> list[str]:
    """What a command came to."""
    write = _WRITERS.get(verb, _done)
    return list(write(answer, style))


def why_lines(answer: Answer, style: Style) -> Iterator[str]:
    """One line for each cause, from near to far; the last ones are events, with their time and who caused them."""
    path, since = style(answer["path"], "bold"), f"since event {answer['seq']}, {answer['at']}"
    yield f"{path} is in order {since}:" if answer["in_order"] else f"{path} is {style('not in order', 'red')} {since}:"
    for number, link in enumerate(answer["chain"], 1):
        yield f"  {number}. {_link(link, style)}"


def value_text(value: object) -> str:
    """A JSON value in a line: words without quotes, what is not there as a dash."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(value_text, value)) or "-"
    if isinstance(value, dict):
        return " ".join(f"{name}={value_text(part)}" for name, part in value.items()) or "-"
    return str(value)


def _link(link: Answer, style: Style) -> str:
    if "at" not in link:
        return str(link["text"])
    by = f", by {link['by']}" if link.get("by") else ""
    return f"{link['text']} {style('(' + link['cause'].replace(':', ' ') + ', ' + link['at'] + by + ')', 'dim')}"


def _done(answer: Answer, _: Style) -> Iterator[str]:
    if set(answer) == {"seq", "at"}:
        yield f"done, event {answer['seq']}, {answer['at']}"
    else:
        yield from (f"{name}: {value_text(value)}" for name, value in answer.items())


def _time(answer: Answer, _: Style) -> Iterator[str]:
    pace = "paused" if answer["paused"] else f"running at scale {answer['scale']:g}"
    yield f"{answer['time']}, {pace}"
    if "at" in answer:
        yield f"the unit's date is set, event {answer['seq']}"


def _what_if(answer: Answer, style: Style) -> Iterator[str]:
    yield from (f"event {event['seq']}, {event['at']}: {event['text']}" for event in answer["events"])
    if not answer["changes"]:
        yield "nothing would change"
        return
    yield style("what would change:", "bold")
    yield from (f"  {line}" for line in table(_rows(answer["changes"])))


def _rows(changes: list[Answer]) -> Iterator[tuple[str, str]]:
    for change in changes:
        before, after = change["before"], change["after"]
        if before is None or after is None:
            yield change["path"], "comes" if before is None else "goes"
            continue
        fields = [
            f"{name} {value_text(before[name])} -> {value_text(value)}"
            for name, value in after.items()
            if name not in _INTERNAL
        ]
        if fields:
            yield change["path"], ", ".join(fields)


_WRITERS: Mapping[str, Callable[[Answer, Style], Iterator[str]]] = {
    "why": why_lines,
    "what-if": _what_if,
    "set-time": _time,
    "advance": _time,
}
