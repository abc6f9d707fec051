"""The rows of a journal as they stand in the file: for whoever checks, copies or exports them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ipo_sim.core.model import UnitName
from ipo_sim.runtime.journal_reader import JournalReader

# Rows that are read at once.
PAGE = 1_000

# Below every number that a row can have.
_FIRST = -(2**63)
_TYPES = (int, int, int, str, str, str, bytes)

_EVENT = "id, seq, at, type, cause, data, {hash}"
_OF_EPOCH = "SELECT {columns} FROM events WHERE unit = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?"
_OF_ALL = "SELECT unit, epoch, {columns} FROM events WHERE id > ? ORDER BY id LIMIT ?"
_EPOCHS = "SELECT epoch, created, definition, {rewound}, {hash} FROM units WHERE name = ? ORDER BY epoch"
_STRAYS = """SELECT unit, epoch, COUNT(*), MIN(id) FROM events AS e
    WHERE NOT EXISTS (SELECT 1 FROM units WHERE name = e.unit AND epoch = e.epoch) GROUP BY unit, epoch"""
_GAPS = """SELECT before + 1, id - 1 FROM (SELECT id, LAG(id, 1, 0) OVER (ORDER BY id) AS before FROM events)
    WHERE id > before + 1"""


class EventRow(NamedTuple):
    """A row of `events`, in the order in which `event_hash` takes it; `hash` is empty in schema 1."""

    row: int
    seq: int
    at: int
    type: str
    cause: str
    data: str
    hash: bytes

    @property
    def is_plausible(self) -> bool:
        """Whether its values are of the types that a journal writes."""
        return tuple(map(type, self)) == _TYPES


class EpochRow(NamedTuple):
    """A row of `units`; `rewound` and `hash` are empty in schema 1."""

    epoch: int
    created: int
    definition: str
    rewound: str
    hash: bytes


def epoch_rows(reader: JournalReader, unit: UnitName) -> list[EpochRow]:
    """All epochs of a unit, in order."""
    query = _EPOCHS.format(rewound=_chained(reader, "rewound", "''"), hash=_hash(reader))
    return [EpochRow(*row) for row in reader.select(query, unit)]


def event_rows(reader: JournalReader, unit: UnitName, epoch: int) -> Iterator[EventRow]:
    """All events of an epoch, in order."""
    query = _OF_EPOCH.format(columns=_EVENT.format(hash=_hash(reader)))
    after = _FIRST
    while rows := reader.select(query, unit, epoch, after, PAGE):
        yield from (EventRow(*row) for row in rows)
        after = rows[-1][1]


def all_event_rows(reader: JournalReader, after: int = 0) -> Iterator[tuple[UnitName, int, EventRow]]:
    """Unit, epoch and row of every event behind row `after`, in the order in which they were written."""
    query = _OF_ALL.format(columns=_EVENT.format(hash=_hash(reader)))
    while rows := reader.select(query, after, PAGE):
        yield from ((unit, epoch, EventRow(*row)) for unit, epoch, *row in rows)
        after = rows[-1][2]


def strays(reader: JournalReader) -> list[tuple[str, int, int, int]]:
    """Unit and epoch of events whose epoch has no row, how many they are, and the number of the first."""
    return [(unit, epoch, count, first) for unit, epoch, count, first in reader.select(_STRAYS)]


def missing_rows(reader: JournalReader) -> list[tuple[int, int]]:
    """First and last number of each run of rows that are not there, though later ones are, or were at the last end."""
    gaps = [(first, last) for first, last in reader.select(_GAPS)]
    kept = reader.select("SELECT value FROM meta WHERE key = 'rows'")
    last, written = reader.last_row(), int(kept[0][0]) if kept and str(kept[0][0]).isdecimal() else 0
    return [*gaps, (last + 1, written)] if written > last else gaps


def damage(reader: JournalReader) -> list[str]:
    """What SQLite itself finds wrong with the file."""
    found = [text for (text,) in reader.select("PRAGMA integrity_check(10)")]
    return [] if found == ["ok"] else found


def _hash(reader: JournalReader) -> str:
    return _chained(reader, "hash", "x''")


def _chained(reader: JournalReader, column: str, without: str) -> str:
    return column if reader.schema > 1 else without
