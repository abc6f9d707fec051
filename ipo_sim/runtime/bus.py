"""The latest value of every entity of every unit, and bounded subscribers in which the latest value wins."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ipo_sim.core.effects import Changes, Effects
from ipo_sim.core.events import Event
from ipo_sim.core.model import UnitName
from ipo_sim.runtime.store import Entry, Stamp, Store

# Records a slow subscriber may fall behind before the oldest are dropped: a full unit's boot is below 100.
MAX_RECORDS = 1_000
# Entities of a batch where a backlog is taken in pieces.
PIECE = 500

_NOTHING = Store({})


class Record(NamedTuple):
    """One accepted event of a unit, with all that it did."""

    unit: UnitName
    event: Event
    effects: Effects


class Batch(NamedTuple):
    """What a subscriber has not seen yet: entities unit by unit, in the order of their last change, and records."""

    entities: dict[tuple[UnitName, str], Entry]
    records: list[Record]


class Subscription:
    """One subscriber's backlog: at most one mark for each entity, at most `max_records` records.

    `coalesced` counts entity values that a later one replaced before they were taken, `dropped` records lost.
    """

    def __init__(self, bus: Bus, name: str, units: frozenset[UnitName] | None, max_records: int) -> None:
        self.name = name
        self.units = units
        self.coalesced = 0
        self.dropped = 0
        self._bus = bus
        # What changed since: paths alone, as the bus knows the values; a stamp is that of a withdrawal.
        self._changed: dict[UnitName, dict[str, Stamp | None]] = {}
        self._records: deque[Record] = deque(maxlen=max_records)
        # How many units have left the backlog, ever; those that wait leave it in their order.
        self._left = 0
        self._paused: set[UnitName] = set()
        self._wake = asyncio.Event()

    def push(self, record: Record, stamp: Stamp) -> None:
        """Take one record in, and what it changed; never blocks."""
        if self.units is not None and record.unit not in self.units:
            return
        if record.unit in self._paused:
            self.dropped += 1
            return
        self.push_changes(record.unit, record.effects.changes, stamp)
        if self._records.maxlen == len(self._records):
            self.dropped += 1
        self._records.append(record)

    def push_changes(self, unit: UnitName, changes: Changes, stamp: Stamp) -> None:
        """Take changes in that belong to no record."""
        if unit in self._paused or (self.units is not None and unit not in self.units):
            return
        if changes:
            changed = self._changed.setdefault(unit, {})
            for path, value in changes.items():
                # Out and in again: a cascade keeps its order, so `unit` stays behind what it sums up.
                if path in changed:
                    del changed[path]
                    self.coalesced += 1
                changed[path] = stamp if value is None else None
        self._wake.set()

    def take(self, at_most: int | None = None) -> Batch:
        """All that is waiting, possibly nothing; or so many entities, but of the last unit all."""
        entities: dict[tuple[UnitName, str], Entry] = {}
        while self._changed and (at_most is None or len(entities) < at_most):
            unit = next(iter(self._changed))
            latest = self._bus.latest(unit)
            self._left += 1
            for path, gone in self._changed.pop(unit).items():
                entities[unit, path] = latest[path] if gone is None else Entry(gone.seq, gone.at, None)
        return Batch(entities, self._take_records())

    def pieces(self) -> Iterator[Batch]:
        """All that waits now, in batches small enough that a fleet's backlog is never there a second time.

        Others may take of it between two batches: it ends when all has left the backlog.
        """
        end = self._left + len(self._changed)
        while True:
            yield self.take(PIECE)
            if self._left >= end:
                return

    def _take_records(self) -> list[Record]:
        """Those whose entities have been taken."""
        changed = self._changed
        records = [record for record in self._records if record.unit not in changed]
        if changed:
            waiting = [record for record in self._records if record.unit in changed]
            self._records.clear()
            self._records.extend(waiting)
        else:
            self._records.clear()
            self._wake.clear()
        return records

    async def waiting(self) -> None:
        """Wait until something is there to be taken, or somebody calls `wake`."""
        await self._wake.wait()

    async def next(self, at_most: int | None = None) -> Batch:
        """Wait until something is there, then take it all, or so many entities."""
        await self.waiting()
        return self.take(at_most)

    def pause(self) -> None:
        """Drop what waits, and what comes of each unit until it is resumed: whoever does that reads its whole store."""
        self._paused = set(self._bus.units() if self.units is None else self.units)
        self.dropped += len(self._records)
        self._left += len(self._changed)
        self._changed.clear()
        self._records.clear()
        self._wake.clear()

    def resume(self, units: Iterable[UnitName]) -> None:
        """Take in again what comes of these."""
        self._paused.difference_update(units)

    def wake(self) -> None:
        """Let `next` return, even with nothing: whoever waits there has something else to do."""
        self._wake.set()

    def close(self) -> None:
        """Leave the bus; nothing more arrives."""
        self._bus.unsubscribe(self)


class Bus:
    """Fan-out from the engine to the edges."""

    def __init__(self) -> None:
        self._latest: dict[UnitName, Store] = {}
        self._subscriptions: list[Subscription] = []

    def publish(self, record: Record) -> None:
        """Keep the new values and hand the record to every subscriber."""
        effects = record.effects
        stamp = Stamp(effects.seq, effects.unit_time)
        latest = self._latest.get(record.unit)
        if latest is None:
            latest = self._latest[record.unit] = Store({})
        latest.change(stamp, effects.changes)
        for subscription in self._subscriptions:
            subscription.push(record, stamp)

    def restore(self, unit: UnitName, entries: Mapping[str, Entry]) -> None:
        """Set a unit's whole store at start, before anybody subscribes."""
        self._latest[unit] = Store(entries)

    def replace(self, unit: UnitName, entries: Mapping[str, Entry], gone: Stamp) -> None:
        """Set a unit's whole store and tell subscribers the difference; `gone` stands for what is there no longer."""
        before = self._latest.get(unit, _NOTHING)
        changes = {path: entry.value for path, entry in entries.items() if before.get(path) != entry}
        changes |= {path: None for path in before if path not in entries}
        self._latest[unit] = Store(entries)
        for subscription in self._subscriptions:
            subscription.push_changes(unit, changes, gone)

    def latest(self, unit: UnitName) -> Mapping[str, Entry]:
        """Every entity of the unit that exists now, by path; it follows the unit."""
        return self._latest.get(unit, _NOTHING)

    def units(self) -> Iterator[UnitName]:
        """Names of all units that have a store."""
        return iter(self._latest)

    def subscribe(
        self, name: str, *, units: frozenset[UnitName] | None = None, max_records: int = MAX_RECORDS
    ) -> Subscription:
        """Follow some units, or all; what was published before is in `latest`."""
        subscription = Subscription(self, name, units, max_records)
        self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a subscriber; a second time does nothing."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
