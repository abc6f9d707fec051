"""One daemon for one state directory: a lock that ends with its process, however that ends."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from ipo_sim.errors import JournalError

LOCK_NAME = "lock"


class StateLock:
    """Holds a state directory, which is made if need be; JournalError when another daemon has it or it cannot be used.

    An open transaction of an empty SQLite file: the one lock that every platform's Python has in the same way.
    """

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = sqlite3.connect(directory / LOCK_NAME, timeout=0, isolation_level=None)
        except OSError as error:
            raise JournalError(f"the state directory {directory} cannot be used: {error.strerror or error}") from error
        except sqlite3.Error as error:
            raise JournalError(f"the state directory {directory} cannot be used: {_cause(directory, error)}") from error
        try:
            # In memory: a rollback journal beside the lock would outlive a killed daemon.
            self._connection.execute("PRAGMA journal_mode = MEMORY")
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            self._connection.close()
            raise JournalError(_refusal(directory, error)) from error

    def release(self) -> None:
        """Let the next one in; a second time does nothing."""
        with contextlib.suppress(sqlite3.ProgrammingError):
            self._connection.rollback()
        self._connection.close()


def _refusal(directory: Path, error: sqlite3.Error) -> str:
    if error.sqlite_errorname.startswith("SQLITE_BUSY"):
        return f"the state directory {directory} is in use by another daemon: stop that one or choose another directory"
    return f"the state directory {directory} cannot be locked: {_cause(directory, error)}"


def _cause(directory: Path, error: sqlite3.Error) -> str:
    """SQLite cannot tell why a file does not open; the system can."""
    import tempfile  # noqa: PLC0415 - who can start does not pay for it

    try:
        with tempfile.TemporaryFile(dir=directory):
            return str(error)
    except OSError as cause:
        return cause.strerror or str(cause)
