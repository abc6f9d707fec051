"""The tables of a journal, and how a file of an older schema becomes one of the present schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from ipo_sim.runtime.chain import NOTHING, epoch_hash, event_hash

SCHEMA_VERSION = 2
# "IPOs": tells a journal from any other SQLite file.
APPLICATION_ID = 0x49504F73

# Rows that are chained at once: some megabytes, whatever the file has.
_PAGE = 10_000

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE units (
    name TEXT, epoch INTEGER, definition TEXT NOT NULL, created INTEGER NOT NULL,
    rewound TEXT NOT NULL DEFAULT '', hash BLOB NOT NULL DEFAULT x'', PRIMARY KEY (name, epoch)
) WITHOUT ROWID;
CREATE TABLE events (
    id INTEGER PRIMARY KEY, unit TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
    type TEXT NOT NULL, data TEXT NOT NULL, cause TEXT NOT NULL, hash BLOB NOT NULL DEFAULT x'',
    UNIQUE (unit, epoch, seq)
);
CREATE INDEX cards ON events (unit, epoch, seq) WHERE type = 'feature-key-inserted';
CREATE TABLE snapshots (
    unit TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, digest TEXT NOT NULL, data TEXT NOT NULL
) WITHOUT ROWID;
"""

# Schema 1 had neither hashes nor the column that says where an epoch was rewound from.
_TO_2 = """
ALTER TABLE units ADD COLUMN rewound TEXT NOT NULL DEFAULT '';
ALTER TABLE units ADD COLUMN hash BLOB NOT NULL DEFAULT x'';
ALTER TABLE events ADD COLUMN hash BLOB NOT NULL DEFAULT x'';
"""
_UNITS = "SELECT name, epoch, created, definition, rewound FROM units ORDER BY name, epoch"
_EVENTS = """SELECT id, seq, at, type, cause, data FROM events
    WHERE unit = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?"""


def make_schema(connection: sqlite3.Connection) -> None:
    """Turn an empty file into a journal."""
    stamp = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};"
    connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} {stamp} COMMIT")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a journal of schema 1 to the present one, in one transaction: a process that is killed leaves it as it was.

    What is in it stays as it is; its rows are chained as they stand.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in filter(None, map(str.strip, _TO_2.split(";"))):
            connection.execute(statement)
        _chain(connection)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _chain(connection: sqlite3.Connection) -> None:
    last: tuple[str, bytes] = ("", NOTHING)
    for name, epoch, created, definition, rewound in connection.execute(_UNITS).fetchall():
        before = last[1] if last[0] == name else NOTHING
        head = epoch_hash(before, name, epoch, created, definition, rewound)
        connection.execute("UPDATE units SET hash = ? WHERE name = ? AND epoch = ?", (head, name, epoch))
        for page in _pages(connection, name, epoch):
            hashes = []
            for row, *values in page:
                head = event_hash(head, row, *values)
                hashes.append((head, row))
            connection.executemany("UPDATE events SET hash = ? WHERE id = ?", hashes)
        last = (name, head)


def _pages(connection: sqlite3.Connection, name: str, epoch: int) -> Iterator[list[tuple[Any, ...]]]:
    after = 0
    while page := connection.execute(_EVENTS, (name, epoch, after, _PAGE)).fetchall():
        yield page
        after = page[-1][1]
