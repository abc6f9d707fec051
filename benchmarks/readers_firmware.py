"""Cards at two boards that run the firmware in simavr: debouncing and the serial line are part of both paths."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from benchmarks.card_journey import Alone, AtDaemon, booted, measure, report
from benchmarks.listener import listening
from benchmarks.measure import Effort, Figure
from benchmarks.process import HarnessError, ipo_sim, mosquitto, running
from benchmarks.units import FULL_CONFIG
from ipo_sim.readers.serial_line import SerialReader
from tests.readers.firmware_sim import FirmwareSim, firmware_sim

_UNIT = "ipo-sim/bench-1"
_VIRTUAL = '{reader: virtual, serial: "1234567890", law: alaw}'


def figures(effort: Effort) -> Iterator[Figure]:
    """A full unit's card, out and in."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "alone").mkdir()
        try:
            with firmware_sim(folder) as read, firmware_sim(folder / "alone") as alone:
                yield from _measured(effort, folder, read, alone)
        except pytest.skip.Exception as missing:
            raise HarnessError(str(missing)) from None


def _measured(effort: Effort, folder: Path, read: FirmwareSim, alone: FirmwareSim) -> Iterator[Figure]:
    read.insert()
    alone.insert()
    config = folder / "full.yaml"
    serial = f"{{reader: serial, port: {read.path}, law: alaw}}"
    config.write_text(FULL_CONFIG.read_text().replace(_VIRTUAL, serial))
    with mosquitto() as port, running(ipo_sim(port, config, folder / "state")):
        yield from asyncio.run(_measure(effort, port, read, alone))


async def _measure(effort: Effort, port: int, read: FirmwareSim, alone: FirmwareSim) -> list[Figure]:
    by_itself = Alone(alone)
    reading = asyncio.create_task(by_itself.run(SerialReader(str(alone.path))))
    try:
        await by_itself.until_read()
        async with listening(port, f"{_UNIT}/#") as listener:
            await booted(listener, _UNIT)
            daemon = AtDaemon(read, listener)
            await daemon.learn()
            return list(report(await measure(effort.rounds, daemon, by_itself), "through the firmware"))
    finally:
        reading.cancel()
        await asyncio.wait((reading,))
