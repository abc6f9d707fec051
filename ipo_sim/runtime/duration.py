"""Lengths of time as people write them: `2h`, `1h30m`, `90s`, `250ms`, or a number of seconds."""

from __future__ import annotations

import re

from ipo_sim.core.model import SECOND_NS, Nanoseconds

_UNITS_NS = {
    "w": 604_800 * SECOND_NS,
    "d": 86_400 * SECOND_NS,
    "h": 3_600 * SECOND_NS,
    "m": 60 * SECOND_NS,
    "s": SECOND_NS,
    "ms": SECOND_NS // 1_000,
}
_PIECE = r"(\d+(?:\.\d+)?)\s*(ms|[wdhms])"
_PIECES = re.compile(_PIECE)
_WHOLE = re.compile(rf"\s*(?:{_PIECE}\s*)+")
_SECONDS = re.compile(r"\s*\d+(\.\d+)?\s*")


def parse_duration(text: str) -> Nanoseconds:
    """The length that a text tells, never negative; ValueError says how to write one."""
    if _SECONDS.fullmatch(text):
        return Nanoseconds(round(float(text) * SECOND_NS))
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is no length of time: write 90s, 1h30m, 2d, or a number of seconds")
    return Nanoseconds(sum(round(float(number) * _UNITS_NS[unit]) for number, unit in _PIECES.findall(text)))


def duration_text(duration: Nanoseconds) -> str:
    """The same as `parse_duration` reads it, without what is nought: `1h30m`."""
    pieces = []
    rest = int(duration)
    for unit, length in _UNITS_NS.items():
        count, rest = divmod(rest, length)
        if count:
            pieces.append(f"{count}{unit}")
    return "".join(pieces) or "0s"
