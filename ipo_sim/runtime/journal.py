"""The journal: every event of every unit in one append-only SQLite file, written before the event acts."""

from __future__ import annotations

import contextlib
import heapq
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import repeat, takewhile
from pathlib import Path
from typing import Any

from ipo_sim.core.events import fact_data
from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.errors import JournalError
from ipo_sim.runtime.bus import Record
from ipo_sim.runtime.chain import NOTHING, epoch_hash, event_hash
from ipo_sim.runtime.clock import ClockBase
from ipo_sim.runtime.journal_file import JOURNAL_NAME, closed_on_error, connect, explained, is_sound, set_aside
from ipo_sim.runtime.journal_reader import Epoch, JournalEntry, JournalReader, Rewound, Snapshot
from ipo_sim.runtime.journal_rows import EventRow, epoch_rows, event_rows
from ipo_sim.runtime.lock import StateLock

__all__ = ["Epoch", "Journal", "JournalEntry", "JournalReader", "Rewound", "Snapshot"]

_INSERT = "INSERT INTO events (id, unit, epoch, seq, at, type, data, cause, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_EPOCH = "INSERT INTO units (name, epoch, definition, created, rewound, hash) VALUES (?, ?, ?, ?, ?, ?)"
_CLOCK = "INSERT OR REPLACE INTO meta VALUES ('clock', ?)"
_compact = json.JSONEncoder(separators=(",", ":")).encode

_Row = tuple[int, str, int, int, int, str, str, str, bytes]


# Where a unit's history is gone on with: the epoch, and the hash of its last row. A plain tuple: one for each event.
_Tail = tuple[int, bytes]


class Journal(JournalReader):
    """The one writer of a journal; holds the lock of its state directory until `close`."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None, lock: StateLock | None) -> None:
        super().__init__(connection, path)
        self._lock = lock
        self._tails: dict[UnitName, _Tail] = {}
        self._rows = self.last_row()

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
            connection = connect(path)
            with closed_on_error(connection):
                return cls(connection, path, lock)
        except BaseException:
            lock.release()
            raise

    def begin_epoch(self, unit: UnitName, definition: dict[str, Any], created: Nanoseconds) -> int:
        """Start a unit's next history; what went before stays in the file."""
        with self._transaction():
            tail = self._new_epoch(unit, _compact(definition), created, "")
        self._tails[unit] = tail
        return tail[0]

    def resume_epoch(self, unit: UnitName, number: int) -> None:
        """Go on writing this epoch of a unit."""
        self._tails[unit] = (number, self.head(unit, number))

    def epoch(self, unit: UnitName) -> int:
        """The epoch that is being written; KeyError for a unit that has none in this run."""
        return self._tails[unit][0]

    def history_hash(self, unit: UnitName) -> str:
        """The hash of the unit's last row, in hex: equal for equal journals, and for no others; costs nothing."""
        return self._tails[unit][1].hex()

    def append(self, records: Sequence[Record]) -> None:
        """Write a batch in one transaction: all of it or, with JournalError, nothing."""
        tails: dict[UnitName, _Tail] = {}
        rows: list[_Row] = []
        number = self._rows
        for unit, event, effects in records:
            epoch, before = tails.get(unit) or self._tails[unit]
            number += 1
            fact, at, cause, seq = event.fact, event.at, event.cause, effects.seq
            data = _compact(values) if (values := fact_data(fact)) else "{}"
            head = event_hash(before, number, seq, at, fact.TYPE, cause, data)
            tails[unit] = (epoch, head)
            rows.append((number, unit, epoch, seq, at, fact.TYPE, data, cause, head))
        with self._transaction() as connection:
            connection.executemany(_INSERT, rows)
        self._rows = number
        self._tails.update(tails)

    def rewind(self, seqs: Mapping[UnitName, int], at: Nanoseconds, cause: str, clock: ClockBase) -> None:
        """Begin an epoch of each unit with its present history up to an event, and keep the clock, all or nothing."""
        old = {unit: self._tails[unit][0] for unit in seqs}
        with self._transaction() as connection:
            tails = {unit: self._rewound_epoch(unit, Rewound(old[unit], seq, at, cause)) for unit, seq in seqs.items()}
            number = self._rows
            for unit, row in self._rows_up_to(old, seqs):
                number += 1
                epoch, before = tails[unit]
                head = event_hash(before, number, *row[1:-1])
                tails[unit] = (epoch, head)
                values = (number, unit, epoch, row.seq, row.at, row.type, row.data, row.cause, head)
                connection.execute(_INSERT, values)
            connection.execute(_CLOCK, (_compact(asdict(clock)),))
        self._rows = number
        self._tails.update(tails)

    def write_snapshot(self, unit: UnitName, seq: int, digest: str, data: dict[str, Any]) -> None:
        """Replace the unit's snapshot."""
        row = (unit, self._tails[unit][0], seq, digest, _compact(data))
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)", row)

    def write_clock(self, base: ClockBase) -> None:
        """Keep the clock."""
        with self._transaction() as connection:
            connection.execute(_CLOCK, (_compact(asdict(base)),))

    def close(self) -> None:
        """Fold the write-ahead log into the file and give the state directory back; a second time does nothing."""
        # Only a help for whoever verifies the file: one that lost its last rows looks like one that never had them.
        with contextlib.suppress(JournalError), self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('rows', ?)", (str(self._rows),))
        super().close()
        if self._lock is not None:
            self._lock.release()

    def _rewound_epoch(self, unit: UnitName, rewound: Rewound) -> _Tail:
        row = next(row for row in epoch_rows(self, unit) if row.epoch == rewound.epoch)
        return self._new_epoch(unit, row.definition, Nanoseconds(row.created), _compact(rewound._asdict()))

    def _rows_up_to(
        self, epochs: Mapping[UnitName, int], seqs: Mapping[UnitName, int]
    ) -> Iterator[tuple[UnitName, EventRow]]:
        """Events of several units, in the order in which they were written."""
        histories = [
            zip(repeat(unit), takewhile(partial(_is_up_to, seqs[unit]), event_rows(self, unit, epoch)), strict=False)
            for unit, epoch in epochs.items()
        ]
        return heapq.merge(*histories, key=lambda pair: pair[1].row)

    def _new_epoch(self, unit: UnitName, definition: str, created: Nanoseconds, rewound: str) -> _Tail:
        """Add the row of the next epoch, within a transaction."""
        (last,) = self.select("SELECT COALESCE(MAX(epoch), 0) FROM units WHERE name = ?", unit)[0]
        before = self.head(unit, last) if last else NOTHING
        head = epoch_hash(before, unit, last + 1, created, definition, rewound)
        self._connection.execute(_INSERT_EPOCH, (unit, last + 1, definition, created, rewound, head))
        return last + 1, head

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


def _is_up_to(seq: int, row: EventRow) -> bool:
    return row.seq <= seq
