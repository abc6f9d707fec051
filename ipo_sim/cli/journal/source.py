"""Where a journal is read from: a state directory, an export, a report, or a file that was copied from one."""

from __future__ import annotations

import io
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipo_sim.cli.state_dir import default_state_dir
from ipo_sim.errors import JournalError
from ipo_sim.runtime.journal_export import read_export
from ipo_sim.runtime.journal_reader import JournalReader

# The member of a report that is its journal.
EXPORT_NAME = "journal.jsonl"

_SQLITE, _ZIP = b"SQLite format 3\0", b"PK\x03\x04"
STANDARD = Path("-")


@contextmanager
def opened(arguments: Namespace) -> Iterator[JournalReader]:
    """The journal that the options name; JournalError."""
    with opened_at(arguments.file or arguments.state_dir or default_state_dir()) as reader:
        yield reader


@contextmanager
def opened_at(path: Path) -> Iterator[JournalReader]:
    """The journal at a path, as it is now; JournalError."""
    reader = _open(path)
    try:
        with reader.frozen():
            yield reader
    finally:
        reader.close()


def _open(path: Path) -> JournalReader:
    if path == STANDARD:
        return read_export(sys.stdin, "standard input")
    if not path.is_file():
        return JournalReader.open(path)
    try:
        with path.open("rb") as file:
            magic = file.read(len(_SQLITE))
        if magic == _SQLITE:
            return JournalReader.open_file(path)
        if magic.startswith(_ZIP):
            return _of_report(path)
        with path.open(encoding="utf-8") as lines:
            return read_export(lines, str(path))
    except UnicodeDecodeError:
        raise JournalError(f"{path} is neither a journal nor an export of one") from None
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror or error}") from None


def _of_report(path: Path) -> JournalReader:
    from zipfile import BadZipFile, ZipFile  # noqa: PLC0415 - only who has a report pays for it

    try:
        with ZipFile(path) as report, report.open(EXPORT_NAME) as member:
            return read_export(io.TextIOWrapper(member, encoding="utf-8"), f"{path}/{EXPORT_NAME}")
    except (KeyError, BadZipFile) as error:
        raise JournalError(f"{path} is no report of ipo-sim: {error}") from None
