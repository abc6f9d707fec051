"""Cards at two PC/SC readers of one real pcscd, and what a card that hangs or a pcscd that is restarted costs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog

from benchmarks.card_journey import Alone, AtDaemon, booted, measure, report
from benchmarks.listener import listening
from benchmarks.measure import Effort, Figure, Pair, Target
from benchmarks.process import HarnessError, ipo_sim, mosquitto, running
from benchmarks.start import is_online
from benchmarks.units import FULL_CONFIG
from ipo_sim.card.reading import DEFAULT_POLICY
from ipo_sim.core.events import Fact, FeatureKeyInserted, ReaderLost
from ipo_sim.readers.pcsc import PcscReader
from tests.card.emulated_cards import identifier_card
from tests.readers.pcsc_bench import Hanging, reading_by
from tests.readers.pcscd import Pcscd, SimulatedReader

THROUGH = "through pcscd"
_UNIT = "ipo-sim/bench-1"
_VIRTUAL = '{reader: virtual, serial: "1234567890", law: alaw}'
# How long a loop is looked at, and how often it is to look at its clock.
_LOOK_S = 1.0
_TICK_S = 0.001
_PATIENCE_S = 30.0
# A daemon that has only just started has other things to do.
_SETTLE_S = 0.5


class Slot:
    """A simulated reader with a card that goes in and out."""

    def __init__(self, reader: SimulatedReader) -> None:
        self.reader = reader

    def insert(self) -> None:
        """Put the card in."""
        self.reader.insert(identifier_card())

    def remove(self) -> None:
        """Take it out."""
        self.reader.remove()


class Bench:
    """One service with two readers, each with a card in."""

    def __init__(self, first: SimulatedReader, second: SimulatedReader, service: Pcscd) -> None:
        self.at_daemon = Slot(first)
        self.alone = Slot(second)
        self.service = service
        self.at_daemon.insert()
        self.alone.insert()


def figures(effort: Effort) -> Iterator[Figure]:
    """A full unit's card, out and in; then what goes wrong."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            SimulatedReader("Daemon") as first,
            SimulatedReader("Alone") as second,
            Pcscd([first.entry, second.entry]) as service,
        ):
            bench = Bench(first, second, service)
            config = Path(folder, "full.yaml")
            config.write_text(FULL_CONFIG.read_text().replace(_VIRTUAL, "{reader: pcsc, pcsc_reader: Daemon}"))
            yield from _journeys(effort, config, Path(folder, "state"), bench)
            yield _lag(effort, bench)
            yield _exit(effort, config, Path(folder), bench)
            yield asyncio.run(_recovery(effort, bench))
    except pytest.skip.Exception as missing:
        raise HarnessError(str(missing)) from None


def _journeys(effort: Effort, config: Path, state: Path, bench: Bench) -> list[Figure]:
    with mosquitto() as port, running(ipo_sim(port, config, state)):
        return asyncio.run(_measure(effort, port, bench))


async def _measure(effort: Effort, port: int, bench: Bench) -> list[Figure]:
    by_itself = Alone(bench.alone)
    reading = asyncio.create_task(by_itself.run(_reader()))
    try:
        await by_itself.until_read()
        async with listening(port, f"{_UNIT}/#") as listener:
            await booted(listener, _UNIT)
            daemon = AtDaemon(bench.at_daemon, listener)
            await daemon.learn()
            return list(report(await measure(effort.rounds, daemon, by_itself), THROUGH))
    finally:
        reading.cancel()
        await asyncio.wait((reading,))


def _reader() -> PcscReader:
    return PcscReader("Alone", read=reading_by(DEFAULT_POLICY))


class Heard:
    """When each fact was told."""

    def __init__(self) -> None:
        self._facts: asyncio.Queue[tuple[Fact, float]] = asyncio.Queue()

    def emit(self, fact: Fact) -> None:
        """What a reader calls."""
        self._facts.put_nowait((fact, time.perf_counter()))

    async def until(self, kind: type[Fact]) -> float:
        """The moment of the next fact of this kind."""
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                fact, at = await self._facts.get()
                if isinstance(fact, kind):
                    return at


@asynccontextmanager
async def _reading() -> AsyncIterator[Heard]:
    heard = Heard()
    task = asyncio.create_task(_reader().run(heard.emit))
    try:
        yield heard
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _lag(effort: Effort, bench: Bench) -> Figure:
    def hung() -> float:
        with Hanging(identifier_card()) as card:
            bench.alone.reader.insert(card)
            return asyncio.run(_late())

    def sound() -> float:
        bench.alone.insert()
        return asyncio.run(_late())

    pair = Pair([], [])
    for _ in range(effort.rounds):
        pair.subject.append(hung())
        pair.reference.append(sound())
    name = "Delay of the event loop while a card hangs, p99"
    return Figure(name, "ms", pair, "the same second with a sound card", Target(5.0), digits=2)


async def _late() -> float:
    """Milliseconds by which the loop was late, p99 of a second in which a reader reads."""
    loop = asyncio.get_running_loop()
    delays = []
    async with _reading():
        end = loop.time() + _LOOK_S
        while (due := loop.time() + _TICK_S) < end:
            await asyncio.sleep(_TICK_S)
            delays.append(loop.time() - due)
    return statistics.quantiles(delays, n=100, method="inclusive")[98] * 1e3


def _exit(effort: Effort, config: Path, folder: Path, bench: Bench) -> Figure:
    pair = Pair([], [])
    for number in range(effort.rounds):
        with Hanging(identifier_card()) as card:
            bench.at_daemon.reader.insert(card)
            pair.subject.append(_ended(config, folder / f"hung{number}", card))
        bench.at_daemon.insert()
        pair.reference.append(_ended(config, folder / f"sound{number}", None))
    name = "From SIGTERM to the end of the daemon, with a card that hangs"
    return Figure(name, "ms", pair, "the same with a sound card", Target(500.0))


def _ended(config: Path, state: Path, card: Hanging | None) -> float:
    """Milliseconds that the daemon takes to end, once its unit is online and its card was asked."""
    with mosquitto() as port, running(ipo_sim(port, config, state)) as process:
        asyncio.run(_until_online(port))
        if card is not None and not card.asked.wait(_PATIENCE_S):
            raise HarnessError("the card was asked nothing")
        time.sleep(_SETTLE_S)
        start = time.perf_counter()
        os.kill(process.pid, signal.SIGTERM)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # to the moment; whoever made it takes it away
        return (time.perf_counter() - start) * 1e3


async def _until_online(port: int) -> None:
    async with listening(port, f"{_UNIT}/#") as listener:
        await listener.until(is_online)


async def _recovery(effort: Effort, bench: Bench) -> Figure:
    bench.alone.insert()
    pair = Pair([], [])
    for _ in range(effort.rounds):
        pair.reference.append(await _opened())
        async with _reading() as heard:
            await heard.until(FeatureKeyInserted)
            pair.subject.append(await _restarted(bench.service, heard))
    name = "From a restarted pcscd to its card"
    return Figure(
        name, "ms", pair, "the first opening of the reader", Target(300.0), note="killed, and started at once"
    )


async def _opened() -> float:
    start = time.perf_counter()
    async with _reading() as heard:
        return (await heard.until(FeatureKeyInserted) - start) * 1e3


async def _restarted(service: Pcscd, heard: Heard) -> float:
    service.kill()
    await heard.until(ReaderLost)
    await asyncio.to_thread(service.start)
    start = time.perf_counter()
    return max(0.0, await heard.until(FeatureKeyInserted) - start) * 1e3
