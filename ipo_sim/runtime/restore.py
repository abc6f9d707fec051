"""How a unit comes back: its definition and its history folded to a state, or a new history when the file changed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import structlog

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.codec import Decoder, encode
from ipo_sim.core.events import (
    DateSet,
    Fact,
    FaultCleared,
    FaultSet,
    LicenceAdded,
    LicenceRemoved,
    PartConfigured,
    PartFitted,
    PartWithdrawn,
)
from ipo_sim.core.fault_events import FaultInjected
from ipo_sim.core.model import Nanoseconds, Unit, UnitDefinition
from ipo_sim.core.unit import entities, new_unit, step
from ipo_sim.errors import CommandRejected, JournalError
from ipo_sim.runtime import snapshot
from ipo_sim.runtime.describe import describe
from ipo_sim.runtime.journal import Epoch, Journal, JournalEntry
from ipo_sim.runtime.snapshot import State
from ipo_sim.runtime.store import Entry

# Below this many events a replay is quicker than finding out whether a snapshot still holds.
REPLAY_WITHOUT_SNAPSHOT = 50

log = structlog.get_logger()


class Restored(NamedTuple):
    """A unit as it stands at the end of its journal, and how many events were replayed to get there.

    A unit whose `seq` is 0 has no history: whoever starts it applies power.
    """

    unit: Unit
    entries: dict[str, Entry]
    replayed: int


def restore(
    journal: Journal,
    catalogue: Catalogue,
    definitions: Iterable[UnitDefinition],
    now: Nanoseconds,
    *,
    fresh: bool = False,
) -> Iterator[Restored]:
    """Bring every unit to the end of its journal, or to the start of a new epoch that begins `now`, one after another.

    A new epoch starts for an unknown unit, when `fresh`, and when the definition is not the journalled one.
    JournalError when a history cannot be read or this version does not accept it.
    """
    decoder = Decoder(catalogue.parts)
    for definition in definitions:
        epoch = _epoch(journal, definition, decoder, fresh=fresh)
        if epoch is None:
            yield _begin(journal, catalogue, definition, now)
        else:
            journal.resume_epoch(definition.name, epoch.number)
            yield _resume(journal, catalogue, definition, epoch, decoder)


def fold(state: State, history: Iterable[JournalEntry]) -> State:
    """The state after `history`; ValueError naming the event that does not follow or is not accepted."""
    unit, entries = state.unit, dict(state.entries)
    for seq, event in history:
        if seq != unit.seq + 1:
            raise ValueError(f"event {seq} follows event {unit.seq}")
        try:
            unit, effects = step(unit, event)
        except CommandRejected as error:
            raise ValueError(f"event {seq} is not accepted: {error}") from error
        for path, value in effects.changes.items():
            if value is None:
                entries.pop(path, None)
            else:
                entries[path] = Entry(seq, effects.unit_time, value)
    return State(unit, entries)


def origin(definition: UnitDefinition, catalogue: Catalogue, created: Nanoseconds) -> State:
    """The state that a history starts from."""
    unit = new_unit(definition, catalogue)
    return State(unit, {path: Entry(unit.seq, created, value) for path, value in entities(unit).items()})


def run_time_changes(history: Iterable[JournalEntry]) -> list[str]:
    """What commands changed in a unit's outfit in the course of a history, the last word on each thing."""
    last: dict[tuple[str, str], Fact] = {}
    for _, event in history:
        fact = event.fact
        if isinstance(fact, LicenceAdded | LicenceRemoved):
            # A key is entered and deleted by turns, so the second takes back the first.
            if last.pop(("licence", fact.key), None) is None:
                last["licence", fact.key] = fact
        elif isinstance(fact, PartFitted | PartWithdrawn):
            last["part", fact.path] = fact
        elif isinstance(fact, PartConfigured):
            last["configuration", fact.path] = fact
        elif isinstance(fact, FaultSet | FaultCleared):
            last["fault", fact.path] = fact
        elif isinstance(fact, FaultInjected):
            last["injected", fact.fault + fact.target] = fact
        elif isinstance(fact, DateSet):
            last["date", ""] = fact
    return [describe(fact) for fact in last.values()]


def _epoch(journal: Journal, definition: UnitDefinition, decoder: Decoder, *, fresh: bool) -> Epoch | None:
    """The epoch to go on with; None: a new one begins, and the log says what that leaves behind."""
    epochs = journal.epochs(definition.name)
    if not epochs:
        return None
    changed = _differences(epochs[-1].definition, encode(definition), decoder)
    if not fresh and not changed:
        return epochs[-1]
    dropped = [] if fresh else run_time_changes(journal.entries(definition.name, epochs[-1].number))
    reason = "fresh start" if fresh else "the configuration changed"
    log.warning("history_begins_anew", unit=definition.name, reason=reason, changed=changed, dropped=dropped)
    return None


def _differences(old: dict[str, Any], new: dict[str, Any], decoder: Decoder) -> list[str]:
    if old != new:
        # An older version had fewer fields: those that it did not know had their default.
        with contextlib.suppress(ValueError, KeyError, TypeError):
            old = encode(decoder.definition(old))
    return [name for name in {**old, **new} if name not in old or name not in new or old[name] != new[name]]


def _begin(journal: Journal, catalogue: Catalogue, definition: UnitDefinition, now: Nanoseconds) -> Restored:
    journal.begin_epoch(definition.name, encode(definition), now)
    return Restored(*origin(definition, catalogue, now), replayed=0)


def _resume(
    journal: Journal, catalogue: Catalogue, definition: UnitDefinition, epoch: Epoch, decoder: Decoder
) -> Restored:
    name = definition.name
    state = None
    if journal.last_seq(name, epoch.number) > REPLAY_WITHOUT_SNAPSHOT:
        state = snapshot.load(journal, definition, catalogue, epoch.number, decoder)
    start = state or origin(definition, catalogue, epoch.created)
    try:
        end = fold(start, journal.entries(name, epoch.number, after=start.unit.seq))
    except ValueError as error:
        raise JournalError(
            f"the history of unit {name} in {journal.path} cannot be replayed, {error}: put back a copy or the version"
            " of ipo-sim that wrote it, or start with --fresh, which begins a new history and keeps this one"
        ) from error
    return Restored(end.unit, end.entries, replayed=end.unit.seq - start.unit.seq)
