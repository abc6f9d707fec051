"""The single writer: facts and due deadlines of all units go through core, journal and bus, in this order."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import structlog

from ipo_sim.core.effects import Effects
from ipo_sim.core.events import DeadlineReached, Event, Fact
from ipo_sim.core.model import Nanoseconds, Unit, UnitName
from ipo_sim.core.unit import next_deadline, step
from ipo_sim.errors import CommandRejected, JournalError
from ipo_sim.runtime import snapshot
from ipo_sim.runtime.agenda import Agenda, Foreseen
from ipo_sim.runtime.bus import Bus, Record
from ipo_sim.runtime.clock import Clock
from ipo_sim.runtime.journal import Journal
from ipo_sim.runtime.snapshot import State
from ipo_sim.runtime.store import Entry, Stamp

# Events in one transaction: enough that its commit costs little for each, few enough to be over in some milliseconds.
MAX_BATCH = 256
# A unit whose deadline does not move on after this many in one instant never will: a defect, not a load.
MAX_AT_ONE_INSTANT = 64
# A shorter history is replayed sooner than a snapshot of it is written.
MIN_SNAPSHOT_AT_CLOSE = 100
# Entries that the heap of deadlines may hold beside two for each unit.
MIN_HEAP = 64

log = structlog.get_logger()


class Submission(NamedTuple):
    """A fact for a unit that happened `at`, and who caused it; fact None: only that the time has come."""

    unit: UnitName
    fact: Fact | None
    cause: str
    at: Nanoseconds


class Applied(NamedTuple):
    """An accepted event: its number, its simulation time, what it did."""

    seq: int
    at: Nanoseconds
    effects: Effects


# What became of one submission; None: its time has come and it had no fact.
Outcome = Applied | CommandRejected | None


class Engine:
    """Holds the units. Synchronous: whoever calls it sees each event done, written and published, or not at all.

    `events` counts those done since the start.
    """

    def __init__(self, clock: Clock, journal: Journal, bus: Bus) -> None:
        self.clock = clock
        self.events = 0
        self._journal = journal
        self._bus = bus
        self._units: dict[UnitName, Unit] = {}
        self._last_at = journal.last_at()
        self._deadlines: dict[UnitName, Nanoseconds] = {}
        self._heap: list[tuple[Nanoseconds, UnitName]] = []
        self._since_snapshot: dict[UnitName, int] = {}
        self._agenda = Agenda()
        # Of the batch being made: what it did, and the units as they were before it.
        self._records: list[Record] = []
        self._before: dict[UnitName, Unit] = {}
        self._at_one_instant = 0

    def install(self, unit: Unit, entries: Mapping[str, Entry], *, replayed: int = 0) -> None:
        """Take a unit in, with the entities that the bus shows of it; `replayed` events came after its snapshot."""
        name = unit.definition.name
        self._units[name] = unit
        self._since_snapshot[name] = replayed
        self._bus.restore(name, entries)
        self._arm(name)

    @property
    def last_at(self) -> Nanoseconds:
        """Simulation time of the latest event; no later one can come before it."""
        return self._last_at

    def go_back(self, states: Mapping[UnitName, State], at: Nanoseconds) -> None:
        """Put units, bus and clock back to what they were at a moment; their new epochs are in the journal already."""
        self._last_at = at
        for name, state in states.items():
            unit = self._units[name] = state.unit
            self._since_snapshot[name] = unit.seq
            self._arm(name)
            self._bus.replace(name, state.entries, Stamp(unit.seq, Nanoseconds(at + unit.clock_offset_ns)))
        self.clock.go_back(at)

    def unit(self, name: UnitName) -> Unit:
        """The unit as it is now; CommandRejected when there is none of that name."""
        unit = self._units.get(name)
        if unit is None:
            raise CommandRejected("unknown-unit", f"there is no unit {name}")
        return unit

    def names(self) -> tuple[UnitName, ...]:
        """All units, in the order in which they were installed."""
        return tuple(self._units)

    def apply(self, name: UnitName, fact: Fact, cause: str) -> Applied:
        """Let a fact happen now, after all deadlines that are due.

        CommandRejected: the unit does not accept it; JournalError: it cannot be written. Either way nothing happened.
        """
        submission = Submission(name, fact, cause, self.clock.now())
        while not (outcomes := self.run_batch((submission,), submission.at)):
            pass
        (outcome,) = outcomes
        assert outcome is not None
        if isinstance(outcome, CommandRejected):
            raise outcome
        return outcome

    def foresee(self, facts: Iterator[Foreseen]) -> None:
        """Let these happen, each at its moment; they are in order of time. One that a unit refuses does nothing."""
        self._agenda.add(facts)

    def run_due(self) -> None:
        """Fire every deadline up to now, each at its exact time, across units; JournalError: those not written wait."""
        until = self.clock.now()
        while self.is_due(until):
            self.run_batch((), until)

    def is_due(self, until: Nanoseconds) -> bool:
        """Whether a deadline or a foreseen fact up to `until` is waiting."""
        deadline = self.next_deadline()
        return deadline is not None and deadline <= until

    def run_batch(self, submissions: Iterable[Submission], until: Nanoseconds) -> list[Outcome]:
        """Merge submissions (in order of time) and deadlines up to `until`, at most MAX_BATCH events, in one commit.

        The outcomes of the submissions that it got to, in order; call again for the rest, and while deadlines are due.
        JournalError: nothing of it happened.
        """
        last_at = self._last_at
        try:
            outcomes = self._make(submissions, until)
            if self._records:
                self._journal.append(self._records)
        except BaseException:
            self._undo(last_at)
            raise
        self._agenda.keep()
        records, self._records, self._before = self._records, [], {}
        self.events += len(records)
        for record in records:
            self._bus.publish(record)
        self._take_snapshots(records)
        return outcomes

    def next_deadline(self, name: UnitName | None = None) -> Nanoseconds | None:
        """The earliest deadline of all units, or foreseen fact, or deadline of one; None: nothing happens by itself."""
        if name is not None:
            return next_deadline(self.unit(name))
        deadline, foreseen = self._next_due(), self._agenda.next_at()
        return foreseen if deadline is None or (foreseen is not None and foreseen < deadline) else deadline

    def _next_due(self) -> Nanoseconds | None:
        heap = self._heap
        while heap and self._deadlines.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def close(self) -> None:
        """Keep the clock, and the states behind long histories, then close the journal."""
        try:
            for name in [name for name, count in self._since_snapshot.items() if count >= MIN_SNAPSHOT_AT_CLOSE]:
                self._snapshot(name)
            self._journal.write_clock(self.clock.base())
        except JournalError as error:
            log.warning("journal_not_closed_cleanly", error=str(error))
        finally:
            self._journal.close()

    def _make(self, submissions: Iterable[Submission], until: Nanoseconds) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for submission in submissions:
            if len(outcomes) >= MAX_BATCH or not self._fire_due(submission.at):
                return outcomes
            outcomes.append(self._take(submission))
        self._fire_due(until)
        return outcomes

    def _fire_due(self, until: Nanoseconds) -> bool:
        """Fire what is due, in order; False: the batch is full."""
        while self.is_due(until):
            if len(self._records) >= MAX_BATCH or self._agenda.taken >= MAX_BATCH:
                return False
            # At one moment deadlines go first, as they do before a fact that is submitted.
            deadline, foreseen = self._next_due(), self._agenda.next_at()
            if foreseen is not None and (deadline is None or foreseen < deadline):
                self._take_foreseen()
                continue
            at, name = self._heap[0]
            self._step(name, Event(at, DeadlineReached(), "clock"))
            self._expect_progress(name, at)
        return len(self._records) < MAX_BATCH

    def _take_foreseen(self) -> None:
        at, name, fact, cause = self._agenda.take()
        outcome = self._take(Submission(name, fact, cause, at))
        if isinstance(outcome, CommandRejected):
            log.debug("fact_rejected", unit=name, reason=outcome.reason, error=str(outcome))

    def _expect_progress(self, name: UnitName, at: Nanoseconds) -> None:
        self._at_one_instant = self._at_one_instant + 1 if self._deadlines.get(name) == at else 0
        if self._at_one_instant > MAX_AT_ONE_INSTANT:
            raise RuntimeError(f"unit {name} reaches its deadline at {at} without end")

    def _take(self, submission: Submission) -> Outcome:
        if submission.fact is None:
            return None
        try:
            self.unit(submission.unit)
            # Time does not go back for a fact that waited longer than one that was applied at once.
            at = max(submission.at, self._last_at)
            effects = self._step(submission.unit, Event(at, submission.fact, submission.cause))
        except CommandRejected as error:
            return error
        return Applied(effects.seq, at, effects)

    def _step(self, name: UnitName, event: Event) -> Effects:
        before = self._units[name]
        unit, effects = step(before, event)
        self._before.setdefault(name, before)
        self._records.append(Record(name, event, effects))
        self._units[name] = unit
        self._last_at = max(self._last_at, event.at)
        self._arm(name)
        return effects

    def _undo(self, last_at: Nanoseconds) -> None:
        before, self._before, self._records = self._before, {}, []
        self._agenda.put_back()
        self._last_at = last_at
        for name, unit in before.items():
            self._units[name] = unit
            self._arm(name)

    def _arm(self, name: UnitName) -> None:
        deadline = next_deadline(self._units[name])
        if deadline == self._deadlines.get(name):
            return
        if deadline is None:
            del self._deadlines[name]
            return
        self._deadlines[name] = deadline
        heapq.heappush(self._heap, (deadline, name))
        # Entries that hold no longer are dropped when they come up; those far ahead would pile up until then.
        if len(self._heap) > 2 * len(self._units) + MIN_HEAP:
            self._heap = [(at, unit) for unit, at in self._deadlines.items()]
            heapq.heapify(self._heap)

    def _take_snapshots(self, records: list[Record]) -> None:
        for record in records:
            name = record.unit
            self._since_snapshot[name] += 1
            if self._since_snapshot[name] >= snapshot.SNAPSHOT_EVERY:
                self._snapshot(name)

    def _snapshot(self, name: UnitName) -> None:
        self._since_snapshot[name] = 0
        try:
            snapshot.save(self._journal, self._units[name], self._bus.latest(name))
        except JournalError as error:
            # Only a short cut: the events are written, and the next start replays them.
            log.debug("snapshot_not_written", unit=name, error=str(error))
