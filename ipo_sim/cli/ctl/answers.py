"""Answers of a daemon as people read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ipo_sim.cli.ctl.what_if_table import what_if_lines
from ipo_sim.cli.terminal import Style, value_text

Answer = Mapping[str, Any]


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


def _step(answer: Answer, style: Style) -> Iterator[str]:
    told, events = answer["last"], answer["events"]
    if len(told) < events:
        yield style(f"{events - len(told)} events before these", "dim")
    for event in told:
        yield f"{event['at']}  {style(event['unit'], 'bold')}  {event['text']} (event {event['seq']})"
    yield from _time(answer, style)


_WRITERS: Mapping[str, Callable[[Answer, Style], Iterator[str]]] = {
    "why": why_lines,
    "what-if": what_if_lines,
    "set-time": _time,
    "advance": _time,
    "pause": _time,
    "resume": _time,
    "step": _step,
}
