"""What the runtime's tests stand on: small units, a machine whose clocks a test moves."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import Fact, FeatureKeyInserted, FeatureKeyRemoved, ReaderAttached
from ipo_sim.core.model import SECOND_NS, Nanoseconds, PartDefinition, UnitDefinition, UnitName
from ipo_sim.runtime.assembly import Runtime, open_runtime
from ipo_sim.runtime.bus import Subscription
from ipo_sim.runtime.clock import Clock, ClockBase, stepped
from tests.core.bench import NOON, SERIAL, definition, key

A, B, C = UnitName("a"), UnitName("b"), UnitName("c")
HOUR = Nanoseconds(3_600 * SECOND_NS)

SMALL = (PartDefinition("slots/1", "DS8"), PartDefinition("expansion/1", "DS30V2"))


def small(name: str = A, *licences: str) -> UnitDefinition:
    """One card, one module, the licence that the module needs."""
    return replace(definition(*(licences or (key(),)), parts=SMALL), name=UnitName(name))


def open_bench(
    state_dir: Path | None = None,
    *definitions: UnitDefinition,
    fresh: bool = False,
    clock: Clock | None = None,
) -> Runtime:
    """Units `a` and `b`, or those given, under a stepped clock that starts at noon."""
    return open_runtime(
        state_dir,
        definitions or (small(A), small(B)),
        load_catalogue(),
        fresh=fresh,
        clock=clock or stepped(NOON),
    )


def boot(runtime: Runtime, *names: UnitName) -> None:
    """Card in, and time for everything to come up."""
    for name in names or runtime.engine.names():
        runtime.engine.apply(name, ReaderAttached("virtual"), "test")
        runtime.engine.apply(name, FeatureKeyInserted(SERIAL), "test")
    runtime.clock.advance(Nanoseconds(20 * SECOND_NS))
    runtime.engine.run_due()


class Machine:
    """The clocks of a machine, which only a test moves."""

    def __init__(self, wall: int = NOON) -> None:
        self.elapsed = 1_000
        self.offset = wall - 1_000

    def monotonic(self) -> int:
        return self.elapsed

    def wall(self) -> int:
        return self.elapsed + self.offset

    def clock(self, base: ClockBase | None = None, **how: object) -> Clock:
        start = base or ClockBase(NOON, NOON)
        return Clock(start, monotonic=self.monotonic, wall=self.wall, **how)  # type: ignore[arg-type]  # passed on as is


class Line(NamedTuple):
    """One published event."""

    unit: UnitName
    seq: int
    at: int
    type: str


def published(subscription: Subscription) -> list[Line]:
    """What a subscriber has got since it last looked."""
    return [
        Line(record.unit, record.effects.seq, record.event.at, record.event.fact.TYPE)
        for record in subscription.take().records
    ]


def toggles(count: int) -> list[Fact]:
    """Facts that a running unit always accepts: its card goes out and in."""
    return list(itertools.islice(itertools.cycle((FeatureKeyRemoved(), FeatureKeyInserted(SERIAL))), count))
