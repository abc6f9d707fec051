"""The readers of all units of a daemon, each with the unit that it reads for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

from ipo_sim.config.settings import KeyServerSettings, ReaderSettings
from ipo_sim.core.events import Fact
from ipo_sim.core.model import UnitName
from ipo_sim.errors import ConfigError
from ipo_sim.readers.reader import Emit, Reader
from ipo_sim.readers.virtual import VirtualReader
from ipo_sim.runtime.clock import Clock
from ipo_sim.runtime.engine import Engine
from ipo_sim.runtime.pump import Pump

VIRTUAL = "virtual"
# Time that runs a thousand times as fast must not make a flood of polls.
SHORTEST_POLL_S = 0.1


class FeatureKeyReaders:
    """One service for all readers: virtual ones cost no task, and nothing but what they say at the first start."""

    name = "readers"

    def __init__(self, settings: Mapping[UnitName, ReaderSettings], pump: Pump, clock: Clock) -> None:
        self._pump = pump
        self._virtual = [unit for unit, reader in settings.items() if reader.kind == VIRTUAL]
        self._real = {
            unit: _open(reader, pump.engine.unit(unit).definition.mac, clock)
            for unit, reader in settings.items()
            if reader.kind != VIRTUAL
        }

    async def run(self) -> None:
        """Say what the virtual readers hold, and look after the others until cancelled."""
        engine = self._pump.engine
        for unit in self._virtual:
            _virtual_reader(engine, unit).start(self._emit(unit, VIRTUAL))
        async with asyncio.TaskGroup() as group:
            for unit, reader in self._real.items():
                group.create_task(reader.run(self._emit(unit, reader.name)), name=f"reader {unit}")

    def counters(self, unit: UnitName) -> Mapping[str, int]:
        """What the reader of a unit has counted."""
        reader = self._real.get(unit)
        if reader is None:
            return {"insertions": self._pump.engine.unit(unit).key.counter}
        return reader.counters()

    def _emit(self, unit: UnitName, reader: str) -> Emit:
        return partial(_submit, self._pump, unit, f"reader:{reader}")


def _submit(pump: Pump, unit: UnitName, cause: str, fact: Fact) -> None:
    pump.submit(unit, fact, cause)


def _virtual_reader(engine: Engine, name: UnitName) -> VirtualReader:
    """The reader with its configured card; for a unit that has heard of a card before, its journal knows more."""
    unit = engine.unit(name)
    definition = unit.definition
    return VirtualReader(
        definition.card, name=definition.reader_name, restored=unit.key.seq > 0, counter=unit.key.counter
    )


def _open(settings: ReaderSettings, mac: str, clock: Clock) -> Reader:
    if settings.key_server is not None:
        return _open_key_server(settings, settings.key_server, mac, clock)
    from ipo_sim.readers.serial_line import SerialReader  # noqa: PLC0415 - who has no hardware does not pay for it

    if settings.port is None:
        raise ConfigError(f"reader {settings.name}: a {settings.kind} reader needs a port")
    return SerialReader(settings.port, name=settings.name, law=settings.law)


def _open_key_server(settings: ReaderSettings, server: KeyServerSettings, mac: str, clock: Clock) -> Reader:
    from ipo_sim.readers.key_server import KeyServerReader  # noqa: PLC0415 - only IP400 units pay for it
    from ipo_sim.readers.key_server_session import Query  # noqa: PLC0415 - as above

    query = Query(server.address, server.port, server.secret, mac.replace(":", "").upper())
    return KeyServerReader(query, name=settings.name, law=settings.law, poll_s=partial(_poll_s, server.poll_s, clock))


def _poll_s(poll_s: float, clock: Clock) -> float:
    """Seconds of the machine's clock between two polls: as many of the unit's as it is set to, within reason."""
    return poll_s if clock.paused else max(poll_s / clock.scale, min(poll_s, SHORTEST_POLL_S))
