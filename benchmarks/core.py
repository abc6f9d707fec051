"""The pure core: steps, the cascade at the end of the grace, a fleet through a day and a half, growth.

The reference is the standard library's JSON encoder, which is C, writing what the very same steps changed, prepared as
plain values beforehand: the least that anybody does who passes the result of a step on. Where many steps are timed at
once it is by processor time, since the core never waits.
"""

from __future__ import annotations

import gc
import json
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from benchmarks.fleet_run import VIRTUAL_HOURS, FleetRun
from benchmarks.journey import Journey
from benchmarks.measure import Effort, Figure, Pair, Target, busy, interleave, per_call
from benchmarks.units import NOON, fleet, full_unit
from ipo_sim.core.codec import encode
from ipo_sim.core.effects import Effects
from ipo_sim.core.events import DeadlineReached, Event, FeatureKeyRemoved
from ipo_sim.core.model import Unit
from ipo_sim.core.unit import next_deadline, step

AS_JSON = "the changes of the same steps written by json.dumps"
FLEET_UNITS = 1_000
_TIMES = 20
_CALLS = 300
# Storms until every bounded cache is full: each makes a licence of a number that was never used before.
_WARM_UP = 1_100
# What all units share or what never changes in one.
_GIVEN = ("catalogue", "definition")
# Numbers of events keep their length from here on, so that a longer number is not taken for growth.
_FIRST_SEQ = 1_000_000


def figures(effort: Effort) -> Iterator[Figure]:
    """All figures of the core."""
    yield _steps(effort, "Steps of a full unit, a day on a bench", Journey.day, Target(20_000, at_least=True))
    yield _steps(effort, "Steps of a full unit, extremes as often as the everyday", Journey.storm, None)
    yield _cascade(effort)
    yield _fleet(effort)
    yield from _growth(effort)


def _steps(effort: Effort, name: str, way: Callable[[Journey], Iterator[Effects]], target: Target | None) -> Figure:
    journey = _running()
    steps = [_plain(effects) for effects in way(journey)]
    count = _TIMES * len(steps)

    def all_steps() -> None:
        for _ in range(_TIMES):
            _exhaust(way(journey))

    def all_writing() -> None:
        for _ in range(_TIMES):
            _exhaust(map(json.dumps, steps))

    note = f"{sum(map(len, steps)) / len(steps):.0f} entities change in a step"
    pair = interleave(effort.rounds, lambda: count / busy(all_steps), lambda: count / busy(all_writing))
    return Figure(name, "/s", pair, AS_JSON, target, note=note)


def _cascade(effort: Effort) -> Figure:
    unit, event = end_of_grace()
    plain = _plain(step(unit, event)[1])
    subject = per_call(lambda: step(unit, event), _CALLS)
    reference = per_call(lambda: json.dumps(plain), _CALLS)
    pair = interleave(effort.rounds, subject, reference)
    note = f"{len(plain)} entities change"
    return Figure("End of the grace of a full unit", "µs", pair, AS_JSON, Target(150), digits=1, note=note)


def end_of_grace() -> tuple[Unit, Event]:
    """A full unit without its card at the last moment of its grace, and the event that ends it."""
    journey = _running()
    unit, _ = step(journey.unit, Event(journey.at, FeatureKeyRemoved(), "benchmark"))
    deadline = next_deadline(unit)
    assert deadline is not None
    return unit, Event(deadline, DeadlineReached(), "clock")


def _fleet(effort: Effort) -> Figure:
    definitions = fleet(FLEET_UNITS)
    changes = [_plain(record.effects) for record in FleetRun(definitions).recorded()]

    def lived() -> float:
        run = FleetRun(definitions)
        gc.collect()
        gc.freeze()  # as the daemon does when its units are there
        seconds = busy(run.live)
        gc.unfreeze()
        return seconds

    def written() -> float:
        return busy(lambda: [json.dumps(one) for one in changes])

    name = f"{FLEET_UNITS:,} units through {VIRTUAL_HOURS} virtual hours"
    note = f"{len(changes):,} events through engine, bus and a journal in memory"
    return Figure(name, "s", interleave(effort.rounds, lived, written), AS_JSON, Target(1), digits=2, note=note)


def _growth(effort: Effort) -> Iterator[Figure]:
    journey = _running()
    for _ in range(_WARM_UP):
        _exhaust(journey.storm())
    size, blocks, seq = deep_size(journey.unit), _blocks(), journey.unit.seq
    while journey.unit.seq - seq < effort.events:
        _exhaust(journey.storm())
    state = Pair([deep_size(journey.unit)], [size])
    memory = Pair([_blocks()], [blocks])
    name = f"after {effort.events:,} events"
    before = "the same before them"
    yield Figure(f"State of a full unit {name}", "bytes", state, before, Target(1, of_ratio=True))
    yield Figure(f"Memory blocks of its process {name}", "blocks", memory, before, Target(1.001, of_ratio=True))


def deep_size(value: Any) -> int:  # noqa: ANN401 - a state holds values of many types
    """Bytes of a value and all that it refers to, each object once, but for what all units share or never changes."""
    seen: set[int] = set()
    total, waiting = 0, deque([value])
    while waiting:
        item = waiting.popleft()
        if id(item) in seen:
            continue
        seen.add(id(item))
        total += sys.getsizeof(item)
        if isinstance(item, Unit):
            waiting.extend(getattr(item, name) for name in item._fields if name not in _GIVEN)
        elif isinstance(item, tuple):
            waiting.extend(item)
        elif is_dataclass(item):
            waiting.extend(getattr(item, field.name) for field in fields(item))
    return total


def _running() -> Journey:
    journey = Journey(full_unit()._replace(seq=_FIRST_SEQ), NOON)
    _exhaust(journey.boot())
    return journey


def _plain(effects: Effects) -> list[Any]:
    return [[path, None if value is None else encode(value)] for path, value in effects.changes.items()]


def _blocks() -> float:
    gc.collect()
    return float(sys.getallocatedblocks())


def _exhaust(iterator: Iterable[object]) -> None:
    deque(iterator, maxlen=0)
