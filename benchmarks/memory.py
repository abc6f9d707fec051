"""Resident memory: of one unit, and of each further one in the same process."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.bare import READY
from benchmarks.listener import Arrival, listening
from benchmarks.measure import Effort, Figure, Pair, Target, interleave
from benchmarks.process import Process, bare, ipo_sim, mosquitto, running
from benchmarks.start import is_running
from benchmarks.units import FULL_CONFIG, fleet_text, minimal_fleet_text

REFERENCE = "a bare process with the same libraries and one connection"
RETAINED = "topics and payloads of one unit, as a broker retains them"
FURTHER = 1_000
_KIB = 1_024
# Fast enough that a boot is over at once; afterwards nothing is due for hours of it.
_SCALE = ("--time-scale", "1000")
# What is freed after the start is free by then.
_SETTLE_S = 1.0


def figures(effort: Effort) -> Iterator[Figure]:
    """One unit and many."""
    pair = interleave(min(effort.rounds, 3), _one_unit, _bare)
    yield Figure("One running full unit", "MiB", pair, REFERENCE, Target(45), digits=1)
    note = f"one unit against {FURTHER + 1:,}, one connection"
    pair = _further(minimal_fleet_text)
    yield Figure("Each further unit, an IP500 without cards", "KiB", pair, RETAINED, Target(10), digits=1, note=note)
    pair = _further(fleet_text)
    name = "Each further unit, 3 cards, 2 modules, 3 licences"
    yield Figure(name, "KiB", pair, RETAINED, Target(10), digits=1, note=note)


def _one_unit() -> float:
    with mosquitto() as port, tempfile.TemporaryDirectory() as folder:
        command = ipo_sim(port, FULL_CONFIG, Path(folder), *_SCALE)
        with running(command) as process:
            asyncio.run(_heard(port, is_running))
            return asyncio.run(_resident_kib(process)) / _KIB


def _bare() -> float:
    with mosquitto() as port, running(bare(port)) as process:
        asyncio.run(_heard(port, lambda arrivals: arrivals[-1].topic == READY))
        return asyncio.run(_resident_kib(process)) / _KIB


def _further(text: Callable[[int], str]) -> Pair:
    one, _ = _fleet(text(1), 1)
    many, retained = _fleet(text(FURTHER + 1), FURTHER + 1)
    return Pair([(many - one) / FURTHER], [retained])


def _fleet(text: str, count: int) -> tuple[float, float]:
    """KiB of a process with so many units, and of what a broker retains of one of them."""
    with mosquitto() as port, tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "fleet.yaml")
        config.write_text(text)
        with running(ipo_sim(port, config, Path(folder, "state"), *_SCALE)) as process:
            arrivals = asyncio.run(_heard(port, _all_running(count)))
            resident = asyncio.run(_resident_kib(process))
    return resident, _retained_kib(arrivals) / count


async def _heard(port: int, enough: Callable[[list[Arrival]], bool]) -> list[Arrival]:
    async with listening(port, "#") as listener:
        return await listener.until(enough)


def _all_running(count: int) -> Callable[[list[Arrival]], bool]:
    states: dict[str, str] = {}

    def enough(arrivals: list[Arrival]) -> bool:
        last = arrivals[-1]
        if last.topic.endswith("/unit"):
            states[last.topic] = json.loads(last.payload)["state"]
        return len(states) == count and set(states.values()) == {"running"}

    return enough


def _retained_kib(arrivals: list[Arrival]) -> float:
    latest = {one.topic: one.payload for one in arrivals if one.payload and not one.topic.endswith("/events")}
    return sum(len(topic) + len(payload.encode()) for topic, payload in latest.items()) / _KIB


async def _resident_kib(process: Process) -> int:
    await asyncio.sleep(_SETTLE_S)
    process.check()
    return process.resident_kib()
