"""The test kit: what a test waits for, beside the same events through the core alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache

from benchmarks.measure import Effort, Figure, Measurement, Target, busy, interleave
from benchmarks.units import FULL_CONFIG, NOON, full_definition
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.config.load import load_config
from ipo_sim.core.events import DeadlineReached, Event, FeatureKeyInserted, FeatureKeyRemoved, PowerApplied
from ipo_sim.core.model import SECOND_NS, Nanoseconds, Unit, UnitDefinition
from ipo_sim.core.unit import new_unit, next_deadline, step
from ipo_sim.testing.bench import Bench

_HOUR_NS = 3_600 * SECOND_NS
_WEEKS = 52
_WEEK_NS = 7 * 24 * _HOUR_NS
_TESTS = 20
# Of a boot, and of a week: the card goes, the grace ends, the card comes.
_EVENTS = 4 + 3 * _WEEKS
REFERENCE = "the same events through the core alone"


def figures(effort: Effort) -> Iterator[Figure]:
    """A year, and a test."""
    settings = load_config(FULL_CONFIG)

    def bench() -> Bench:
        made = Bench.open(settings, {}, NOON, None)
        made.boot()
        return made

    year = interleave(effort.rounds, _year(bench), _core_year)
    note = "full unit; each week its card is out for three hours, so that it halts and comes back"
    yield Figure("A year of one unit's life", "ms", year, REFERENCE, Target(100), note=note)
    quiet = interleave(effort.rounds, _quiet_year(bench), _core_boot)
    yield Figure(
        "A year in which nothing happens", "ms", quiet, "the boot through the core alone", Target(100), digits=2
    )
    first = interleave(effort.rounds, _first_test(bench), _core_test)
    note = f"unit made, booted, asked, and forgotten; mean of {_TESTS}"
    yield Figure("The first test of the tutorial", "ms", first, REFERENCE, Target(50), digits=1, note=note)


def _year(bench: Callable[[], Bench]) -> Measurement:
    def measured() -> float:
        made = bench()
        unit, clock = made.units[0], made.clock

        def live() -> None:
            for _ in range(_WEEKS):
                clock.advance(days=7, hours=-3)
                unit.remove_card()
                clock.advance(hours=3)
                unit.insert_card()

        seconds = busy(live)
        assert unit.core.seq >= _EVENTS, "it did not halt each week"
        made.close()
        return seconds * 1e3

    return measured


def _quiet_year(bench: Callable[[], Bench]) -> Measurement:
    def measured() -> float:
        made = bench()
        seconds = busy(lambda: made.clock.advance(days=365))
        made.close()
        return seconds * 1e3

    return measured


def _first_test(bench: Callable[[], Bench]) -> Measurement:
    def test() -> None:
        made = bench()
        unit = made.units[0]
        unit.remove_card()
        assert unit.edition == "professional"
        made.clock.advance(hours=2)
        assert unit.state == "awaiting_feature_key"
        assert unit.expansion[1].cause[0].startswith("licence:")
        made.close()

    return _mean(test)


def _core_test() -> float:
    def test() -> None:
        unit = _booted()
        unit, _ = step(unit, Event(unit.at, FeatureKeyRemoved(1), "x"))
        unit = _due(unit, Nanoseconds(unit.at + 2 * _HOUR_NS))
        assert unit.life.state == "awaiting_feature_key"

    return _mean(test)()


def _core_boot() -> float:
    return busy(_booted) * 1e3


def _core_year() -> float:
    unit = _booted()
    began = time.process_time()
    at = int(unit.at)
    for week in range(_WEEKS):
        unit = _due(unit, Nanoseconds(at + _WEEK_NS - 3 * _HOUR_NS))
        unit, _ = step(unit, Event(Nanoseconds(at + _WEEK_NS - 3 * _HOUR_NS), FeatureKeyRemoved(week), "x"))
        at += _WEEK_NS
        unit = _due(unit, Nanoseconds(at))
        unit, _ = step(unit, Event(Nanoseconds(at), _card(week + 2), "x"))
    return (time.process_time() - began) * 1e3


def _booted() -> Unit:
    unit = new_unit(_definition(), load_catalogue())
    for fact in (PowerApplied(), _card(1)):
        unit, _ = step(unit, Event(NOON, fact, "x"))
    return _due(unit, Nanoseconds(NOON + 60 * SECOND_NS))


@cache
def _definition() -> UnitDefinition:
    return full_definition()


def _due(unit: Unit, until: Nanoseconds) -> Unit:
    """The unit after all that happens by itself until then."""
    while (deadline := next_deadline(unit)) is not None and deadline <= until:
        unit, _ = step(unit, Event(deadline, DeadlineReached(), "x"))
    return unit


def _card(counter: int) -> FeatureKeyInserted:
    return FeatureKeyInserted("1234567890", law="alaw", counter=counter)


def _mean(test: Callable[[], None]) -> Measurement:
    """Milliseconds a test."""

    def tests() -> None:
        for _ in range(_TESTS):
            test()

    return lambda: busy(tests) / _TESTS * 1e3
