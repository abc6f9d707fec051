"""What can be read of units, as JSON: lists, snapshots and single entities."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from itertools import islice

from pydantic_core import to_json

from ipo_sim.api.encoder import Encoder
from ipo_sim.api.paths import UNIT, cascade_rank
from ipo_sim.core.model import UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime.bus import Bus

# Units of one page of a list: 400 KB, which a daemon writes without making anybody wait.
MAX_PAGE = 1_000

# A unit's last event; CommandRejected `unknown-unit`.
SeqOf = Callable[[UnitName], int]


class Documents:
    """Bodies of answers to GET, each as of now; CommandRejected for what is not there."""

    def __init__(self, bus: Bus, encoder: Encoder, seq_of: SeqOf) -> None:
        self._bus = bus
        self._encoder = encoder
        self._seq_of = seq_of

    def unit_name(self, text: str) -> UnitName:
        """The unit of that name; CommandRejected `unknown-unit` with the nearest one."""
        unit = UnitName(text)
        try:
            self._seq_of(unit)
        except CommandRejected as error:
            raise CommandRejected(error.reason, f"{error}{_hint(text, [*self._bus.units()])}") from None
        return unit

    def units(self, after: str = "") -> bytes:
        """A page of all units in one line each, those behind `after`; `next` is what the next page starts after."""
        names = iter(self._bus.units())
        if after:
            unit = self.unit_name(after)
            names = iter(list(names)[[*self._bus.units()].index(unit) + 1 :])
        page = list(islice(names, MAX_PAGE))
        rows = [b"%s:%s" % (to_json(name), self.entity(name, UNIT)) for name in page]
        following = page[-1] if next(names, None) is not None else None
        return b'{"units":{%s},"next":%s}' % (b",".join(rows), to_json(following))

    def unit(self, unit: UnitName) -> bytes:
        """All entities of a unit by path, in the order of a cascade."""
        latest = self._bus.latest(unit)
        rows = [
            b"%s:%s" % (to_json(path), self._encoder.entity(unit, latest[path]))
            for path in sorted(latest, key=cascade_rank)
        ]
        return b'{"unit":%s,"seq":%d,"entities":{%s}}' % (to_json(unit), self._seq_of(unit), b",".join(rows))

    def entity(self, unit: UnitName, path: str) -> bytes:
        """One entity, as MQTT retains it."""
        latest = self._bus.latest(unit)
        entry = latest.get(path)
        if entry is None:
            raise CommandRejected("unknown-entity", f"unit {unit} has no {path[:100]}{_hint(path, list(latest))}")
        return self._encoder.entity(unit, entry)


def _hint(name: str, known: list[str] | list[UnitName]) -> str:
    near = get_close_matches(name[:100], known, n=1)
    return f": did you mean {near[0]}?" if near else ""
