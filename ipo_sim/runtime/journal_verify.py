"""Whether a journal is whole: every row is there, in its place, and as it was written."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import NamedTuple

from ipo_sim.core.model import UnitName
from ipo_sim.runtime.chain import NOTHING, epoch_hash, event_hash
from ipo_sim.runtime.journal_reader import JournalReader
from ipo_sim.runtime.journal_rows import EventRow, damage, epoch_rows, event_rows, missing_rows, strays

# Findings that are told; a file with more is lost anyway.
MAX_FINDINGS = 1_000


class Finding(NamedTuple):
    """A row that is not as it was written: its unit, epoch and event, its number in the file, and what is wrong.

    Empty, or None, is what cannot be known, or what the finding is not about.
    """

    unit: str
    epoch: int | None
    seq: int | None
    row: int | None
    problem: str


class Head(NamedTuple):
    """The end of an epoch: its last event (0: none) and the hash of its last row in hex."""

    unit: UnitName
    epoch: int
    seq: int
    hash: str


class Verdict(NamedTuple):
    """What was found, at most MAX_FINDINGS; `chained` is False for a file of schema 1, which has no hashes."""

    chained: bool
    events: int
    heads: tuple[Head, ...]
    findings: tuple[Finding, ...]


def verify(reader: JournalReader) -> Verdict:
    """Look at every row of `units` and `events`; JournalError when the file cannot be read at all."""
    check = _Check(reader)
    with reader.frozen():
        for found in check.run():
            check.findings.append(found)
            if len(check.findings) >= MAX_FINDINGS:
                break
    return Verdict(reader.schema > 1, check.events, tuple(check.heads), tuple(check.findings))


class _Check:
    def __init__(self, reader: JournalReader) -> None:
        self.events = 0
        self.heads: list[Head] = []
        self.findings: list[Finding] = []
        self._reader = reader
        self._chained = reader.schema > 1
        # Events of which the numbers of their neighbours tell that they are gone.
        self._gone = 0

    def run(self) -> Iterator[Finding]:
        yield from (Finding("", None, None, None, f"SQLite: {text}") for text in damage(self._reader))
        for name in self._reader.units():
            yield from self._unit(name)
        yield from self._strays()
        yield from self._missing_rows()

    def _unit(self, name: UnitName) -> Iterator[Finding]:
        before, expected = NOTHING, 1
        for number, created, definition, rewound, kept in epoch_rows(self._reader, name):
            if number != expected:
                yield Finding(name, number, None, None, f"epoch {expected} is missing before epoch {number}")
            elif self._chained and kept != epoch_hash(before, name, number, created, definition, rewound):
                yield Finding(name, number, None, None, "the row of the epoch was altered, or the last row before it")
            expected = number + 1
            before = yield from self._epoch(name, number, kept)

    def _epoch(self, name: UnitName, number: int, head: bytes) -> Generator[Finding, None, bytes]:
        """The findings of an epoch, and the hash of its last row."""
        last, last_row = 0, 0
        for event in event_rows(self._reader, name, number):
            self.events += 1
            problem = self._problem(event, head, last, last_row)
            if problem:
                yield Finding(name, number, event.seq, event.row, problem)
            if event.is_plausible:
                head, last, last_row = event.hash, event.seq, event.row
        self.heads.append(Head(name, number, last, head.hex()))
        return head

    def _problem(self, event: EventRow, head: bytes, last: int, last_row: int) -> str:
        if not event.is_plausible:
            return "a value is of another type than was written"
        if event.seq != last + 1:
            self._gone += event.seq - last - 1
            count = f"event {last + 1} is" if event.seq == last + 2 else f"events {last + 1} to {event.seq - 1} are"
            return f"{count} missing before event {event.seq}"
        if event.row <= last_row:
            return f"it stands in row {event.row}, before event {last} in row {last_row}: rows were reordered"
        if self._chained and event.hash != event_hash(head, *event[:-1]):
            return "the row was altered, or the one before it"
        return ""

    def _strays(self) -> Iterator[Finding]:
        for name, number, count, first in strays(self._reader):
            self.events += count
            yield Finding(name, number, None, first, f"the row of the epoch is missing; it has {count} events")

    def _missing_rows(self) -> Iterator[Finding]:
        """Rows whose numbers are missing, unless it was told of as many already."""
        gaps = list(missing_rows(self._reader))
        if sum(last - first + 1 for first, last in gaps) <= self._gone:
            return
        for first, last in gaps:
            rows = f"row {first} is" if first == last else f"rows {first} to {last} are"
            yield Finding("", None, None, first, f"{rows} missing: what was last in its epoch, or in the file")
