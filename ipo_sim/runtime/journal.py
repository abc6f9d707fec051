"""The journal: every event of every unit in one append-only SQLite file, written before the event acts."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from ipo_sim.core.events import Event, Fact, fact_data, fact_from
from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.errors import JournalError
from ipo_sim.runtime.bus import Record
from ipo_sim.runtime.clock import ClockBase
from ipo_sim.runtime.journal_file import (
    BUSY_TIMEOUT_S,
    JOURNAL_NAME,
    check_version,
    closed_on_error,
    connect,
    damaged,
    explained,
    is_sound,
    set_aside,
)
from ipo_sim.runtime.lock import StateLock

# Events that are read at once. A query left open, by a reader that stops half-way, would keep the file open as well.
PAGE = 1_000

_INSERT = "INSERT INTO events (unit, epoch, seq, at, type, data, cause) VALUES (?, ?, ?, ?, ?, ?, ?)"
_COLUMNS = "SELECT seq, at, type, data, cause FROM events"
_AFTER = f"{_COLUMNS} WHERE unit = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?"
_LAST_AT = """SELECT MAX((
    SELECT at FROM events WHERE unit = name AND epoch = units.epoch ORDER BY seq DESC LIMIT 1
)) FROM units"""
_compact = json.JSONEncoder(separators=(",", ":")).encode


class Epoch(NamedTuple):
    """One definition of a unit and the history that began with it at `created` (simulation time)."""

    number: int
    definition: dict[str, Any]
    created: Nanoseconds


class JournalEntry(NamedTuple):
    """Event `seq` of a unit's epoch."""

    seq: int
    event: Event


class Snapshot(NamedTuple):
    """A unit's state after event `seq`, as code and catalogue of that `digest` computed it."""

    epoch: int
    seq: int
    digest: str
    data: dict[str, Any]


class JournalReader:
    """Reads a journal, while a daemon writes it or not; every method raises JournalError when the file cannot be read.

    A file that is damaged says so, and how to go on.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def open(cls, state_dir: Path) -> JournalReader:
        """The journal of a state directory, for reading only."""
        path = state_dir / JOURNAL_NAME
        if not path.is_file():
            raise JournalError(f"the state directory {state_dir} holds no journal")
        with explained(path):
            connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
        with closed_on_error(connection), explained(path):
            check_version(connection, path)
        return cls(connection, path)

    def units(self) -> list[UnitName]:
        """Names of all units that ever had an epoch."""
        return [UnitName(name) for (name,) in self._all("SELECT DISTINCT name FROM units ORDER BY name")]

    def epochs(self, unit: UnitName) -> list[Epoch]:
        """All epochs of a unit, the present one last."""
        rows = self._all("SELECT epoch, definition, created FROM units WHERE name = ? ORDER BY epoch", unit)
        with self._sound():
            return [Epoch(number, json.loads(text), created) for number, text, created in rows]

    def entries(self, unit: UnitName, epoch: int, after: int = 0) -> Iterator[JournalEntry]:
        """Events of an epoch with `seq` above `after`, in order."""
        while rows := self._all(_AFTER, unit, epoch, after, PAGE):
            with self._sound():
                page = [_entry(row) for row in rows]
            yield from page
            after = page[-1].seq

    def entry(self, unit: UnitName, epoch: int, seq: int) -> JournalEntry | None:
        """One event."""
        rows = self._all(f"{_COLUMNS} WHERE unit = ? AND epoch = ? AND seq = ?", unit, epoch, seq)
        with self._sound():
            return _entry(rows[0]) if rows else None

    def last_seq(self, unit: UnitName, epoch: int) -> int:
        """The last event of an epoch; 0 without one."""
        rows = self._all("SELECT MAX(seq) FROM events WHERE unit = ? AND epoch = ?", unit, epoch)
        return rows[0][0] or 0

    def last_card(self, unit: UnitName, epoch: int) -> JournalEntry | None:
        """The last insertion of a feature key."""
        condition = "WHERE unit = ? AND epoch = ? AND type = 'feature-key-inserted' ORDER BY seq DESC LIMIT 1"
        rows = self._all(f"{_COLUMNS} INDEXED BY cards {condition}", unit, epoch)
        with self._sound():
            return _entry(rows[0]) if rows else None

    def last_at(self) -> Nanoseconds:
        """Simulation time of the latest event of all; 0 without one."""
        # The last row is not enough: a unit that comes back after others ran on catches up on its own past.
        rows = self._all(_LAST_AT)
        return Nanoseconds(rows[0][0] or 0)

    def clock(self) -> ClockBase | None:
        """The clock as it was last changed or closed."""
        rows = self._all("SELECT value FROM meta WHERE key = 'clock'")
        with self._sound():
            return ClockBase(**json.loads(rows[0][0])) if rows else None

    def snapshot(self, unit: UnitName) -> Snapshot | None:
        """The unit's last snapshot; None without one, or when it cannot be read: it is only a short cut."""
        rows = self._all("SELECT epoch, seq, digest, data FROM snapshots WHERE unit = ?", unit)
        try:
            if not rows:
                return None
            epoch, seq, digest, text = rows[0]
            return Snapshot(epoch, seq, digest, json.loads(text))
        except ValueError:
            return None

    def close(self) -> None:
        """Give the file back; a second time does nothing."""
        self._connection.close()

    def _all(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with explained(self.path):
            return self._connection.execute(query, parameters).fetchall()

    @contextlib.contextmanager
    def _sound(self) -> Iterator[None]:
        try:
            with explained(self.path):
                yield
        except (ValueError, KeyError, TypeError) as error:
            raise JournalError(damaged(self.path, f"a record that cannot be read, {error}")) from error


class Journal(JournalReader):
    """The one writer of a journal; holds the lock of its state directory until `close`."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None, lock: StateLock | None) -> None:
        super().__init__(connection, path)
        self._lock = lock
        self._epochs: dict[UnitName, int] = {}

    @classmethod
    def create(cls, state_dir: Path | None, *, fresh: bool = False) -> Journal:
        """Open or make the journal of a state directory; None: one in memory.

        JournalError when another daemon has the directory, or the file cannot be used. `fresh` sets a damaged file
        aside instead, and begins a new one.
        """
        if state_dir is None:
            return cls(connect(None), None, None)
        lock = StateLock(state_dir)
        path = state_dir / JOURNAL_NAME
        try:
            if fresh and not is_sound(path):
                set_aside(path)
            return cls(connect(path), path, lock)
        except BaseException:
            lock.release()
            raise

    def begin_epoch(self, unit: UnitName, definition: dict[str, Any], created: Nanoseconds) -> int:
        """Start a unit's next history; what went before stays in the file."""
        with self._transaction() as connection:
            query = "SELECT COALESCE(MAX(epoch), 0) + 1 FROM units WHERE name = ?"
            (number,) = connection.execute(query, (unit,)).fetchone()
            row = (unit, number, _compact(definition), created)
            connection.execute("INSERT INTO units (name, epoch, definition, created) VALUES (?, ?, ?, ?)", row)
        self.resume_epoch(unit, number)
        return int(number)

    def resume_epoch(self, unit: UnitName, number: int) -> None:
        """Go on writing this epoch of a unit."""
        self._epochs[unit] = number

    def epoch(self, unit: UnitName) -> int:
        """The epoch that is being written; KeyError for a unit that has none in this run."""
        return self._epochs[unit]

    def append(self, records: Sequence[Record]) -> None:
        """Write a batch in one transaction: all of it or, with JournalError, nothing."""
        rows = [self._row(record) for record in records]
        with self._transaction() as connection:
            connection.executemany(_INSERT, rows)

    def write_snapshot(self, unit: UnitName, seq: int, digest: str, data: dict[str, Any]) -> None:
        """Replace the unit's snapshot."""
        row = (unit, self._epochs[unit], seq, digest, _compact(data))
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)", row)

    def write_clock(self, base: ClockBase) -> None:
        """Keep the clock."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('clock', ?)", (_compact(asdict(base)),))

    def close(self) -> None:
        """Fold the write-ahead log into the file and give the state directory back; a second time does nothing."""
        super().close()
        if self._lock is not None:
            self._lock.release()

    def _row(self, record: Record) -> tuple[object, ...]:
        event = record.event
        fact = event.fact
        data = _compact(fact_data(fact))
        return record.unit, self._epochs[record.unit], record.effects.seq, event.at, fact.TYPE, data, event.cause

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        with explained(self.path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                # SQLite has rolled back by itself after some errors, such as a full disk, and not after others.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")


def _entry(row: tuple[Any, ...]) -> JournalEntry:
    seq, at, kind, data, cause = row
    fact: Fact = fact_from(kind, json.loads(data))
    return JournalEntry(seq, Event(at, fact, cause))
