from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.core.model import SECOND_NS, Nanoseconds
from ipo_sim.errors import CommandRejected, JournalError
from ipo_sim.runtime.clock import (
    END_OF_TIME,
    MAX_ADVANCE_NS,
    MAX_SCALE,
    MIN_SCALE,
    Clock,
    ClockBase,
    restored,
    stepped,
)
from tests.core.bench import NOON
from tests.runtime.bench import HOUR, Machine

scales = st.one_of(st.sampled_from([MIN_SCALE, 1.0, 1_000.0, MAX_SCALE]), st.floats(MIN_SCALE, MAX_SCALE))


def seconds(count: float) -> Nanoseconds:
    return Nanoseconds(round(count * SECOND_NS))


def test_wall_time_passes_as_on_the_machine() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.elapsed += seconds(5)
    assert clock.now() == NOON + seconds(5)


@pytest.mark.parametrize("scale", [0.1, 1.0, 2.5, 1_000.0, 100_000.0])
def test_scaled_time_is_exact(scale: float) -> None:
    machine = Machine()
    clock = machine.clock(ClockBase(NOON, NOON, scale))
    machine.elapsed += seconds(3_600)
    assert clock.now() == NOON + seconds(3_600 * scale)


@pytest.mark.parametrize("scale", [0.0, -1.0, 0.05, 100_001.0, math.inf, math.nan])
def test_other_scales_are_refused_and_change_nothing(scale: float) -> None:
    clock = Machine().clock()
    with pytest.raises(ValueError, match="time scale"):
        clock.set_scale(scale)
    assert clock.scale == 1.0
    with pytest.raises(ValueError, match="time scale"):
        Clock(ClockBase(NOON, NOON, scale))


def test_a_new_scale_holds_from_its_moment_on() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.elapsed += seconds(10)
    clock.set_scale(60)
    machine.elapsed += seconds(10)
    assert clock.now() == NOON + seconds(610)


def test_paused_time_stands_and_goes_on_from_there() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.pause()
    machine.elapsed += seconds(100)
    assert clock.paused
    assert clock.now() == NOON
    clock.resume()
    machine.elapsed += seconds(1)
    assert clock.now() == NOON + seconds(1)


@pytest.mark.parametrize("paused", [True, False])
def test_advance_jumps_and_keeps_the_pace(paused: bool) -> None:  # noqa: FBT001 - a parameter of the table
    machine = Machine()
    clock = machine.clock(ClockBase(NOON, NOON, 10.0, paused))
    assert clock.advance(HOUR) == NOON + HOUR
    machine.elapsed += seconds(1)
    assert clock.now() == NOON + HOUR + (0 if paused else seconds(10))


@pytest.mark.parametrize("duration", [-1, MAX_ADVANCE_NS + 1])
def test_time_advances_neither_back_nor_for_ever(duration: int) -> None:
    clock = stepped(NOON)
    with pytest.raises(CommandRejected, match="366 days") as refusal:
        clock.advance(Nanoseconds(duration))
    assert refusal.value.reason == "bad-arguments"
    assert clock.now() == NOON


def test_time_ends_before_the_calendar_does() -> None:
    machine = Machine()
    clock = machine.clock(ClockBase(Nanoseconds(END_OF_TIME - seconds(10)), NOON, MAX_SCALE))
    with pytest.raises(CommandRejected, match="2199"):
        clock.advance(seconds(11))
    machine.elapsed += seconds(3_600)
    assert clock.now() == END_OF_TIME
    assert clock.delay_until(Nanoseconds(END_OF_TIME + 1)) is None


def test_a_clock_that_cannot_be_kept_goes_on_as_it_did() -> None:
    def full(_: ClockBase) -> None:
        raise JournalError("no space")

    machine = Machine()
    clock = machine.clock(store=full)
    machine.elapsed += seconds(1)
    for change in (clock.pause, clock.resume, lambda: clock.set_scale(5), lambda: clock.advance(HOUR)):
        with pytest.raises(JournalError):
            change()
    assert (clock.now(), clock.scale, clock.paused) == (NOON + seconds(1), 1.0, False)


def test_every_change_is_kept_before_it_acts() -> None:
    kept: list[ClockBase] = []
    machine = Machine()
    clock = machine.clock(store=kept.append)
    machine.elapsed += seconds(1)
    clock.set_scale(2)
    clock.pause()
    clock.advance(HOUR)
    clock.resume()
    second = NOON + seconds(1)
    assert [(base.at, base.scale, base.paused) for base in kept] == [
        (second, 2, False),
        (second, 2, True),
        (second + HOUR, 2, True),
        (second + HOUR, 2, False),
    ]


def test_the_delay_is_none_while_only_a_command_moves_time() -> None:
    clock = stepped(NOON)
    assert clock.delay_until(Nanoseconds(NOON + 1)) is None
    assert clock.delay_until(NOON) == 0.0
    assert clock.delay_until(Nanoseconds(NOON - 1)) == 0.0


@given(scales, st.integers(0, 10**18))
def test_after_the_delay_the_deadline_has_come_and_not_long_before(scale: float, ahead: int) -> None:
    machine = Machine()
    clock = machine.clock(ClockBase(NOON, NOON, scale))
    deadline = Nanoseconds(NOON + ahead)
    delay = clock.delay_until(deadline)
    assert delay is not None
    # A float of seconds resolves some nanoseconds of a year; loops wake up that early at most and ask again.
    slack = 2 + int(delay * 4e-7)
    machine.elapsed += math.ceil(delay * SECOND_NS) + slack
    assert clock.now() >= deadline
    assert clock.now() - deadline <= (2 * slack + 2) * scale + 1


def moves(machine: Machine, clock: Clock, move: str, amount: int, scale: float) -> None:
    match move:
        case "wait":
            machine.elapsed += amount
        case "wall":
            machine.offset += amount - 5 * HOUR
        case "scale":
            clock.set_scale(scale)
        case "pause":
            clock.pause()
        case "resume":
            clock.resume()
        case "advance":
            clock.advance(Nanoseconds(amount))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["wait", "wall", "scale", "pause", "resume", "advance", "restart"]),
            st.integers(0, 10 * HOUR),
            scales,
        ),
        max_size=30,
    )
)
def test_time_never_goes_back_whatever_happens_to_the_machine(steps: list[tuple[str, int, float]]) -> None:
    kept: dict[str, Any] = {}
    machine = Machine()
    clock = machine.clock(store=lambda base: kept.update(base=base))
    last = clock.now()
    for move, amount, scale in steps:
        if move == "restart":
            # Killed: of what was not stored, the journal knows the last event only.
            machine.elapsed += amount
            clock = restored(kept.get("base"), last, monotonic=machine.monotonic, wall=machine.wall)
            clock.store = lambda base: kept.update(base=base)
        else:
            moves(machine, clock, move, amount, scale)
        assert clock.now() >= last
        last = clock.now()


class TestRestart:
    def restart(self, base: ClockBase | None, *, wall: int, last: int = 0, scale: float | None = None) -> Clock:
        machine = Machine(wall)
        return restored(base, Nanoseconds(last), scale=scale, monotonic=machine.monotonic, wall=machine.wall)

    def test_the_first_start_shows_the_wall(self) -> None:
        assert self.restart(None, wall=NOON).now() == NOON

    def test_at_scale_1_time_has_gone_on_with_the_wall(self) -> None:
        base = ClockBase(Nanoseconds(NOON + HOUR), NOON)
        assert self.restart(base, wall=NOON + 3 * HOUR).now() == NOON + 4 * HOUR

    @pytest.mark.parametrize(("scale", "paused"), [(60.0, False), (1.0, True)])
    def test_any_other_clock_stood_meanwhile(self, scale: float, paused: bool) -> None:  # noqa: FBT001 - a table's row
        base = ClockBase(NOON, NOON, scale, paused)
        clock = self.restart(base, wall=NOON + 3 * HOUR)
        assert (clock.now(), clock.scale, clock.paused) == (NOON, scale, paused)

    def test_time_is_never_before_the_last_event(self) -> None:
        base = ClockBase(NOON, NOON, 60.0)
        assert self.restart(base, wall=NOON + 1, last=NOON + HOUR).now() == NOON + HOUR

    def test_a_wall_that_was_set_back_does_not_take_time_with_it(self) -> None:
        assert self.restart(ClockBase(NOON, NOON), wall=NOON - HOUR).now() == NOON

    def test_a_scale_from_the_command_line_wins_and_lets_a_paused_clock_run(self) -> None:
        clock = self.restart(ClockBase(NOON, NOON, 60.0, paused=True), wall=NOON, scale=5.0)
        assert (clock.scale, clock.paused) == (5.0, False)

    def test_what_was_kept_is_what_comes_back(self) -> None:
        machine = Machine()
        clock = machine.clock(ClockBase(NOON, NOON, 7.5))
        machine.elapsed += seconds(4)
        again = self.restart(clock.base(), wall=machine.wall())
        assert again.base() == clock.base()
