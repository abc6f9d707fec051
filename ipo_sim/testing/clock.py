"""Time in a test: it stands until the test moves it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ipo_sim.core.model import SECOND_NS, Nanoseconds, UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime.duration import parse_duration
from ipo_sim.testing.driver import Answer, Driver

# A length of time: `2h30m`, seconds, or a timedelta.
Length = str | float | timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class VirtualClock:
    """The clock of all units of a test."""

    def __init__(self, driver: Driver, units: Sequence[UnitName]) -> None:
        self._driver = driver
        self._units = tuple(units)

    @property
    def now(self) -> datetime:
        """Simulation time."""
        return _moment(self._driver.call(self._driver.runtime.clock.now))

    @property
    def next_deadline(self) -> datetime | None:
        """When something will happen by itself next, to any unit; None: nothing will."""
        deadline = self._driver.call(self._driver.runtime.engine.next_deadline)
        return None if deadline is None else _moment(deadline)

    @property
    def paused(self) -> bool:
        """Whether time stands, as it does when a test begins."""
        return self._driver.runtime.clock.paused

    @property
    def scale(self) -> float:
        """How much faster than real time it runs, when it runs."""
        return self._driver.runtime.clock.scale

    @scale.setter
    def scale(self, scale: float) -> None:
        self._do("set-time", scale=scale)

    def advance(
        self, length: Length = 0, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> None:
        """Move time ahead, and let everything on the way happen: `advance("2h30m")`, `advance(hours=2)`."""
        more = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        duration = nanoseconds(length) + nanoseconds(more)
        self._do("advance", seconds=duration / SECOND_NS)

    def to_next_deadline(self) -> datetime:
        """Move time to the next moment at which something happens by itself; CommandRejected: nothing will."""
        self.step()
        return self.now

    def step(self, count: int = 1) -> list[str]:
        """Let something happen by itself `count` times, and tell what; CommandRejected: nothing will."""
        answer = self._do("step", count=count)
        return [f"{event['at']} {event['unit']}: {event['text']}" for event in answer["last"]]

    def pause(self) -> None:
        """Let time stand."""
        self._do("pause")

    def resume(self, *, scale: float | None = None) -> None:
        """Let time run, at the scale that is given or was."""
        if scale is not None:
            self.scale = scale
        self._do("resume")

    def set_date(self, when: str | date) -> None:
        """Set the date of all units: RFC 3339, unit local time without offset. Only what hangs on a date follows."""
        for unit in self._units:
            self._driver.execute(unit, "set-time", {"date": date_text(when)})

    def _do(self, verb: str, **arguments: Any) -> Answer:  # noqa: ANN401 - as the commands take them
        return self._driver.execute(self._units[0], verb, arguments)


def nanoseconds(length: Length) -> Nanoseconds:
    """A length of time, never negative; CommandRejected."""
    try:
        if isinstance(length, str):
            return parse_duration(length)
        seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
        duration = Nanoseconds(round(seconds * SECOND_NS))
    except (ValueError, OverflowError) as error:
        raise CommandRejected("bad-arguments", str(error)) from None
    if duration < 0:
        raise CommandRejected("bad-arguments", f"time does not go back: {length}")
    return duration


def date_text(when: str | date) -> str:
    """A date as commands take it."""
    return when if isinstance(when, str) else when.isoformat()


def _moment(at: Nanoseconds) -> datetime:
    return _EPOCH + timedelta(microseconds=at // 1_000)
