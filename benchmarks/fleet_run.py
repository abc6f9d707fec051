"""A fleet through a day and a half of simulation time: engine, bus, and a journal in memory or in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from benchmarks.units import NOON
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import Fact, FeatureKeyInserted, FeatureKeyRemoved, PowerApplied, ReaderAttached
from ipo_sim.core.model import SECOND_NS, Nanoseconds, UnitDefinition
from ipo_sim.runtime.bus import Bus, Record
from ipo_sim.runtime.clock import stepped
from ipo_sim.runtime.engine import MAX_BATCH, Engine, Submission
from ipo_sim.runtime.journal import Journal
from ipo_sim.runtime.restore import origin

VIRTUAL_HOURS = 36
_HOUR_NS = 3_600 * SECOND_NS


class FleetRun:
    """Units made and not powered yet; `live` takes them through it all.

    Every one boots, loses its card and gets it back, sees a licence expire at midnight, and outlives a grace.
    """

    def __init__(self, definitions: Sequence[UnitDefinition], state_dir: Path | None = None) -> None:
        self._definitions = definitions
        self._clock = stepped(NOON)
        journal = Journal.create(state_dir)
        self._bus = Bus()
        self.engine = Engine(self._clock, journal, self._bus)
        for definition in definitions:
            journal.begin_epoch(definition.name, {}, NOON)
            self.engine.install(*origin(definition, load_catalogue(), NOON))

    def live(self) -> None:
        """All that happens, batch by batch as the pump does it, and the journal closed at the end."""
        for _ in self._batches():
            pass
        self.engine.close()

    def recorded(self) -> list[Record]:
        """The same, and what it did."""
        subscription = self._bus.subscribe("benchmark", max_records=MAX_BATCH)
        records = [record for _ in self._batches() for record in subscription.take().records]
        self.engine.close()
        return records

    def _batches(self) -> Iterator[None]:
        for hour, facts in self._plan():
            self._clock.advance(Nanoseconds(NOON + round(hour * _HOUR_NS) - self._clock.now()))
            now = self._clock.now()
            waiting = [Submission(unit.name, fact, "benchmark", now) for unit, fact in facts]
            while waiting or self.engine.is_due(now):
                done = self.engine.run_batch(islice(waiting, MAX_BATCH), now)
                del waiting[: len(done)]
                yield

    def _plan(self) -> Iterator[tuple[float, Iterable[tuple[UnitDefinition, Fact]]]]:
        units = self._definitions
        yield 0, [(unit, ReaderAttached("virtual")) for unit in units]
        yield 0, [(unit, _card(unit)) for unit in units]
        yield 0, [(unit, PowerApplied()) for unit in units]
        yield 1, [(unit, FeatureKeyRemoved()) for unit in units]
        yield 1.5, [(unit, _card(unit)) for unit in units]
        yield 20, [(unit, FeatureKeyRemoved()) for unit in units]
        yield 30, [(unit, _card(unit)) for unit in units]
        yield VIRTUAL_HOURS, []


def _card(unit: UnitDefinition) -> FeatureKeyInserted:
    assert unit.card is not None
    return FeatureKeyInserted(unit.card.serial, law=unit.card.law)
