"""What a daemon costs while nothing happens."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Effort, Figure, Pair, Target
from benchmarks.process import bare, ipo_sim, mosquitto, running
from benchmarks.units import FULL_CONFIG

REFERENCE = "an idle bare aiomqtt client"
_WINDOWS = 3
# A boot at scale 1 and all that follows it is over.
_SETTLE_S = 20.0


def figures(effort: Effort) -> Iterator[Figure]:
    """Processor time, of daemon and reference in the same windows."""
    pair = Pair([], [])
    with (
        mosquitto() as port,
        tempfile.TemporaryDirectory() as folder,
        running(ipo_sim(port, FULL_CONFIG, Path(folder))) as daemon,
        running(bare(port)) as reference,
    ):
        time.sleep(_SETTLE_S)
        for _ in range(_WINDOWS):
            daemon.check()
            start, before = time.perf_counter(), (daemon.cpu_s(), reference.cpu_s())
            time.sleep(effort.seconds)
            seconds = time.perf_counter() - start
            pair.subject.append((daemon.cpu_s() - before[0]) / seconds * 100)
            pair.reference.append((reference.cpu_s() - before[1]) / seconds * 100)
    note = f"one full unit, time scale 1, windows of {effort.seconds:g} s"
    yield Figure("Idle daemon", "% of a core", pair, REFERENCE, Target(0.5), digits=3, note=note)
