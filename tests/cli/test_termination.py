"""When a signal may end a start."""

from __future__ import annotations

import signal

import pytest

from ipo_sim.cli.termination import signals_held_back, signals_let_in, termination_as_interrupt

ENDING = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_waits_until_it_is_let_in(number: signal.Signals) -> None:
    steps = []
    with pytest.raises(KeyboardInterrupt), termination_as_interrupt(), signals_held_back():  # noqa: PT012 - nested as there
        signal.raise_signal(number)
        steps.append("went on")
        with signals_let_in():
            steps.append("too late")
    assert steps == ["went on"]


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_that_nobody_lets_in_is_not_lost(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), termination_as_interrupt(), signals_held_back():
        signal.raise_signal(number)
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & set(ENDING)
