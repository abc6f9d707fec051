"""Which entities say something new after a batch."""

from __future__ import annotations

from ipo_sim.api.paths import FEATURE_KEY
from ipo_sim.core.events import DateSet
from ipo_sim.core.model import UnitName
from ipo_sim.runtime.bus import Batch, Bus
from ipo_sim.runtime.store import Entry


def changed(bus: Bus, batch: Batch) -> dict[tuple[UnitName, str], Entry]:
    """The batch's entities; ahead of them the feature key of a unit whose clock was set: it tells a unit time."""
    moved = {record.unit for record in batch.records if isinstance(record.event.fact, DateSet)}
    keys = {(unit, FEATURE_KEY): bus.latest(unit).get(FEATURE_KEY) for unit in moved}
    ahead = {key: entry for key, entry in keys.items() if entry is not None and key not in batch.entities}
    return ahead | batch.entities if ahead else batch.entities
