"""The latest value of every entity of every unit, and bounded subscribers in which the latest value wins."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from ipo_sim.core.effects import Effects
from ipo_sim.core.events import Event
from ipo_sim.core.model import Entity, Nanoseconds, UnitName

# Records a slow subscriber may fall behind before the oldest are dropped: a full unit's boot is below 100.
MAX_RECORDS = 1_000


class Entry(NamedTuple):
    """An entity as of event `seq` at `at` (unit time); `value` None: withdrawn."""

    seq: int
    at: Nanoseconds
    value: Entity | None


class Record(NamedTuple):
    """One accepted event of a unit, with all that it did."""

    unit: UnitName
    event: Event
    effects: Effects


class Batch(NamedTuple):
    """What a subscriber has not seen yet: entities in the order of their last change, and records in order."""

    entities: dict[tuple[UnitName, str], Entry]
    records: list[Record]


class Subscription:
    """One subscriber's backlog: at most one entry for each entity, at most `max_records` records.

    `coalesced` counts entity values that a later one replaced before they were taken, `dropped` records lost.
    """

    def __init__(self, bus: Bus, name: str, units: frozenset[UnitName] | None, max_records: int) -> None:
        self.name = name
        self.units = units
        self.coalesced = 0
        self.dropped = 0
        self._bus = bus
        self._entities: dict[tuple[UnitName, str], Entry] = {}
        self._records: deque[Record] = deque(maxlen=max_records)
        self._wake = asyncio.Event()

    def push(self, record: Record, entries: Iterable[tuple[str, Entry]]) -> None:
        """Take one record in, and the entries that it changed; never blocks."""
        unit = record.unit
        if self.units is not None and unit not in self.units:
            return
        self.push_entries(unit, entries)
        if self._records.maxlen == len(self._records):
            self.dropped += 1
        self._records.append(record)
        self._wake.set()

    def push_entries(self, unit: UnitName, entries: Iterable[tuple[str, Entry]]) -> None:
        """Take entries in that no record has changed."""
        if self.units is not None and unit not in self.units:
            return
        for path, entry in entries:
            key = (unit, path)
            # Out and in again: a cascade keeps its order, so `unit` stays behind what it sums up.
            if self._entities.pop(key, None) is not None:
                self.coalesced += 1
            self._entities[key] = entry
        self._wake.set()

    def take(self) -> Batch:
        """All that is waiting, possibly nothing."""
        batch = Batch(self._entities, list(self._records))
        self._entities = {}
        self._records.clear()
        self._wake.clear()
        return batch

    async def next(self) -> Batch:
        """Wait until something is there, then take it all."""
        await self._wake.wait()
        return self.take()

    def wake(self) -> None:
        """Let `next` return, even with nothing: whoever waits there has something else to do."""
        self._wake.set()

    def close(self) -> None:
        """Leave the bus; nothing more arrives."""
        self._bus.unsubscribe(self)


class Bus:
    """Fan-out from the engine to the edges."""

    def __init__(self) -> None:
        self._latest: dict[UnitName, dict[str, Entry]] = {}
        self._subscriptions: list[Subscription] = []

    def publish(self, record: Record) -> None:
        """Keep the new values and hand the record to every subscriber."""
        latest = self._latest.setdefault(record.unit, {})
        effects = record.effects
        entries = [(path, Entry(effects.seq, effects.unit_time, value)) for path, value in effects.changes]
        for path, entry in entries:
            if entry.value is None:
                latest.pop(path, None)
            else:
                latest[path] = entry
        for subscription in self._subscriptions:
            subscription.push(record, entries)

    def restore(self, unit: UnitName, entries: Mapping[str, Entry]) -> None:
        """Set a unit's whole store at start, before anybody subscribes."""
        self._latest[unit] = dict(entries)

    def replace(self, unit: UnitName, entries: Mapping[str, Entry], gone: Entry) -> None:
        """Set a unit's whole store and tell subscribers the difference; `gone` stands for what is there no longer."""
        before = self._latest.get(unit, {})
        self._latest[unit] = dict(entries)
        changed = [(path, entry) for path, entry in entries.items() if before.get(path) != entry]
        changed += [(path, gone) for path in before if path not in entries]
        for subscription in self._subscriptions:
            subscription.push_entries(unit, changed)

    def latest(self, unit: UnitName) -> Mapping[str, Entry]:
        """Every entity of the unit that exists now, by path; a read-only view."""
        return MappingProxyType(self._latest.get(unit, {}))

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
