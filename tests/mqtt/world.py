"""A unit on the bus, as the engine would put it there, and doubles for what stands around a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ipo_sim.core.effects import Effects
from ipo_sim.core.events import Event
from ipo_sim.core.model import UnitDefinition, UnitName
from ipo_sim.core.unit import entities
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime.bus import Bus, Record
from ipo_sim.runtime.store import Entry
from tests.core.bench import SERIAL, Bench, definition, key


class LiveUnit(Bench):
    """A bench whose unit is on a bus."""

    def __init__(self, bus: Bus, name: str = "bench-1", unit_definition: UnitDefinition | None = None) -> None:
        base = unit_definition or definition(key())
        super().__init__(replace(base, name=UnitName(name)))
        self.name = UnitName(name)
        self.bus = bus
        entries = {path: Entry(0, self.unit.at, value) for path, value in entities(self.unit).items()}
        bus.restore(self.name, entries)

    def boot(self, serial: str | None = SERIAL) -> LiveUnit:
        super().boot(serial)
        return self

    def _step(self, event: Event) -> Effects:
        effects = super()._step(event)
        self.bus.publish(Record(self.name, event, effects))
        return effects


class Registry:
    """Stands for the command registry: notes what it is asked and answers `done`, rejects or breaks as told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, object], str | None]] = []
        self.failure: Exception | None = None

    async def __call__(
        self, unit: UnitName, verb: str, arguments: Mapping[str, object], request_id: str | None = None
    ) -> dict[str, object]:
        self.asked.append((unit, verb, dict(arguments), request_id))
        if self.failure is not None:
            raise self.failure
        if verb not in ("power", "why"):
            raise CommandRejected("unknown-command", f"no command {verb!r}")
        return {"seq": len(self.asked)}
