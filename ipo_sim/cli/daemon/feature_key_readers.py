"""The readers of all units of a daemon, each with the unit that it reads for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ipo_sim.config.settings import CardSettings, KeyServerSettings, ReaderSettings
from ipo_sim.core.events import Fact, ReaderAttached
from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.errors import ConfigError
from ipo_sim.readers.reader import Emit, Reader
from ipo_sim.readers.virtual import VirtualReader
from ipo_sim.runtime.agenda import Foreseen
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.clock import Clock
from ipo_sim.runtime.engine import Engine
from ipo_sim.runtime.pump import Pump

if TYPE_CHECKING:
    from ipo_sim.cli.config.cassettes import Cassettes
    from ipo_sim.readers.recorder import Tape
    from ipo_sim.readers.recording import Recording, Timed

VIRTUAL = "virtual"
# Time that runs a thousand times as fast must not make a flood of polls.
SHORTEST_POLL_S = 0.1
# Virtual readers of a fleet that speak before the units have heard them.
UNITS_AT_A_TIME = 64


class FeatureKeyReaders:
    """One service for all readers: virtual ones cost no task, and nothing but what they say at the first start.

    `cassettes` are what cassette readers play. All others are recorded where their settings or `record_to` say so;
    ReaderError: a recording cannot be begun. `close` ends the recordings.
    """

    name = "readers"

    def __init__(
        self,
        settings: Mapping[UnitName, ReaderSettings],
        runtime: Runtime,
        cassettes: Cassettes,
        record_to: Path | None = None,
    ) -> None:
        self._runtime = runtime
        self._virtual = [unit for unit, reader in settings.items() if reader.kind == VIRTUAL]
        self._tapes = _tapes(settings, runtime, record_to)
        self._real = {
            unit: self._open(unit, reader, cassettes) for unit, reader in settings.items() if reader.kind != VIRTUAL
        }

    async def run(self) -> None:
        """Say what the virtual readers hold, and look after the others until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number, unit in enumerate(self._virtual):
                self._start_virtual(unit, group)
                if number % UNITS_AT_A_TIME == 0:
                    await asyncio.sleep(0)
            for unit, reader in self._real.items():
                group.create_task(reader.run(self._emit(unit, reader.name)), name=f"reader {unit}")

    def start_virtual(self) -> None:
        """Say what the virtual readers hold; nothing for units that know it already."""
        for unit in self._virtual:
            _virtual_reader(self._runtime.engine, unit).start(self._emit(unit, VIRTUAL))

    def counters(self, unit: UnitName) -> Mapping[str, int]:
        """What the reader of a unit has counted."""
        reader = self._real.get(unit)
        if reader is not None:
            return reader.counters()
        insertions = {"insertions": self._runtime.engine.unit(unit).key.counter}
        tape = self._tapes.get(unit)
        return insertions if tape is None else {**insertions, **tape.counters()}

    def close(self) -> None:
        """End all recordings."""
        for tape in self._tapes.values():
            tape.close()

    def _open(self, unit: UnitName, settings: ReaderSettings, cassettes: Cassettes) -> Reader:
        if unit in cassettes:
            return _open_cassette(unit, cassettes[unit], self._runtime, loop=settings.loop)
        tape = self._tapes.get(unit)
        if settings.cards is not None:
            reader = _open_card_reader(settings, settings.cards, tape)
        else:
            reader = _open(settings, self._runtime.engine.unit(unit).definition.mac, self._runtime.clock)
        if tape is None:
            return reader
        from ipo_sim.readers.recorder import Recorder  # noqa: PLC0415 - only who records pays for it

        return Recorder(reader, tape)

    def _start_virtual(self, unit: UnitName, group: asyncio.TaskGroup) -> None:
        emit, tape = self._emit(unit, VIRTUAL), self._tapes.get(unit)
        if tape is not None:
            emit = tape.tap(emit)
        known = self._runtime.engine.unit(unit)
        if known.key.seq > 0 and known.reader.seq == 0:
            # A command was quicker than this reader: its card stays, or its absence.
            emit(ReaderAttached(known.definition.reader_name))
        _virtual_reader(self._runtime.engine, unit).start(emit)
        if tape is not None:
            from ipo_sim.cli.daemon.tapes import record_commands  # noqa: PLC0415 - only who records pays for it

            recording = record_commands(unit, tape, _cause(VIRTUAL), self._runtime)
            group.create_task(recording, name=f"recording {unit}")

    def _emit(self, unit: UnitName, reader: str) -> Emit:
        tape = self._tapes.get(unit)
        if tape is None:
            return partial(_submit, self._runtime.pump, unit, _cause(reader))
        return partial(_submit_recorded, self._runtime.pump, unit, _cause(reader), tape)


def _cause(reader: str) -> str:
    return f"reader:{reader}"


def _submit(pump: Pump, unit: UnitName, cause: str, fact: Fact) -> None:
    pump.submit(unit, fact, cause)


def _submit_recorded(pump: Pump, unit: UnitName, cause: str, tape: Tape, fact: Fact) -> None:
    """With the very time that is in the recording: played from there it makes the same journal."""
    pump.submit(unit, fact, cause, Nanoseconds(tape.moment))


def _tapes(
    settings: Mapping[UnitName, ReaderSettings], runtime: Runtime, folder: Path | None
) -> Mapping[UnitName, Tape]:
    if folder is None and not any(reader.record for reader in settings.values()):
        return {}
    from ipo_sim.cli.daemon.tapes import open_tapes  # noqa: PLC0415 - only who records pays for it

    return open_tapes(settings, runtime, folder)


def _open_cassette(unit: UnitName, recording: Recording, runtime: Runtime, *, loop: bool) -> Reader:
    from ipo_sim.readers.cassette import CassetteReader  # noqa: PLC0415 - only who has a cassette pays for it

    def schedule(facts: Iterator[Timed]) -> None:
        runtime.pump.foresee(_foreseen(unit, reader.name, runtime.started, facts))

    reader = CassetteReader(recording, schedule, loop=loop)
    return reader


def _foreseen(unit: UnitName, reader: str, started: Nanoseconds, facts: Iterator[Timed]) -> Iterator[Foreseen]:
    return (Foreseen(Nanoseconds(started + at), unit, fact, cause or _cause(reader)) for at, fact, cause in facts)


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


def _open_card_reader(settings: ReaderSettings, cards: CardSettings, tape: Tape | None) -> Reader:
    """A reader that hands every command to the card; what both say is recorded too."""
    from ipo_sim.cli.card.policy import policy_of, read_by  # noqa: PLC0415 - only who has a card reader pays for it

    read = partial(read_by, policy_of(cards, settings.law))
    if settings.port is not None:
        from ipo_sim.readers.pn532 import Pn532Reader  # noqa: PLC0415 - as above

        return Pn532Reader(settings.port, name=settings.name, read=read, trace=tape)
    from ipo_sim.readers.pcsc import PcscReader  # noqa: PLC0415 - as above

    return PcscReader(settings.name, read=read, trace=tape)


def _open_key_server(settings: ReaderSettings, server: KeyServerSettings, mac: str, clock: Clock) -> Reader:
    from ipo_sim.readers.key_server import KeyServerReader  # noqa: PLC0415 - only IP400 units pay for it
    from ipo_sim.readers.key_server_session import Query  # noqa: PLC0415 - as above

    query = Query(server.address, server.port, server.secret, mac.replace(":", "").upper())
    return KeyServerReader(
        query,
        name=settings.name,
        law=settings.law,
        poll_s=partial(_poll_s, server.poll_s, clock),
        transport=server.transport,
    )


def _poll_s(poll_s: float, clock: Clock) -> float:
    """Seconds of the machine's clock between two polls: as many of the unit's as it is set to, within reason."""
    return poll_s if clock.paused else max(poll_s / clock.scale, min(poll_s, SHORTEST_POLL_S))
