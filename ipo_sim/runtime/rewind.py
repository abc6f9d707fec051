"""All units of a bench back at a moment, and time with them; what came after it stays in the journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from ipo_sim.core.events import (
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    ReaderAttached,
    ReaderLost,
)
from ipo_sim.core.key_faults import report_of
from ipo_sim.core.model import KeyPresence, Nanoseconds, Unit, UnitName
from ipo_sim.errors import CommandRejected, JournalError
from ipo_sim.runtime.clock import ClockBase
from ipo_sim.runtime.context import Context
from ipo_sim.runtime.journal import Journal, JournalEntry
from ipo_sim.runtime.moment import rfc3339
from ipo_sim.runtime.restore import fold, origin
from ipo_sim.runtime.snapshot import State

VIRTUAL = "virtual"


class Cut(NamedTuple):
    """Where histories are cut: each unit's last event that is kept, and the simulation time to go back to."""

    at: Nanoseconds
    seqs: Mapping[UnitName, int]


def cut_at(journal: Journal, units: tuple[UnitName, ...], at: Nanoseconds, now: Nanoseconds) -> Cut:
    """After all that happened up to a moment; CommandRejected when it has not come, or a unit began only later."""
    if at > now:
        raise CommandRejected("no-such-moment", f"{rfc3339(at)} has not come yet, it is {rfc3339(now)}")
    for unit in units:
        created = journal.epochs(unit)[-1].created
        if created > at:
            raise CommandRejected(
                "no-such-moment", f"the present history of unit {unit} begins only at {rfc3339(created)}"
            )
    return Cut(at, {unit: journal.seq_at(unit, journal.epoch(unit), at) for unit in units})


def cut_after(journal: Journal, units: tuple[UnitName, ...], unit: UnitName, seq: int, now: Nanoseconds) -> Cut:
    """After an event of one unit, and of the others after all up to its time; CommandRejected: there is no such event.

    The second of two events at one moment is not kept by the unit itself, whatever the others have at that moment.
    """
    entry = journal.entry(unit, journal.epoch(unit), seq)
    if entry is None:
        last = journal.last_seq(unit, journal.epoch(unit))
        raise CommandRejected("no-such-event", f"the present history of unit {unit} has events 1 to {last}, not {seq}")
    cut = cut_at(journal, units, entry.event.at, now)
    return cut._replace(seqs={**cut.seqs, unit: seq})


def rewind(context: Context, cut: Cut, cause: str) -> None:
    """Go back; CommandRejected: the journal cannot be written or read, and nothing has changed.

    A reader that hands or hardware move stands as it stands: what it sees now is told to its unit anew.
    """
    engine, journal = context.engine, context.journal
    before = {unit: engine.unit(unit) for unit in cut.seqs}
    try:
        states = {unit: _state(journal, before[unit], seq) for unit, seq in cut.seqs.items()}
        journal.rewind(cut.seqs, cut.at, cause, gone_back(engine.clock.base(), cut.at))
    except (JournalError, ValueError) as error:
        raise CommandRejected("journal-unavailable", str(error), temporary=True) from error
    context.pump.go_back(states, cut.at)
    for unit, now in before.items():
        for fact in _seen(now):
            context.pump.submit(unit, fact, "rewind")


def gone_back(base: ClockBase, at: Nanoseconds) -> ClockBase:
    """The clock as it shall be kept: at that moment, at the same pace."""
    return replace(base, at=at)


def _state(journal: Journal, unit: Unit, seq: int) -> State:
    name = unit.definition.name
    epoch = journal.epochs(name)[-1]
    start = origin(unit.definition, unit.catalogue, epoch.created)
    return fold(start, _up_to(journal, name, epoch.number, seq))


def _up_to(journal: Journal, name: UnitName, epoch: int, seq: int) -> Iterator[JournalEntry]:
    for entry in journal.entries(name, epoch):
        if entry.seq > seq:
            return
        yield entry


def _seen(unit: Unit) -> Iterator[Fact]:
    """What the unit's reader said last, if commands do not move it; the unit drops what it knows already."""
    if unit.definition.reader_kind == VIRTUAL:
        return
    # Behind the faults that hide it from the unit: those go back with it.
    seen = unit.report or report_of(unit)
    if not seen.attached:
        if seen.error is not None:
            yield ReaderLost(seen.error)
        return
    yield ReaderAttached(seen.name)
    if seen.presence is KeyPresence.ABSENT:
        yield FeatureKeyRemoved(seen.counter)
    elif seen.presence is KeyPresence.UNREADABLE:
        yield FeatureKeyUnreadable(seen.reason, seen.detail)
    elif seen.serial is not None:
        yield FeatureKeyInserted(
            seen.serial,
            kind=seen.kind or VIRTUAL,
            identity=seen.identity or "",
            law=seen.law or "alaw",
            assurance=seen.assurance or "identifier",
            counter=seen.counter,
        )
