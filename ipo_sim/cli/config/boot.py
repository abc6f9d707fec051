"""What a unit of a configuration will boot to, found out by booting it in the core, where no time passes."""

from __future__ import annotations

from typing import Any, NamedTuple

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.cli.terminal import edition_words, plural
from ipo_sim.core.events import DeadlineReached, Event, Fact, FeatureKeyInserted, PowerApplied, ReaderAttached
from ipo_sim.core.model import Cause, Entity, Licence, Lifecycle, Nanoseconds, Part, Unit, UnitDefinition
from ipo_sim.core.unit import entities, new_unit, next_deadline, step
from ipo_sim.licensing.status import LicenceStatus
from ipo_sim.runtime.why import cause_of, cause_text

_LONG_AGO = Nanoseconds(0)


class OutOfOrder(NamedTuple):
    """Something that will not serve: its path, what it is, its causes, and these in words from near to far."""

    path: str
    what: str
    cause: Cause
    why: str


class Boot(NamedTuple):
    """How a unit comes up. `serving` and `fitted` count parts."""

    state: str
    edition: str
    serving: int
    fitted: int
    out_of_order: tuple[OutOfOrder, ...]

    def summary(self) -> str:
        """The outcome in one line."""
        parts = f"{self.serving} of {plural(self.fitted, 'part')} in service" if self.fitted else "nothing fitted"
        return f"boots to {self.state}, {edition_words(self.edition)}, {parts}"

    def facts(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {**self._asdict(), "out_of_order": [item._asdict() for item in self.out_of_order]}


def boot(definition: UnitDefinition, catalogue: Catalogue) -> Boot:
    """What comes of `booted`."""
    unit = booted(definition, catalogue)
    fitted = [part for part in unit.parts if part.fitted is not None]
    serving = sum(part.service.hold is None for part in fitted)
    return Boot(unit.life.state, unit.edition.name, serving, len(fitted), tuple(_out_of_order(unit)))


def booted(definition: UnitDefinition, catalogue: Catalogue, at: Nanoseconds = _LONG_AGO) -> Unit:
    """The unit powered up then, its configured card in the reader, once it is up; long ago nothing expires."""
    unit = new_unit(definition, catalogue)
    facts: list[Fact] = [PowerApplied()]
    if definition.card is not None:
        facts += [
            ReaderAttached(definition.reader_name),
            FeatureKeyInserted(definition.card.serial, kind=definition.card.kind, law=definition.card.law),
        ]
    for fact in facts:
        unit, _ = step(unit, Event(at, fact, "check"))
    while unit.life.state is Lifecycle.STARTING and (deadline := next_deadline(unit)) is not None:
        unit, _ = step(unit, Event(deadline, DeadlineReached(), "check"))
    return unit


def _out_of_order(unit: Unit) -> list[OutOfOrder]:
    found = []
    for path, entity in entities(unit).items():
        what = _what(entity)
        if what is not None:
            cause = cause_of(entity)
            words = [cause_text(unit, item) for item in cause if not item.startswith("event:")]
            found.append(OutOfOrder(path, what, cause, ", because ".join(words)))
    return found


def _what(entity: Entity) -> str | None:
    """What it is that should serve and does not; None: it serves, nobody expects it to, or its alarm is of another."""
    match entity:
        case Part() if entity.service.hold is not None and (part := entity.fitted or entity.configured):
            return part.code
        case Licence() if entity.status is not LicenceStatus.VALID:
            return entity.type_name if entity.decoded else entity.text
    return None
