"""Reading a journal: units, epochs, events, while a daemon writes them or not."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ipo_sim.core.events import Event, Fact, fact_from
from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.errors import JournalError
from ipo_sim.runtime.clock import ClockBase
from ipo_sim.runtime.journal_file import (
    BUSY_TIMEOUT_S,
    JOURNAL_NAME,
    check_version,
    closed_on_error,
    damaged,
    explained,
)
from ipo_sim.runtime.journal_schema import SCHEMA_VERSION

# Events that are read at once. A query left open, by a reader that stops half-way, would keep the file open as well.
PAGE = 1_000

_COLUMNS = "SELECT seq, at, type, data, cause FROM events"
_AFTER = f"{_COLUMNS} WHERE unit = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?"
_HEAD = "SELECT hash FROM events WHERE unit = ? AND epoch = ? ORDER BY seq DESC LIMIT 1"
_LAST_UP_TO = "SELECT MAX(seq) FROM events WHERE unit = ? AND epoch = ? AND at <= ?"
_EPOCH_HEAD = "SELECT hash FROM units WHERE name = ? AND epoch = ?"
# Of the present epochs only: a unit that was rewound left later ones behind.
_LAST_AT = """SELECT MAX((
    SELECT at FROM events WHERE unit = name AND epoch = present.epoch ORDER BY seq DESC LIMIT 1
)) FROM (SELECT name, MAX(epoch) AS epoch FROM units GROUP BY name) AS present"""
_EPOCHS = "SELECT epoch, definition, created, rewound FROM units WHERE name = ? ORDER BY epoch"
# Schema 1 had no rewinding.
_EPOCHS_1 = "SELECT epoch, definition, created, '' FROM units WHERE name = ? ORDER BY epoch"


class Epoch(NamedTuple):
    """One definition of a unit and the history that began with it at `created` (simulation time).

    `rewound`: its first events are those of an older epoch, up to the moment to which the unit was rewound.
    """

    number: int
    definition: dict[str, Any]
    created: Nanoseconds
    rewound: Rewound | None = None


class Rewound(NamedTuple):
    """Which epoch was left behind, after which of its events, at what simulation time, and who did it."""

    epoch: int
    seq: int
    at: Nanoseconds
    cause: str


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

    A file that is damaged says so, and how to go on. `schema` is the version of its tables.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None, schema: int = SCHEMA_VERSION) -> None:
        self._connection = connection
        self.path = path
        self.schema = schema

    @classmethod
    def open(cls, state_dir: Path) -> JournalReader:
        """The journal of a state directory, for reading only."""
        path = state_dir / JOURNAL_NAME
        if not path.is_file():
            raise JournalError(f"the state directory {state_dir} holds no journal")
        return cls.open_file(path)

    @classmethod
    def open_file(cls, path: Path) -> JournalReader:
        """A journal by its file."""
        with explained(path):
            connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
        with closed_on_error(connection), explained(path):
            schema = check_version(connection, path)
        return cls(connection, path, schema)

    def units(self) -> list[UnitName]:
        """Names of all units that ever had an epoch."""
        return [UnitName(name) for (name,) in self.select("SELECT DISTINCT name FROM units ORDER BY name")]

    def epochs(self, unit: UnitName) -> list[Epoch]:
        """All epochs of a unit, the present one last."""
        rows = self.select(_EPOCHS if self.schema > 1 else _EPOCHS_1, unit)
        with self._sound():
            return [_epoch(row) for row in rows]

    def entries(self, unit: UnitName, epoch: int, after: int = 0) -> Iterator[JournalEntry]:
        """Events of an epoch with `seq` above `after`, in order."""
        while rows := self.select(_AFTER, unit, epoch, after, PAGE):
            with self._sound():
                page = [_entry(row) for row in rows]
            yield from page
            after = page[-1].seq

    def entry(self, unit: UnitName, epoch: int, seq: int) -> JournalEntry | None:
        """One event."""
        rows = self.select(f"{_COLUMNS} WHERE unit = ? AND epoch = ? AND seq = ?", unit, epoch, seq)
        with self._sound():
            return _entry(rows[0]) if rows else None

    def last_seq(self, unit: UnitName, epoch: int) -> int:
        """The last event of an epoch; 0 without one."""
        rows = self.select("SELECT MAX(seq) FROM events WHERE unit = ? AND epoch = ?", unit, epoch)
        return rows[0][0] or 0

    def seq_at(self, unit: UnitName, epoch: int, at: Nanoseconds) -> int:
        """The last event of an epoch up to a moment; 0 without one."""
        return self.select(_LAST_UP_TO, unit, epoch, at)[0][0] or 0

    def head(self, unit: UnitName, epoch: int) -> bytes:
        """Hash of the last row of an epoch: of its last event, else of the epoch itself; empty in schema 1."""
        if self.schema == 1:
            return b""
        rows = self.select(_HEAD, unit, epoch) or self.select(_EPOCH_HEAD, unit, epoch)
        return bytes(rows[0][0])

    def last_card(self, unit: UnitName, epoch: int) -> JournalEntry | None:
        """The last insertion of a feature key."""
        condition = "WHERE unit = ? AND epoch = ? AND type = 'feature-key-inserted' ORDER BY seq DESC LIMIT 1"
        rows = self.select(f"{_COLUMNS} INDEXED BY cards {condition}", unit, epoch)
        with self._sound():
            return _entry(rows[0]) if rows else None

    def last_at(self) -> Nanoseconds:
        """Simulation time of the latest event of all; 0 without one."""
        # The last row is not enough: a unit that comes back after others ran on catches up on its own past.
        rows = self.select(_LAST_AT)
        return Nanoseconds(rows[0][0] or 0)

    def last_row(self) -> int:
        """Number of the last event of all in the file; rows are only added, so it is how many there are."""
        return self.select("SELECT MAX(id) FROM events")[0][0] or 0

    def clock(self) -> ClockBase | None:
        """The clock as it was last changed or closed."""
        rows = self.select("SELECT value FROM meta WHERE key = 'clock'")
        with self._sound():
            return ClockBase(**json.loads(rows[0][0])) if rows else None

    def snapshot(self, unit: UnitName) -> Snapshot | None:
        """The unit's last snapshot; None without one, or when it cannot be read: it is only a short cut."""
        rows = self.select("SELECT epoch, seq, digest, data FROM snapshots WHERE unit = ?", unit)
        try:
            if not rows:
                return None
            epoch, seq, digest, text = rows[0]
            return Snapshot(epoch, seq, digest, json.loads(text))
        except ValueError:
            return None

    def select(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with explained(self.path):
            return self._connection.execute(query, parameters).fetchall()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """See, within the block, the journal as it is now, whatever a daemon adds meanwhile."""
        if self._connection.in_transaction:
            yield
            return
        self.select("BEGIN")
        try:
            # A transaction begins with its first reading.
            self.last_row()
            yield
        finally:
            self.select("ROLLBACK")

    def close(self) -> None:
        """Give the file back; a second time does nothing."""
        self._connection.close()

    @contextlib.contextmanager
    def _sound(self) -> Iterator[None]:
        try:
            with explained(self.path):
                yield
        except (ValueError, KeyError, TypeError) as error:
            raise JournalError(damaged(self.path, f"a record that cannot be read, {error}")) from error


def _epoch(row: tuple[Any, ...]) -> Epoch:
    number, definition, created, rewound = row
    return Epoch(number, json.loads(definition), created, Rewound(**json.loads(rewound)) if rewound else None)


def _entry(row: tuple[Any, ...]) -> JournalEntry:
    seq, at, kind, data, cause = row
    fact: Fact = fact_from(kind, json.loads(data))
    return JournalEntry(seq, Event(at, fact, cause))
