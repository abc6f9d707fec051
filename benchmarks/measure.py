"""What a figure is, and how subject and reference are measured in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

# A measurement: does the work once and returns what was measured, in the unit of the figure.
Measurement = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: `rounds` of everything, `events` for what may grow, `seconds` of an idle daemon."""

    rounds: int = 9
    events: int = 1_000_000
    seconds: float = 15.0


QUICK = Effort(rounds=3, events=100_000, seconds=10.0)


class Pair(NamedTuple):
    """Subject and reference, one value a round."""

    subject: list[float]
    reference: list[float]


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure has to reach: at most `limit`, or at least; of its value, or of its ratio to the reference."""

    limit: float
    of_ratio: bool = False
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report. `reference` says what was measured beside it; `digits` are those after the point."""

    name: str
    unit: str
    pair: Pair
    reference: str
    target: Target | None = None
    digits: int = 0
    note: str = field(default="", kw_only=True)

    @property
    def value(self) -> float:
        """Median of the rounds."""
        return statistics.median(self.pair.subject)

    @property
    def reference_value(self) -> float:
        """Median of the reference's rounds."""
        return statistics.median(self.pair.reference)

    @property
    def ratio(self) -> float:
        """Median of the rounds' ratios: each compares what was measured at nearly the same moment."""
        pairs = zip(self.pair.subject, self.pair.reference, strict=True)
        return statistics.median(subject / reference for subject, reference in pairs)

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        reached = self.ratio if self.target.of_ratio else self.value
        return reached >= self.target.limit if self.target.at_least else reached <= self.target.limit


def interleave(rounds: int, subject: Measurement, reference: Measurement) -> Pair:
    """Measure A B A B, after one of each for warming up: a machine that changes its speed does so for both."""
    subject(), reference()
    values = [(subject(), reference()) for _ in range(rounds)]
    return Pair([a for a, _ in values], [b for _, b in values])


def per_call(action: Callable[[], object], calls: int, *, scale: float = 1e6) -> Measurement:
    """Median time of one call, in microseconds: what other processes take from a few calls does not show."""

    def measured() -> float:
        times = []
        for _ in range(calls):
            start = time.perf_counter()
            action()
            times.append(time.perf_counter() - start)
        return statistics.median(times) * scale

    return measured


def busy(action: Callable[[], object]) -> float:
    """Seconds of processor time that the action takes: for work that never waits, on a machine that others use too."""
    start = time.process_time()
    action()
    return time.process_time() - start


def elapsed(action: Callable[[], object]) -> float:
    """Seconds that the action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
