"""A card out and in at two readers alike: one of a daemon, one with nobody but this process behind it.

Our part is what comes behind the reader: from the moment with which its fact is stamped, journal, unit, MQTT, broker
and the way to the client.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from benchmarks.listener import Arrival, Listener
from benchmarks.measure import Figure, Pair, Target
from ipo_sim.core.events import Fact, FeatureKeyInserted, FeatureKeyRemoved
from ipo_sim.readers.reader import Reader

REFERENCE = "the reader's path alone, until it has told"
OUR_PART = Target(2.0)
# Cards out and in, in a round.
TIMES = 20
# All that follows from a card at once is there by then; what comes later is the work of time.
_SETTLED_S = 0.5
_LESSONS = 3
# Between two cards, so that each finds everybody at rest, and at another moment of the hardware's ticks.
_PAUSE_S = 0.0173
_HASTE_S = 30.0

OUT, IN = "out", "in"


class Slot(Protocol):
    """Where cards go in and out."""

    def insert(self) -> None:
        """Put the card in."""

    def remove(self) -> None:
        """Take it out."""


def _acts(slot: Slot) -> Mapping[str, Callable[[], None]]:
    return {OUT: slot.remove, IN: slot.insert}


async def booted(listener: Listener, unit: str) -> None:
    """Wait until the unit runs, in its own time."""

    def runs(arrivals: list[Arrival]) -> bool:
        last = arrivals[-1]
        return last.topic == f"{unit}/unit" and json.loads(last.payload)["state"] == "running"

    await listener.until(runs)


class Journey(NamedTuple):
    """Milliseconds from the card to the last message that follows, and from the reader's fact to it."""

    whole: float
    ours: float


class AtDaemon:
    """A slot that a daemon reads, with a card in; `listener` hears its unit.

    The daemon is a new one whose time nobody has set: its clock began with the machine's, and goes as that does.
    """

    def __init__(self, slot: Slot, listener: Listener) -> None:
        self._acts = _acts(slot)
        self._listener = listener
        self._follow: dict[str, set[str]] = {}
        self._ahead = time.time() - time.perf_counter()

    async def learn(self) -> None:
        """Find out on which topics something follows from every card: counters are told now and then besides."""
        for _ in range(_LESSONS):
            for name, act in self._acts.items():
                heard = await self._heard_after(act)
                self._follow[name] = self._follow.get(name, heard) & heard

    async def _heard_after(self, act: Callable[[], None]) -> set[str]:
        topics: set[str] = set()

        def never(arrivals: list[Arrival]) -> bool:
            topics.add(arrivals[-1].topic)
            return False

        act()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SETTLED_S):
                await self._listener.until(never)
        return topics

    async def measure(self, name: str) -> Journey:
        """One card."""
        missing = set(self._follow[name])

        def complete(arrivals: list[Arrival]) -> bool:
            missing.discard(arrivals[-1].topic)
            return not missing

        start = time.perf_counter()
        self._acts[name]()
        last = (await self._listener.until(complete))[-1]
        return Journey((last.at - start) * 1e3, (last.at - (_stamp(last) - self._ahead)) * 1e3)


def _stamp(arrival: Arrival) -> float:
    """The moment of the event that made this message, in seconds of the daemon's clock."""
    return datetime.fromisoformat(json.loads(arrival.payload)["at"]).timestamp()


class Alone:
    """A slot whose reader tells this object, with a card in."""

    def __init__(self, slot: Slot) -> None:
        self._acts = _acts(slot)
        self._told: asyncio.Queue[float] = asyncio.Queue()

    async def run(self, reader: Reader) -> None:
        """Have the reader read until cancelled."""
        await reader.run(self._emit)

    async def until_read(self) -> None:
        """Wait for the card that is in."""
        async with asyncio.timeout(_HASTE_S):
            await self._told.get()

    async def measure(self, name: str) -> float:
        """Milliseconds from the card to the fact."""
        start = time.perf_counter()
        self._acts[name]()
        async with asyncio.timeout(_HASTE_S):
            return (await self._told.get() - start) * 1e3

    def _emit(self, fact: Fact) -> None:
        if isinstance(fact, FeatureKeyInserted | FeatureKeyRemoved):
            self._told.put_nowait(time.perf_counter())


class Samples(NamedTuple):
    """Milliseconds of all, a list for each round."""

    whole: list[list[float]]
    ours: list[list[float]]
    alone: list[list[float]]


async def measure(rounds: int, daemon: AtDaemon, alone: Alone) -> dict[str, Samples]:
    """Both in turn, card after card."""
    found = {name: Samples([], [], []) for name in (OUT, IN)}
    for _ in range(rounds):
        for samples in found.values():
            for values in samples:
                values.append([])
        for _ in range(TIMES):
            for name, samples in found.items():
                journey = await daemon.measure(name)
                samples.whole[-1].append(journey.whole)
                samples.ours[-1].append(journey.ours)
                samples.alone[-1].append(await alone.measure(name))
                await asyncio.sleep(_PAUSE_S)
    return found


def report(found: Mapping[str, Samples], through: str) -> Iterator[Figure]:
    """p50, p99 and our part of either."""
    for name, samples in found.items():
        alone = _medians(samples.alone)
        p99 = Pair([_p99(samples.whole)], [_p99(samples.alone)])
        what = f"Card {name}, {through}, to the last message"
        yield Figure(f"{what}, p50", "ms", Pair(_medians(samples.whole), alone), REFERENCE, digits=2)
        yield Figure(f"{what}, p99", "ms", p99, REFERENCE, digits=2, note="all rounds together")
        ours = f"{what}: our part, from the reader's fact on, p50"
        yield Figure(ours, "ms", Pair(_medians(samples.ours), alone), REFERENCE, OUR_PART, digits=2)


def _medians(rounds: list[list[float]]) -> list[float]:
    return [statistics.median(values) for values in rounds]


def _p99(rounds: list[list[float]]) -> float:
    return statistics.quantiles((value for values in rounds for value in values), n=100, method="inclusive")[98]
