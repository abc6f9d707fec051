"""The file of the journal: how it is opened, and what its errors mean to the user."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import structlog

from ipo_sim.errors import JournalError
from ipo_sim.runtime.journal_schema import APPLICATION_ID, SCHEMA_VERSION, make_schema, migrate

JOURNAL_NAME = "journal.sqlite"
# A reader that holds a checkpoint up must not hold the event loop up for longer.
BUSY_TIMEOUT_S = 0.2

# The second comes of the index of the write-ahead log, which SQLite makes before it writes anything (Result and Error
# Codes: "may indicate that the underlying filesystem volume is out of space").
_NO_SPACE = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")

log = structlog.get_logger()


def damaged(path: Path | None, why: str) -> str:
    """What to tell the user of a journal that cannot be trusted."""
    return (
        f"the journal {path or 'in memory'} is damaged ({why}): put back a copy, or start with --fresh,"
        " which sets the file aside and begins anew from the configuration"
    )


def connect(path: Path | None) -> sqlite3.Connection:
    """A connection to the journal at `path`, made if need be, with the schema checked; None: in memory."""
    with explained(path):
        connection = sqlite3.connect(path or ":memory:", timeout=BUSY_TIMEOUT_S, isolation_level=None)
    with closed_on_error(connection), explained(path):
        connection.execute("PRAGMA cache_size = -256")
        connection.execute("PRAGMA journal_mode = WAL")
        # NORMAL syncs at checkpoints only: a killed process loses nothing, since what it wrote is the system's by then;
        # a power cut can lose the last moments but never the order or the soundness of what is left.
        connection.execute("PRAGMA synchronous = NORMAL")
        if connection.execute("PRAGMA application_id").fetchone() == (0,) and _is_empty(connection):
            make_schema(connection)
        version = check_version(connection, path)
        if version < SCHEMA_VERSION:
            migrate(connection)
            log.info("journal_migrated", path=str(path), schema=version, to=SCHEMA_VERSION)
    return connection


def _is_empty(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone() == (0,))


def check_version(connection: sqlite3.Connection, path: Path | None) -> int:
    """The schema version of a journal that can be read; JournalError for a newer one, and for another file."""
    if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
        raise JournalError(f"{path} is no journal of ipo-sim")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if not 1 <= version <= SCHEMA_VERSION:
        raise JournalError(
            f"the journal {path} has schema {version}, this version of ipo-sim reads 1 to {SCHEMA_VERSION}"
        )
    return int(version)


def is_sound(path: Path) -> bool:
    """Whether SQLite finds no damage in the whole file; JournalError when it cannot look, no file is sound."""
    if not path.exists():
        return True
    with explained(path):
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
    try:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError as error:
        raise JournalError(_explanation(path, error)) from error
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()


def set_aside(path: Path) -> Path:
    """Rename the journal and what belongs to it, and return its new name."""
    number = 1
    while (kept := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{path}{suffix}", f"{kept}{suffix}")  # noqa: PTH105 - the names are text with a suffix
    return kept


@contextlib.contextmanager
def closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    """Close the connection when the block fails."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


@contextlib.contextmanager
def explained(path: Path | None) -> Iterator[None]:
    """Turn what SQLite raises into a JournalError in the user's words."""
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(_explanation(path, error)) from error


def _explanation(path: Path | None, error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return damaged(path, str(error))
    if name in _NO_SPACE:
        return f"no space is left for the journal {path or 'in memory'}"
    return f"the journal {path or 'in memory'} cannot be used: {error}"
