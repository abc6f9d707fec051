"""What keeps one sender from taking all: a rate of requests for each unit."""

from __future__ import annotations

from ipo_sim.core.model import UnitName

# Far above any person or test, far below what would keep the units from their own work.
REQUESTS_PER_S = 50.0
BURST = 100.0


class Allowance:
    """A token bucket for each key: `burst` at once, `rate` a second in the long run."""

    def __init__(self, rate: float = REQUESTS_PER_S, burst: float = BURST) -> None:
        self._rate = rate
        self._burst = burst
        self._left: dict[UnitName, tuple[float, float]] = {}

    def take(self, key: UnitName, now: float) -> bool:
        """Whether one more is allowed at `now`, in seconds that never go back."""
        left, since = self._left.get(key, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        allowed = left >= 1.0
        self._left[key] = (left - 1.0 if allowed else left, now)
        return allowed
