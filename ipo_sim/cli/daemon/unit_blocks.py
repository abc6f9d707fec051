"""All units of a daemon as blocks of lines, one block after each change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import chain

from ipo_sim.api.paths import UNIT
from ipo_sim.cli.daemon import unit_lines
from ipo_sim.cli.daemon.screen import Line
from ipo_sim.core.model import Lifecycle, UnitName, UnitStatus
from ipo_sim.runtime.bus import PIECE, Bus

# More units than this are shown by how many are in which state.
MAX_BRIEF = 20
# Changes within this time are shown together: nobody reads faster, and a fleet that boots makes thousands.
CALM_S = 0.05


async def blocks(bus: Bus, *, max_full: int) -> AsyncIterator[list[Line]]:
    """The lines that show all units, now and after each change."""
    names = list(bus.units())
    subscription = bus.subscribe("summary", max_records=1)
    states = {name: _state(bus, name) for name in names}
    try:
        while True:
            yield _block(bus, names, states, max_full)
            first = await subscription.next(PIECE)
            await asyncio.sleep(CALM_S)
            for batch in chain((first,), subscription.pieces()):
                for name, path in batch.entities:
                    if path == UNIT:
                        states[name] = _state(bus, name)
    finally:
        subscription.close()


def _block(bus: Bus, names: Sequence[UnitName], states: Mapping[UnitName, Lifecycle], max_full: int) -> list[Line]:
    if len(names) <= max_full:
        return [line for name in names for line in unit_lines.full(name, bus.latest(name))]
    if len(names) <= MAX_BRIEF:
        return [unit_lines.brief(name, bus.latest(name)) for name in names]
    return [unit_lines.count(states.values())]


def _state(bus: Bus, name: UnitName) -> Lifecycle:
    entry = bus.latest(name).get(UNIT)
    return entry.value.state if entry is not None and isinstance(entry.value, UnitStatus) else Lifecycle.OFF
