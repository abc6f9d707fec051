"""The quorum of licensed base stations, row by row, and the violation timer as a function of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.licensing.dect import QUORUM, VOICE, Attendance, DectState, ViolationTimer, full_timer, is_violated, rule

HOUR = 3_600 * 1_000_000_000
BUDGET = 72 * HOUR

OK, WARNING, VIOLATION, BLOCKED = DectState.OK, DectState.WARNING, DectState.VIOLATION, DectState.VOICE_BLOCKED

# MACs in the key, how many of them answer, base stations, licensed ones, ADMM; state without the timer, and with it.
QUORUMS = [
    pytest.param(Attendance(1, 1, 1, 1, admm=True), OK, OK, id="1 of 1 answers"),
    pytest.param(Attendance(1, 0, 1, 1, admm=True), BLOCKED, VIOLATION, id="0 of 1 answers"),
    pytest.param(Attendance(2, 2, 2, 2, admm=True), OK, OK, id="2 of 2 answer"),
    pytest.param(Attendance(2, 1, 2, 2, admm=True), OK, WARNING, id="1 of 2 answers"),
    pytest.param(Attendance(2, 0, 2, 2, admm=True), BLOCKED, VIOLATION, id="0 of 2 answer"),
    pytest.param(Attendance(1, 1, 2, 2, admm=True), OK, OK, id="1 of 1 answers, the second base came later"),
    pytest.param(Attendance(3, 3, 3, 3, admm=True), OK, OK, id="3 of 3 answer"),
    pytest.param(Attendance(3, 2, 3, 3, admm=True), OK, WARNING, id="2 of 3 answer: the first is lost"),
    pytest.param(Attendance(3, 1, 3, 3, admm=True), BLOCKED, VIOLATION, id="1 of 3 answers: the second is lost"),
    pytest.param(Attendance(3, 0, 3, 3, admm=True), BLOCKED, VIOLATION, id="0 of 3 answer"),
    pytest.param(Attendance(3, 3, 32, 32, admm=True), OK, OK, id="3 of 3 answer for 32 base stations"),
    pytest.param(Attendance(3, 3, 5, 4, admm=True), BLOCKED, BLOCKED, id="one base station more than licensed"),
    pytest.param(Attendance(3, 3, 2, 4, admm=True), OK, OK, id="fewer base stations than licensed"),
    pytest.param(Attendance(3, 2, 3, 3, admm=False), BLOCKED, BLOCKED, id="the ADMM does not answer"),
    pytest.param(Attendance(3, 0, 4, 3, admm=False), BLOCKED, BLOCKED, id="everything is wrong"),
]


@pytest.mark.parametrize(("there", "strict", "patient"), QUORUMS)
def test_the_rules_of_quorum(there: Attendance, strict: DectState, patient: DectState) -> None:
    assert rule(there, left_ns=None) is strict
    assert rule(there, left_ns=BUDGET) is patient
    used_up = BLOCKED if patient is VIOLATION else patient
    assert rule(there, left_ns=0) is used_up


attendances = st.integers(1, 3).flatmap(
    lambda licensed: st.builds(
        Attendance,
        st.just(licensed),
        st.integers(0, licensed),
        st.integers(1, 40),
        st.integers(1, 40),
        st.booleans(),
    )
)


@given(attendances, st.none() | st.integers(0, BUDGET))
def test_one_more_that_answers_never_makes_it_worse(there: Attendance, left: int | None) -> None:
    order = [BLOCKED, VIOLATION, WARNING, OK]
    states = [rule(there._replace(present=n), left_ns=left) for n in range(there.licensed + 1)]
    assert [order.index(state) for state in states] == sorted(order.index(state) for state in states)
    assert is_violated(there) is (there.present < QUORUM[there.licensed])


@given(attendances)
def test_the_timer_only_ever_gives_voice_it_never_takes_it(there: Attendance) -> None:
    strict, patient = rule(there, left_ns=None), rule(there, left_ns=BUDGET)
    assert strict not in VOICE or patient in VOICE


# Spans of time, each in violation or not.
spans = st.lists(st.tuples(st.integers(0, 100 * HOUR), st.booleans()), max_size=12)


def run(timer: ViolationTimer, at: int, courses: list[tuple[int, bool]]) -> tuple[ViolationTimer, int]:
    for length, violated in courses:
        timer = timer.turned(at, violated=violated)
        at += length
    return timer, at


def by_hand(courses: list[tuple[int, bool]]) -> int:
    left = BUDGET
    for length, violated in courses:
        left = max(0, left - length) if violated else min(BUDGET, left + length)
    return left


@given(spans, st.integers(0, 10**18))
def test_it_is_never_negative_nor_above_its_budget_and_runs_and_fills_at_the_same_rate(
    courses: list[tuple[int, bool]], start: int
) -> None:
    timer, at = run(full_timer(BUDGET, 0), start, courses)
    assert 0 <= timer.left(at) <= BUDGET
    assert timer.left(at) == by_hand(courses)


@given(
    courses=spans,
    first=st.integers(0, 200 * HOUR),
    second=st.integers(0, 200 * HOUR),
    violated=st.booleans(),
)
def test_looking_at_it_in_between_changes_nothing(
    *, courses: list[tuple[int, bool]], first: int, second: int, violated: bool
) -> None:
    timer, at = run(full_timer(BUDGET, 0), 10**18, courses)
    timer = timer.turned(at, violated=violated)
    split = timer.turned(at + first, violated=violated)
    end = at + first + second
    assert split.left(end) == timer.left(end)
    assert timer.turned(end, violated=violated).left(end) == timer.left(end)


@given(st.integers(0, 72 * HOUR), st.lists(st.integers(0, 72 * HOUR), max_size=5))
def test_it_does_not_matter_how_a_time_is_split(used: int, cuts: list[int]) -> None:
    """Equal times of violation and of order, however they are cut up, bring it back to where it was."""
    timer = full_timer(BUDGET, 0).turned(10**18, violated=True).turned(10**18 + used, violated=False)
    moments = sorted({min(cut, used) for cut in cuts})
    for moment in moments:
        timer = timer.turned(10**18 + used + moment, violated=False)
    assert timer.left(10**18 + 2 * used) == BUDGET


@given(courses=spans, violated=st.booleans())
def test_its_deadline_is_the_moment_at_which_it_ends(*, courses: list[tuple[int, bool]], violated: bool) -> None:
    timer, at = run(full_timer(BUDGET, 0), 10**18, courses)
    timer = timer.turned(at, violated=violated)
    deadline = timer.deadline()
    end = 0 if violated else BUDGET
    if deadline is None:
        assert timer.left(at) == end
        return
    assert deadline > at
    assert timer.left(deadline) == end
    assert timer.left(deadline - 1) != end
    assert timer.turned(deadline, violated=violated).deadline() is None


def test_ten_hours_of_violation_and_four_in_order_leave_sixty_six() -> None:
    timer, at = run(full_timer(BUDGET, 0), 10**18, [(10 * HOUR, True), (4 * HOUR, False)])
    assert timer.left(at) == 66 * HOUR


def test_while_nothing_turns_it_stays_the_same_object() -> None:
    timer = full_timer(BUDGET, 0).turned(10**18, violated=True)
    assert timer.turned(10**18 + HOUR, violated=True) is timer
