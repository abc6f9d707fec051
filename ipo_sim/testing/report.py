"""What the report of a failing test says of its units: how they stand, what happened last, how to see it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from ipo_sim.runtime.journal_line import journal_line
from ipo_sim.testing.bench import Bench

# What fits on a screen below the failure itself.
MAX_LINES = 20
MAX_UNITS = 5


def sections(bench: Bench, command: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Headline and text for each unit, the first ones of many, and the command that reproduces the test."""
    for name in list(bench.units)[:MAX_UNITS]:
        yield f"ipo-sim {name}", "\n".join(_unit_lines(bench, name))
    yield "ipo-sim: again with", shlex.join(command)


def _unit_lines(bench: Bench, name: str) -> Iterator[str]:
    unit, history = bench.units[name], bench.history(name)
    yield f"{unit.state}, edition {unit.edition}, alarms: {', '.join(unit.alarms) or 'none'}"
    left_out = len(history) - MAX_LINES
    if left_out > 0:
        yield f"  ... {left_out} earlier events"
    yield from map(journal_line, history[-MAX_LINES:])
