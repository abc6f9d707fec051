"""What the broker still retains of units from before: read back, so that what exists no longer can be cleared."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ipo_sim.api.paths import GROUPS
from ipo_sim.core.model import UnitName
from ipo_sim.runtime.bus import Bus

# A broker that holds the birth message back (its access list, say) keeps us from nothing else.
SILENCE_S = 2.0

# More topics than any unit has. What a stranger put there beyond them waits for the next time.
MAX_STALE = 10_000


class Readback:
    """Collects retained topics of some units; `stale` are the paths that have no entity now.

    Brokers deliver in order on a connection: once the birth of `marker` comes back, all that is retained has come.
    """

    def __init__(self, bus: Bus, marker: UnitName) -> None:
        self.stale: set[tuple[UnitName, str]] = set()
        self._bus = bus
        self._marker = marker
        self._heard = 0
        self._known = 0
        self._complete = asyncio.Event()

    def retained(self, unit: UnitName, path: str) -> None:
        """One retained message of a unit."""
        self._heard += 1
        if path.partition("/")[0] not in GROUPS:
            return
        if path in self._bus.latest(unit):
            self._known += 1
        elif len(self.stale) < MAX_STALE:
            self.stale.add((unit, path))

    def covers(self, units: Sequence[UnitName]) -> bool:
        """Whether all that exists now was retained before: if not, the broker is new to it, or not ready yet."""
        existing = sum(path.partition("/")[0] in GROUPS for unit in units for path in self._bus.latest(unit))
        return self._known >= existing

    def birth(self, unit: UnitName) -> None:
        """The birth message of a unit came back."""
        if unit == self._marker:
            self._complete.set()

    async def wait(self) -> bool:
        """Wait for the end of what is retained; False when the broker falls silent before."""
        heard = -1
        while not self._complete.is_set():
            if heard == self._heard:
                return False
            heard = self._heard
            try:
                async with asyncio.timeout(SILENCE_S):
                    await self._complete.wait()
            except TimeoutError:
                continue
        return True
