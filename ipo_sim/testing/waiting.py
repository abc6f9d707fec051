"""Waiting without losing time: from one happening to the next while time stands, in real time while it runs."""

from __future__ import annotations

from collections.abc import Callable

from ipo_sim.core.model import SECOND_NS, Nanoseconds
from ipo_sim.testing.driver import Driver

# Something may happen without a deadline only at a reader or over a broker; then the driver wakes us.
LONGEST_S = 0.5


def wait_until(driver: Driver, met: Callable[[], bool], within: Nanoseconds) -> bool:
    """Whether it came true within so much simulation time; it is looked at after each happening."""
    clock, engine = driver.runtime.clock, driver.runtime.engine
    end = driver.call(clock.now) + within
    while not met():
        now = driver.call(clock.now)
        if now >= end:
            return False
        deadline = driver.call(engine.next_deadline)
        target = Nanoseconds(end if deadline is None else min(deadline, end))
        if clock.paused:
            _advance(driver, Nanoseconds(max(0, target - now)))
        else:
            driver.wait(min((target - now) / SECOND_NS / clock.scale, LONGEST_S))
    return True


def _advance(driver: Driver, duration: Nanoseconds) -> None:
    driver.execute(driver.runtime.engine.names()[0], "advance", {"seconds": duration / SECOND_NS})


def wait_really(driver: Driver, met: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true within so much real time, in which simulation time may stand."""
    while not met():
        if seconds <= 0:
            return False
        seconds -= driver.wait(min(seconds, LONGEST_S))
    return True
