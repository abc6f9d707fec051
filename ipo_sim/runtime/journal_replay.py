"""Histories gone through once more by the code that is there now, to see whether it comes to what was then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.codec import Decoder, encode_unit
from ipo_sim.core.events import DeadlineReached
from ipo_sim.core.model import Nanoseconds, Unit, UnitDefinition, UnitName
from ipo_sim.core.unit import next_deadline
from ipo_sim.errors import JournalError
from ipo_sim.runtime.journal_reader import Epoch, JournalEntry, JournalReader
from ipo_sim.runtime.moment import rfc3339
from ipo_sim.runtime.restore import fold, origin
from ipo_sim.runtime.snapshot import State

# Differences that are told of one history; after the first the others mostly follow from it.
MAX_DIFFERENCES = 20


class Point(NamedTuple):
    """A point of a history: after event `seq`, or at simulation time `at`; both None: its end."""

    seq: int | None = None
    at: Nanoseconds | None = None

    def passes(self, entry: JournalEntry) -> bool:
        """Whether the event lies up to this point."""
        return (self.seq is None or entry.seq <= self.seq) and (self.at is None or entry.event.at <= self.at)


END = Point()


class Difference(NamedTuple):
    """Where this code does not do what the journal says: at which event, and how."""

    seq: int
    text: str


class Replay(NamedTuple):
    """The state that this code comes to after `events` events, and all that is not as it was then."""

    unit: UnitName
    epoch: int
    events: int
    state: State
    differences: tuple[Difference, ...]


class Replayer:
    """Replays histories of a journal, each from its very beginning: snapshots are compared with, not trusted."""

    def __init__(self, reader: JournalReader, catalogue: Catalogue) -> None:
        self._reader = reader
        self._catalogue = catalogue
        self._decoder = Decoder(catalogue.parts)

    def epoch(self, unit: UnitName, number: int | None = None) -> Epoch:
        """An epoch of the unit, the present one without a number; JournalError when there is none."""
        epochs = self._reader.epochs(unit)
        if not epochs:
            known = ", ".join(self._reader.units()) or "none"
            raise JournalError(f"the journal has no unit {unit}; it has {known}")
        found = epochs[-1:] if number is None else [epoch for epoch in epochs if epoch.number == number]
        if not found:
            raise JournalError(f"unit {unit} has no epoch {number}, only {_numbers(epochs)}")
        return found[0]

    def origin(self, unit: UnitName, epoch: Epoch) -> State:
        """The state from which a history begins."""
        return origin(self._definition(unit, epoch), self._catalogue, epoch.created)

    def entries(self, unit: UnitName, epoch: Epoch, until: Point = END) -> Iterator[JournalEntry]:
        """The events of a history up to a point."""
        for entry in self._reader.entries(unit, epoch.number):
            if not until.passes(entry):
                return
            yield entry

    def replay(self, unit: UnitName, number: int | None = None, until: Point = END) -> Replay:
        """Go through a history; JournalError when it cannot be read, or there is no such event."""
        epoch = self.epoch(unit, number)
        if until.seq is not None and until.seq > (last := self._reader.last_seq(unit, epoch.number)):
            raise JournalError(f"epoch {epoch.number} of unit {unit} ends with event {last}, there is no {until.seq}")
        state, differences = self.origin(unit, epoch), list[Difference]()
        snapshot = self._reader.snapshot(unit)
        for entry in self.entries(unit, epoch, until):
            differences.extend(_deadline_differences(state.unit, entry))
            try:
                state = fold(state, (entry,))
            except ValueError as error:
                differences.append(Difference(entry.seq, str(error)))
                break
            if snapshot is not None and (snapshot.epoch, snapshot.seq) == (epoch.number, entry.seq):
                differences.extend(_snapshot_differences(state.unit, snapshot.data.get("unit", {})))
            if len(differences) >= MAX_DIFFERENCES:
                break
        return Replay(unit, epoch.number, state.unit.seq, state, tuple(differences[:MAX_DIFFERENCES]))

    def _definition(self, unit: UnitName, epoch: Epoch) -> UnitDefinition:
        try:
            return self._decoder.definition(epoch.definition)
        except (ValueError, KeyError, TypeError) as error:
            raise JournalError(
                f"the definition of unit {unit} in epoch {epoch.number} cannot be read by this version: {error}"
            ) from error


def _deadline_differences(unit: Unit, entry: JournalEntry) -> Iterator[Difference]:
    """Whether this code would have reached a deadline that the journal has not, or at another time."""
    deadline, event = next_deadline(unit), entry.event
    if isinstance(event.fact, DeadlineReached):
        if deadline != event.at:
            expected = "none" if deadline is None else f"one at {rfc3339(deadline)}"
            yield Difference(entry.seq, f"a deadline was reached then at {rfc3339(event.at)}, now there is {expected}")
    elif deadline is not None and deadline <= event.at:
        yield Difference(entry.seq, f"a deadline at {rfc3339(deadline)} comes before it now, then there was none")


def _snapshot_differences(unit: Unit, kept: dict[str, object]) -> Iterator[Difference]:
    """What a snapshot that was written then has otherwise."""
    now = encode_unit(unit)
    names = [name for name in now if name in kept and kept[name] != now[name]]
    if names:
        yield Difference(unit.seq, f"the snapshot that was written then differs in {', '.join(names)}")


def _numbers(epochs: list[Epoch]) -> str:
    return ", ".join(str(epoch.number) for epoch in epochs)
