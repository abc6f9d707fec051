"""Everything between the configuration and the edges, put together: journal, clock, bus, engine, pump, commands."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import structlog

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.events import PowerApplied
from ipo_sim.core.model import Nanoseconds, UnitDefinition
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime import clock as clocks
from ipo_sim.runtime.bus import Bus
from ipo_sim.runtime.clock import Clock
from ipo_sim.runtime.context import Context
from ipo_sim.runtime.engine import Engine, Submission
from ipo_sim.runtime.journal import Journal
from ipo_sim.runtime.pump import Pump
from ipo_sim.runtime.restore import Restored, restore

log = structlog.get_logger()


class Runtime(NamedTuple):
    """A daemon without edges. Edges read `bus`, emit into `pump`, and send commands through `context`.

    `started` is the simulation time at which it was put together, and new units got their power; `resumed` is the
    number of the others, which go on where their journal ends.
    """

    journal: Journal
    clock: Clock
    bus: Bus
    engine: Engine
    pump: Pump
    context: Context
    started: Nanoseconds
    resumed: int = 0

    def close(self) -> None:
        """Keep what a restart goes on from, and give the state directory back."""
        self.engine.close()


def open_runtime(
    state_dir: Path | None,
    definitions: Iterable[UnitDefinition],
    catalogue: Catalogue,
    *,
    fresh: bool = False,
    scale: float | None = None,
    clock: Clock | None = None,
) -> Runtime:
    """Bring all units back from the state directory (None: keep everything in memory) and power up the new ones.

    `fresh` begins new histories, `scale` overrides the clock's kept one, `clock` replaces it altogether.
    JournalError: the state directory is in use, or its journal cannot be read.
    """
    journal = Journal.create(state_dir, fresh=fresh)
    try:
        clock = clock or clocks.restored(journal.clock(), journal.last_at(), scale=scale)
        clock.store = journal.write_clock
        journal.write_clock(clock.base())
        engine = Engine(clock, journal, bus := Bus())
        started = clock.now()
        resumed = _install(engine, restore(journal, catalogue, definitions, started, fresh=fresh), started)
    except BaseException:
        journal.close()
        raise
    pump = Pump(engine)
    return Runtime(journal, clock, bus, engine, pump, Context(pump, journal, bus), started, resumed)


def _install(engine: Engine, units: Iterable[Restored], started: Nanoseconds) -> int:
    """Take the units in and give the new ones power; how many are not new."""
    # One by one, and nobody keeps what comes back: else a fleet is in memory twice, as it was and as power makes it.
    for unit, entries, replayed in units:
        engine.install(unit, entries, replayed=replayed)
        if unit.seq:
            name = unit.definition.name
            log.info("unit_restored", unit=name, seq=unit.seq, state=unit.life.state, replayed=replayed)
    new = [name for name in engine.names() if engine.unit(name).seq == 0]
    with_state = [name for name in new if engine.unit(name).definition.state]
    if with_state:
        from ipo_sim.runtime.initial_state import reach  # noqa: PLC0415 - only who starts in the middle pays for it

        reach(engine, with_state, started)
    waiting = deque(Submission(name, PowerApplied(), "start", started) for name in new if name not in with_state)
    while waiting:
        for outcome in engine.run_batch(waiting, started):
            if isinstance(outcome, CommandRejected):
                raise outcome
            waiting.popleft()
    return len(engine.names()) - len(new)
