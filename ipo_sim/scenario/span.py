"""Spans and moments of a timeline: `90`, `1h30m`, and `+10s` for since the step before."""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.core.model import SECOND_NS, Nanoseconds
from ipo_sim.runtime.duration import parse_duration

# A scenario of a unit's life; beyond ten years nothing of a unit is new.
MAX_SPAN_NS = Nanoseconds(3_660 * 86_400 * SECOND_NS)


class At(NamedTuple):
    """When a step comes: since the beginning of its file, or `relative`, since the step before."""

    offset: Nanoseconds
    relative: bool


def span_ns(value: object) -> Nanoseconds:
    """Nanoseconds of a number of seconds or of text; ValueError says what is wrong with it."""
    span = parse_duration("" if isinstance(value, bool) else str(value))
    if span > MAX_SPAN_NS:
        raise ValueError(f"{value} is longer than {MAX_SPAN_NS // (86_400 * SECOND_NS)} days")
    return span


def at_of(value: object) -> At:
    """`10s` since the beginning, `+10s` since the step before; ValueError says what is wrong with it."""
    if isinstance(value, str) and value.lstrip().startswith("+"):
        return At(span_ns(value.lstrip()[1:]), relative=True)
    return At(span_ns(value), relative=False)
