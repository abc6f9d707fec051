from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ipo_sim.errors import CommandRejected
from ipo_sim.testing.bench import Units
from ipo_sim.testing.clock import Length, VirtualClock
from ipo_sim.testing.unit import SimulatedUnit

BOOTED = datetime(2026, 1, 5, 12, 0, 8, tzinfo=UTC)


@pytest.mark.parametrize("length", ["1h30m", 5_400, 5_400.0, timedelta(minutes=90)])
def test_time_moves_by_any_length(ipo_clock: VirtualClock, length: Length) -> None:
    ipo_clock.advance(length)
    assert ipo_clock.now == BOOTED + timedelta(minutes=90)


def test_lengths_can_be_put_together(ipo_clock: VirtualClock) -> None:
    ipo_clock.advance("1h", days=1, minutes=30, seconds=0.5)
    assert ipo_clock.now == BOOTED + timedelta(days=1, hours=1, minutes=30, seconds=0.5)


@pytest.mark.parametrize("length", ["soon", -1, timedelta(days=-1), float("nan"), float("inf"), "400d"])
def test_what_is_no_length_moves_nothing(ipo_clock: VirtualClock, length: Length) -> None:
    with pytest.raises(CommandRejected):
        ipo_clock.advance(length)
    assert ipo_clock.now == BOOTED


def test_it_steps_from_one_happening_to_the_next(ipo_unit: SimulatedUnit, ipo_clock: VirtualClock) -> None:
    assert ipo_clock.next_deadline is None
    ipo_unit.shutdown(minutes=5)
    deadline = ipo_clock.next_deadline
    assert deadline is not None
    assert ipo_clock.to_next_deadline() == deadline == ipo_clock.now
    assert ipo_unit.state == "shutdown"
    told = ipo_clock.step(2)
    assert len(told) == 2
    assert "bench-1" in told[0]
    assert ipo_unit.state == "running"
    with pytest.raises(CommandRejected, match="nothing will happen"):
        ipo_clock.step()


def test_it_stands_until_it_is_let_go(ipo_unit: SimulatedUnit, ipo_clock: VirtualClock) -> None:
    assert ipo_clock.paused
    ipo_clock.resume(scale=50)
    assert (ipo_clock.paused, ipo_clock.scale) == (False, 50)
    ipo_clock.pause()
    stopped = ipo_clock.now
    assert ipo_clock.now == stopped
    with pytest.raises(CommandRejected, match=r"at least 0\.1"):
        ipo_clock.scale = 0.01


def test_a_clock_that_runs_is_caught_up_with(ipo_unit: SimulatedUnit, ipo_clock: VirtualClock) -> None:
    ipo_unit.restart()
    ipo_clock.resume(scale=0.1)
    ipo_clock.advance("1m")
    assert ipo_unit.state == "running"
    assert ipo_clock.now >= BOOTED + timedelta(minutes=1)


@pytest.mark.ipo_config({"units": [{"name": "a", "model": "ip500"}, {"name": "b", "model": "ip500"}]})
@pytest.mark.parametrize("when", ["2031-01-01", date(2031, 1, 1), datetime(2031, 1, 1, tzinfo=UTC)])
def test_the_date_is_set_for_all(ipo_units: Units, ipo_clock: VirtualClock, when: str | date) -> None:
    before = ipo_clock.now
    ipo_clock.set_date(when)
    assert {unit.status.at.date() for unit in ipo_units.values()} == {date(2031, 1, 1)}
    assert ipo_clock.now == before


def test_a_year_goes_by(ipo_unit: SimulatedUnit, ipo_clock: VirtualClock) -> None:
    ipo_unit.remove_card()
    ipo_clock.advance(days=365)
    assert ipo_unit.state == "awaiting_feature_key"
    assert ipo_clock.now == BOOTED + timedelta(days=365)
