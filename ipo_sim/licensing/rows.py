"""Licences in a CSV file: `name,key` rows as the service tools write them (licensing.md 6).

UTF-8 with or without a byte-order mark, LF or CR LF, no header row, and no text delimiter: a line is a row, so that a
stray quotation mark spoils no other. Quotation marks around a field, as spreadsheets write them, are taken off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ipo_sim.errors import LicenceFormatError
from ipo_sim.licensing.key import is_canonical, key_problem, normalise

_NAME_AND_KEY = 2
_CLEAN = str.maketrans(dict.fromkeys(',"\r\n', " "))


class RowProblem(NamedTuple):
    """What is wrong with the row in a line, counted from 1."""

    line: int
    message: str


class LicenceRows(NamedTuple):
    """What a file holds: keys in their order, each once and as it is kept, with the line of each; and the other rows.

    `rows` counts all that are not empty. `repeated` rows have the key of one above, `problems` have none.
    """

    rows: int
    keys: dict[str, int]
    repeated: tuple[RowProblem, ...]
    problems: tuple[RowProblem, ...]


def read_licence_rows(content: bytes) -> LicenceRows:
    """The rows of a file, each judged for itself; LicenceFormatError for a file that is no UTF-8 text: it has none."""
    keys: dict[str, int] = {}
    repeated: list[RowProblem] = []
    problems: list[RowProblem] = []
    rows = 0
    for line, row in numbered_rows(decoded(content)):
        if not row:
            continue
        rows += 1
        # Nearly every row of nearly every file ends with a key as it is kept.
        key = row.rpartition(",")[2]
        problem = None
        if not is_canonical(key):
            key = normalise(_key_of(row))
            problem = key_problem(key)
        if key in keys:
            repeated.append(RowProblem(line, f"the same key as in line {keys[key]}; it counts once"))
        elif problem is not None:
            problems.append(RowProblem(line, problem if key else "no licence key behind the name"))
        else:
            keys[key] = line
    return LicenceRows(rows, keys, tuple(repeated), tuple(problems))


def write_licence_rows(licences: Iterable[tuple[str, str]]) -> bytes:
    """Pairs of name and key as a file: no byte-order mark, no header, CR LF; a comma in a name becomes a blank."""
    return "".join([f"{name.translate(_CLEAN)},{key}\r\n" for name, key in licences]).encode()


def decoded(content: bytes) -> str:
    """The text of a file; LicenceFormatError says where it is no UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        where = f"byte {error.start + 1}, in line {line}, is not UTF-8"
        raise LicenceFormatError(f"{where}; save the file as UTF-8 (spreadsheets write ANSI)") from None


def numbered_rows(text: str) -> Iterator[tuple[int, str]]:
    """Each line after its number, counted from 1; empty ones are no rows."""
    return enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1)


def fields_of(row: str) -> list[str]:
    """The fields of a row."""
    return [field_text(field) for field in row.split(",")]


def field_text(field: str) -> str:
    """A field without the blanks and quotation marks around it."""
    return field.strip().strip('"')


def _key_of(row: str) -> str:
    """The key of a row that need not be just name and key.

    It is alone in its row, or last: a name can hold commas, and spreadsheets fill rows up with empty fields.
    """
    fields = fields_of(row)
    while len(fields) > _NAME_AND_KEY and not fields[-1]:
        fields.pop()
    return fields[-1]
