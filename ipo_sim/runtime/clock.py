"""The daemon's one clock. Only this module reads the machine's; simulation time is nanoseconds since 1970 UTC."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ipo_sim.core.model import SECOND_NS, Nanoseconds
from ipo_sim.errors import CommandRejected

# Below 0.1 a boot of 8 s takes longer than anybody waits; above 100,000 a 10 s poll fires faster than it is computed.
MIN_SCALE = 0.1
MAX_SCALE = 100_000.0
# 2200-01-01: what SQLite integers and calendar dates hold, with room for unit clocks that were set ahead.
END_OF_TIME = Nanoseconds(7_258_118_400 * SECOND_NS)
# One `advance` at most: a year of a full unit's polls is computed in minutes.
MAX_ADVANCE_NS = Nanoseconds(366 * 86_400 * SECOND_NS)
# Scales are kept in millionths, so that time is integer arithmetic and exact over any length.
_UNIT_RATE = 1_000_000


@dataclass(frozen=True, slots=True)
class ClockBase:
    """Simulation time `at` was shown when the machine's clock said `wall`; from there it ran at `scale`, or stood."""

    at: Nanoseconds
    wall: Nanoseconds
    scale: float = 1.0
    paused: bool = False


Store = Callable[[ClockBase], None]


class Clock:
    """Simulation time at a scale, paused, or stepped (paused and moved by `advance` alone).

    It never goes back but by `go_back`.
    `store` is given every new base before it acts, so that a clock that cannot be kept does not change.
    `monotonic` and `wall` are the machine's clocks in nanoseconds.
    """

    def __init__(
        self,
        base: ClockBase,
        *,
        store: Store | None = None,
        monotonic: Callable[[], int] = time.monotonic_ns,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self.store = store
        self._monotonic = monotonic
        self._wall = wall
        self._anchor = monotonic()
        self._base = base
        self._rate = round(check_scale(base.scale) * _UNIT_RATE)

    @property
    def scale(self) -> float:
        """Seconds of simulation time in a second of the machine's, when not paused."""
        return self._base.scale

    @property
    def paused(self) -> bool:
        """Whether time stands still but for `advance`."""
        return self._base.paused

    def now(self) -> Nanoseconds:
        """Simulation time, at most END_OF_TIME."""
        if self._base.paused:
            return self._base.at
        elapsed = self._monotonic() - self._anchor
        return Nanoseconds(min(self._base.at + elapsed * self._rate // _UNIT_RATE, END_OF_TIME))

    def monotonic(self) -> int:
        """The machine's own clock, in nanoseconds since whenever it likes; for durations."""
        return self._monotonic()

    def delay_until(self, deadline: Nanoseconds) -> float | None:
        """Seconds of event loop time until `deadline`, 0 when it has come; None: not unless the clock is changed."""
        ahead = deadline - self.now()
        if ahead <= 0:
            return 0.0
        if self._base.paused or deadline > END_OF_TIME:
            return None
        return -(-ahead * _UNIT_RATE // self._rate) / SECOND_NS

    def base(self) -> ClockBase:
        """The clock as of this moment: what a restart goes on from."""
        return replace(self._base, at=self.now(), wall=Nanoseconds(self._wall()))

    def set_scale(self, scale: float) -> None:
        """Run `scale` times as fast from here on; ValueError outside MIN_SCALE..MAX_SCALE."""
        self._rebase(replace(self.base(), scale=check_scale(scale)))

    def pause(self) -> None:
        """Stand still."""
        self._rebase(replace(self.base(), paused=True))

    def resume(self) -> None:
        """Run on from where time stands."""
        self._rebase(replace(self.base(), paused=False))

    def advance(self, duration: Nanoseconds) -> Nanoseconds:
        """Jump ahead, paused or not, and return the new time; CommandRejected for too long a jump, or back."""
        base = self.base()
        if not 0 <= duration <= MAX_ADVANCE_NS:
            days = MAX_ADVANCE_NS // (86_400 * SECOND_NS)
            raise CommandRejected("bad-arguments", f"time advances by 0 seconds to {days} days at once")
        if base.at + duration > END_OF_TIME:
            raise CommandRejected("end-of-time", "simulation time ends with the year 2199")
        self._rebase(replace(base, at=Nanoseconds(base.at + duration)))
        return self._base.at

    def go_back(self, at: Nanoseconds) -> None:
        """Show an earlier time, and run on from there as before; who does it has kept it already."""
        base = self.base()
        self._show(replace(base, at=min(at, base.at)))

    def _rebase(self, base: ClockBase) -> None:
        if self.store is not None:
            self.store(base)
        self._show(base)

    def _show(self, base: ClockBase) -> None:
        # Read after the store, which may be slow: time stood while it was written, it did not run at either rate.
        self._anchor = self._monotonic()
        self._base = base
        self._rate = round(base.scale * _UNIT_RATE)


def check_scale(scale: float) -> float:
    """`scale` when a clock can run at it; ValueError otherwise."""
    if not MIN_SCALE <= scale <= MAX_SCALE:
        message = f"a time scale lies between {MIN_SCALE} and {MAX_SCALE:,.0f}, not {scale}"
        raise ValueError(message)
    return scale


def stepped(at: Nanoseconds) -> Clock:
    """A clock that starts at `at` and that only `advance` moves."""
    return Clock(ClockBase(at, at, paused=True))


def restored(
    kept: ClockBase | None,
    last: Nanoseconds,
    *,
    scale: float | None = None,
    store: Store | None = None,
    monotonic: Callable[[], int] = time.monotonic_ns,
    wall: Callable[[], int] = time.time_ns,
) -> Clock:
    """The clock of a daemon that starts: `kept` is the base of the run before, `last` the last journalled moment.

    A clock that ran at scale 1 has gone on with the wall meanwhile; any other stood while the daemon was down.
    `scale` overrides the kept one and lets a paused clock run.
    """
    now = Nanoseconds(wall())
    if kept is None:
        kept = ClockBase(now, now)
    downtime = max(0, now - kept.wall) if kept.scale == 1.0 and not kept.paused else 0
    at = Nanoseconds(min(max(kept.at + downtime, last), END_OF_TIME))
    base = replace(kept, at=at, wall=now)
    if scale is not None:
        base = replace(base, scale=check_scale(scale), paused=False)
    return Clock(base, store=store, monotonic=monotonic, wall=wall)
