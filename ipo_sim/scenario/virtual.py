"""A world of its own for one scenario: units in this process, in a time that only the scenario moves."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from typing import TYPE_CHECKING

from ipo_sim.api.encoder import Encoder
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import Fact, FeatureKeyInserted, ReaderAttached, fact_data
from ipo_sim.core.model import Nanoseconds, UnitDefinition, UnitName
from ipo_sim.readers.virtual import VirtualReader
from ipo_sim.runtime.assembly import Runtime, open_runtime
from ipo_sim.runtime.bus import Record
from ipo_sim.runtime.clock import MAX_ADVANCE_NS, stepped
from ipo_sim.runtime.commands import execute
from ipo_sim.runtime.describe import describe
from ipo_sim.runtime.store import Entry
from ipo_sim.scenario.model import Json, Setup
from ipo_sim.scenario.step import BROKER
from ipo_sim.scenario.targets import AT_BROKER
from ipo_sim.scenario.world import Observer, Seen

if TYPE_CHECKING:
    from ipo_sim.scenario.shore import Shore

VIRTUAL = "virtual"
# Events between two looks at the bus: far more than one deadline or command makes.
MAX_BACKLOG = 100_000


class VirtualWorld:
    """Units of a runtime in memory, on a stepped clock. Time is exact and nothing is late."""

    tolerance_s = 0.0

    def __init__(self, runtime: Runtime, shore: Shore | None = None) -> None:
        self._runtime = runtime
        self._shore = shore
        self._beginning = runtime.clock.now()
        self._subscription = runtime.bus.subscribe("scenario", max_records=MAX_BACKLOG)
        self._encoder = Encoder(runtime.bus, load_catalogue())
        self._entries: dict[UnitName, dict[str, Entry]] = {
            unit: dict(runtime.bus.latest(unit)) for unit in runtime.engine.names()
        }
        self._payloads: dict[tuple[UnitName, str], Json] = {}
        self._observer: Observer = _nobody

    def observe(self, observer: Observer) -> None:
        """Tell `observer` of everything from now on."""
        self._observer = observer

    def begin(self) -> None:
        """The time of the scenario begins now."""
        self._beginning = self._runtime.clock.now()

    def now(self) -> Nanoseconds:
        """Time since the beginning."""
        return Nanoseconds(self._runtime.clock.now() - self._beginning)

    async def until(self, at: Nanoseconds) -> None:
        """Let time pass from deadline to deadline until `at`."""
        engine, clock = self._runtime.engine, self._runtime.clock
        end = self._beginning + at
        while True:
            deadline = engine.next_deadline()
            target = end if deadline is None else min(end, deadline)
            await self._runtime.pump.advance(Nanoseconds(min(max(0, target - clock.now()), MAX_ADVANCE_NS)))
            self._deliver()
            if clock.now() >= end and not engine.is_due(Nanoseconds(end)):
                return

    async def settle(self, is_so: Callable[[], bool]) -> None:
        """Nothing is late here but a client of a broker."""
        if self._shore is not None:
            await self._shore.settle(is_so)

    async def execute(self, unit: UnitName, verb: str, arguments: Mapping[str, object]) -> Mapping[str, Json]:
        """Carry out a command through the one registry; CommandRejected."""
        if verb == BROKER and self._shore is not None:
            await self._shore.set(arguments["state"])
            return {}
        try:
            return await execute(self._runtime.context, unit, verb, arguments)
        finally:
            self._deliver()

    def entity(self, unit: UnitName, path: str) -> Json:
        """The entity as its payload says it; None: there is none."""
        if path.startswith(AT_BROKER):
            return None if self._shore is None else self._shore.entity(unit, path.removeprefix(AT_BROKER))
        entry = self._entries[unit].get(path)
        if entry is None:
            return None
        key = (unit, path)
        if key not in self._payloads:
            self._payloads[key] = json.loads(self._encoder.entity(unit, entry))
        return self._payloads[key]

    def digest(self) -> str:
        """Of all journals, byte for byte."""
        journal, total = self._runtime.journal, hashlib.sha256()
        for unit in self._runtime.engine.names():
            for seq, event in journal.entries(unit, journal.epoch(unit)):
                fact = event.fact
                row = [unit, seq, event.at, fact.TYPE, fact_data(fact), event.cause]
                total.update(json.dumps(row, separators=(",", ":")).encode() + b"\n")
        return total.hexdigest()

    async def submit(self, unit: UnitName, cause: str, facts: list[Fact]) -> None:
        """Let a reader's facts happen."""
        for fact in facts:
            await self._runtime.pump.request(unit, fact, cause)
        self._deliver()

    def _deliver(self) -> None:
        """Take in what has happened, event by event."""
        for record in self._subscription.take().records:
            self._take(record)
            effects = record.effects
            at = Nanoseconds(record.event.at - self._beginning)
            line = f"event {effects.seq}: {describe(record.event.fact)}, by {record.event.cause}"
            self._observer(Seen(record.unit, at, line))

    def _take(self, record: Record) -> None:
        entries, effects = self._entries[record.unit], record.effects
        for path, value in effects.changes.items():
            self._payloads.pop((record.unit, path), None)
            if value is None:
                entries.pop(path, None)
            else:
                entries[path] = Entry(effects.seq, effects.unit_time, value)


@asynccontextmanager
async def virtual_world(setup: Setup) -> AsyncIterator[VirtualWorld]:
    """The world as a scenario's setup says, powered up and with its keys in, at the beginning of the scenario."""
    settings = setup.settings
    runtime = open_runtime(None, settings.units, load_catalogue(), clock=stepped(setup.date))
    async with AsyncExitStack() as stack:
        stack.enter_context(closing(runtime))
        pump = asyncio.create_task(runtime.pump.run(), name="scenario-pump")
        try:
            shore = None
            if setup.broker:
                from ipo_sim.scenario.shore import shore_of  # noqa: PLC0415 - most scenarios need no broker

                shore = await stack.enter_async_context(shore_of(runtime))
            world = VirtualWorld(runtime, shore)
            for unit in settings.units:
                if not unit.state:
                    await _attach(world, unit, setup.serial)
            for action in setup.actions:
                await world.execute(action.unit, action.verb, action.arguments)
            world.begin()
            yield world
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)


async def _attach(world: VirtualWorld, unit: UnitDefinition, serial: str | None) -> None:
    """The reader with what is in it. Where a real one is configured, another stands in that has `serial`, if any."""
    facts: list[Fact] = []
    if unit.reader_kind == VIRTUAL:
        VirtualReader(unit.card, name=unit.reader_name).start(facts.append)
    elif serial is not None:
        model = load_catalogue().models[unit.model]
        kind = model.dongles[0] if model.dongles else model.own_key_kind
        facts += [ReaderAttached(unit.reader_name), FeatureKeyInserted(serial, kind=kind, counter=1)]
    await world.submit(unit.name, f"reader:{unit.reader_kind}", facts)


def _nobody(_: Seen) -> None:
    """Before anybody looks."""
