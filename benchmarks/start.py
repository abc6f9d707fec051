"""From the start of the process to what a user waits for."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.bare import READY
from benchmarks.listener import Arrival, listening
from benchmarks.measure import Effort, Figure, Target, interleave
from benchmarks.process import bare, ipo_sim, mosquitto, running
from benchmarks.units import FULL_CONFIG

REFERENCE = "a bare process imports aiomqtt, pydantic, PyYAML and structlog and publishes one retained message"
_SCALE = "1000"


def figures(effort: Effort) -> Iterator[Figure]:
    """The start of the demonstration unit."""
    pair = interleave(effort.rounds, _daemon, _bare)
    name = "From exec to `online` and a running full unit"
    note = f"first start, time scale {_SCALE}, as a subscribed stock client sees it"
    yield Figure(name, "ms", pair, REFERENCE, Target(2, of_ratio=True), note=note)


def _daemon() -> float:
    with mosquitto() as port, tempfile.TemporaryDirectory() as folder:
        command = ipo_sim(port, FULL_CONFIG, Path(folder), "--time-scale", _SCALE)
        return asyncio.run(_time(port, command, is_running))


def _bare() -> float:
    with mosquitto() as port:
        return asyncio.run(_time(port, bare(port), lambda arrivals: arrivals[-1].topic == READY))


async def _time(port: int, command: Sequence[str | Path], enough: Callable[[list[Arrival]], bool]) -> float:
    """Milliseconds until it is enough."""
    async with listening(port, "#") as listener:
        with running(command) as process:
            arrivals = await listener.until(enough)
            return (arrivals[-1].at - process.started) * 1e3


def is_running(arrivals: list[Arrival]) -> bool:
    """Whether a unit is online, and the latest word is that it runs."""
    latest = {arrival.topic.rpartition("/")[2]: arrival.payload for arrival in arrivals}
    state = json.loads(latest["unit"])["state"] if "unit" in latest else None
    return is_online(arrivals) and state == "running"


def is_online(arrivals: list[Arrival]) -> bool:
    """Whether the birth has come."""
    return any(arrival.topic.endswith("/availability") and arrival.payload == "online" for arrival in arrivals)
