"""The last accepted events of all units, for who was away for a moment."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ipo_sim.core.model import UnitName
from ipo_sim.runtime.bus import MAX_RECORDS, Bus, Record


class Missed(NamedTuple):
    """What is there since an event, and whether that is all of it; else the first and last number that is not."""

    records: list[Record]
    complete: bool
    first: int | None = None
    last: int | None = None


class History:
    """Follows the bus from the start on, and keeps `size` records; the journal keeps all."""

    def __init__(self, bus: Bus, size: int = MAX_RECORDS) -> None:
        self._records: deque[Record] = deque(maxlen=size)
        self._subscription = bus.subscribe("http history", max_records=size)

    async def follow(self) -> None:
        """Keep up until cancelled."""
        while True:
            self._records.extend((await self._subscription.next()).records)

    def since(self, unit: UnitName, seq: int, now: int) -> Missed:
        """The unit's records behind `seq`; `now` is its last one. After a rewind numbers begin anew."""
        self._catch_up()
        records = [record for record in self._records if record.unit == unit and seq < record.effects.seq <= now]
        # What a rewind has left behind stands in front of what took its place.
        latest = {record.effects.seq: record for record in records}
        records = [latest[number] for number in sorted(latest)]
        first, last = seq + 1, now
        while first in latest:
            first += 1
        while last in latest:
            last -= 1
        if first <= last:
            return Missed(records, complete=False, first=first, last=last)
        # A number that is none yet: the unit was taken back, or begun anew, behind the reader's back.
        return Missed(records, complete=seq <= now)

    def close(self) -> None:
        """Leave the bus."""
        self._subscription.close()

    def _catch_up(self) -> None:
        self._records.extend(self._subscription.take().records)
