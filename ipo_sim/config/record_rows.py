"""Records in CSV files: directory, hunt groups, short codes and users as rows, and as items of a configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from enum import StrEnum
from typing import Any, NamedTuple

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.config.entry import MAX_RECORDS
from ipo_sim.config.list_edit import quoted
from ipo_sim.config.record_entries import MAX_DIRECTORY
from ipo_sim.core.definition import (
    DirectoryDefinition,
    HuntGroupDefinition,
    ShortCodeDefinition,
    UnitDefinition,
    UserDefinition,
)
from ipo_sim.core.people import user_problem
from ipo_sim.core.records import directory_problem, hunt_group_problem, short_code_problem
from ipo_sim.core.words import HuntMode
from ipo_sim.errors import LicenceFormatError
from ipo_sim.licensing.rows import RowProblem, decoded, fields_of, numbered_rows

# Columns of a hunt group that say how it rings, in the order of the file.
RINGS = (HuntMode.GROUP, HuntMode.HUNT, HuntMode.ROTARY, HuntMode.LONGEST_WAITING)
_ON, _OFF = frozenset({"1", "yes", "true", "on"}), frozenset({"", "0", "no", "false", "off"})
_BETWEEN_FEATURES = ";"

# One of the four kinds of records.
Record = Any
Problem = tuple[str, str] | None


class RecordType(NamedTuple):
    """A type of file: the setting that its records stand under, its columns, and how a row becomes a record and back.

    `unique` are the fields in which no two records are alike; the first one names it.
    """

    name: str
    setting: str
    most: int
    columns: tuple[str, ...]
    unique: tuple[str, ...]
    read: Callable[[Sequence[str]], Record]
    write: Callable[[Record], Sequence[str]]
    problem: Callable[[Catalogue, Record], Problem]


class Known(NamedTuple):
    """The records that a unit has already, as its definition has them."""

    directory: tuple[DirectoryDefinition, ...] = ()
    hunt_groups: tuple[HuntGroupDefinition, ...] = ()
    short_codes: tuple[ShortCodeDefinition, ...] = ()
    users: tuple[UserDefinition, ...] = ()


class RecordRows(NamedTuple):
    """What a file holds for a unit: new records with their lines, rows whose record is there already, and bad ones."""

    rows: int
    records: tuple[Record, ...]
    lines: tuple[int, ...]
    present: tuple[RowProblem, ...]
    problems: tuple[RowProblem, ...]


def read_record_rows(
    kind: RecordType, content: bytes, catalogue: Catalogue, unit: UnitDefinition | Known
) -> RecordRows:
    """The rows of a file, each judged for itself; LicenceFormatError for a file that is no UTF-8 text.

    A row whose record is there under its name is passed over, whatever else it says: import changes nothing.
    """
    taken = _Taken(kind, unit)
    records: list[Record] = []
    lines: list[int] = []
    present: list[RowProblem] = []
    problems: list[RowProblem] = []
    rows = 0
    for line, row in numbered_rows(decoded(content)):
        if not row:
            continue
        rows += 1
        try:
            record = kind.read(_fields(kind, row))
            if taken.names(record):
                present.append(RowProblem(line, f"{taken.name_of(record)} is there already"))
                continue
            taken.check(record)
        except LicenceFormatError as error:
            problems.append(RowProblem(line, str(error)))
            continue
        if (problem := kind.problem(catalogue, record)) is not None:
            problems.append(RowProblem(line, problem[1]))
            continue
        taken.add(record)
        records.append(record)
        lines.append(line)
    return RecordRows(rows, tuple(records), tuple(lines), tuple(present), tuple(problems))


def write_record_rows(kind: RecordType, records: Iterable[Record]) -> bytes:
    """The records as a file: no byte-order mark, no header, CR LF."""
    return "".join([f"{','.join(kind.write(record))}\r\n" for record in records]).encode()


def record_item(record: Record) -> str:
    """The record as an item of a list in YAML, on one line; what is as by default is left out."""
    given = [
        f"{field.name}: {_yaml(getattr(record, field.name))}"
        for field in fields(record)
        if field.default is MISSING or getattr(record, field.name) != field.default
    ]
    return f"{{{', '.join(given)}}}"


def with_records(kind: RecordType, unit: UnitDefinition, records: Sequence[Record]) -> UnitDefinition:
    """The unit with more records of that type."""
    more: dict[str, Any] = {kind.setting: (*getattr(unit, kind.setting), *records)}
    return replace(unit, **more)


class _Taken:
    """What no further record may be called or have as its number."""

    def __init__(self, kind: RecordType, unit: UnitDefinition | Known) -> None:
        self._kind = kind
        self._values: dict[str, dict[str, str]] = {field: {} for field in kind.unique}
        if kind.setting in ("users", "hunt_groups"):
            self._values["extension"] = {user.extension: f"user {user.name}" for user in unit.users if user.extension}
            self._values["extension"] |= {group.extension: f"hunt group {group.name}" for group in unit.hunt_groups}
        for record in getattr(unit, kind.setting):
            self.add(record)

    def name_of(self, record: Record) -> str:
        return str(getattr(record, self._kind.unique[0]))

    def names(self, record: Record) -> bool:
        return self.name_of(record) in self._values[self._kind.unique[0]]

    def check(self, record: Record) -> None:
        for field in self._kind.unique[1:]:
            value = getattr(record, field)
            if value in self._values[field]:
                raise LicenceFormatError(f"{field} {value} is that of {self._values[field][value]}")

    def add(self, record: Record) -> None:
        for field in self._kind.unique:
            value = getattr(record, field)
            if value:
                self._values[field].setdefault(value, f"{self._kind.name} {self.name_of(record)}")


def _fields(kind: RecordType, row: str) -> list[str]:
    """The fields of a row, as many as there are columns: empty ones at its end may be left out, or too many."""
    found = fields_of(row)
    while len(found) > len(kind.columns) and not found[-1]:
        found.pop()
    if len(found) > len(kind.columns):
        raise LicenceFormatError(f"{len(found)} fields; a row has {len(kind.columns)}: {', '.join(kind.columns)}")
    return found + [""] * (len(kind.columns) - len(found))


def _switch(column: str, text: str) -> bool:
    if text.casefold() in _ON:
        return True
    if text.casefold() in _OFF:
        return False
    raise LicenceFormatError(f"{column}: 1 or 0 is wanted, not {text[:MAX_SHOWN]!r}")


def _hunt_group(row: Sequence[str]) -> HuntGroupDefinition:
    switches = [_switch(column, text) for column, text in zip(HUNT_GROUP_COLUMNS[2:9], row[2:9], strict=True)]
    rings = [ring for ring, is_on in zip(RINGS, switches, strict=False) if is_on]
    if len(rings) > 1:
        raise LicenceFormatError(f"it rings in one way only, not as {' and '.join(rings)}")
    queuing, voicemail, broadcast = switches[4:]
    ring = rings[0] if rings else HuntMode.GROUP
    return HuntGroupDefinition(row[0], row[1], ring, (), queuing, voicemail, broadcast, row[9])


def _hunt_group_row(group: HuntGroupDefinition) -> Sequence[str]:
    switches = [*(group.ring is ring for ring in RINGS), group.queuing, group.voicemail, group.broadcast]
    return (group.name, group.extension, *["1" if is_on else "0" for is_on in switches], group.voicemail_email)


def _user(row: Sequence[str]) -> UserDefinition:
    features = tuple(filter(None, map(str.strip, row[4].split(_BETWEEN_FEATURES))))
    return UserDefinition(row[0], row[1], row[2], row[3] or UserDefinition("").profile, features)


def _user_row(user: UserDefinition) -> Sequence[str]:
    return user.name, user.full_name, user.extension, user.profile, _BETWEEN_FEATURES.join(user.features)


def _yaml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    return quoted(value.value if isinstance(value, StrEnum) else str(value))


# Of a field that is wrong, what a message shows.
MAX_SHOWN = 32
HUNT_GROUP_COLUMNS = (
    "name",
    "extension",
    "group",
    "hunt",
    "rotary",
    "longest waiting",
    "queuing on",
    "voicemail on",
    "broadcast",
    "voicemail email",
)

_ALL = (
    RecordType(
        "Directory",
        "directory",
        MAX_DIRECTORY,
        ("name", "number"),
        ("name",),
        lambda row: DirectoryDefinition(*row),
        lambda record: (record.name, record.number),
        lambda _, record: directory_problem(record),
    ),
    RecordType(
        "HG",
        "hunt_groups",
        MAX_RECORDS,
        HUNT_GROUP_COLUMNS,
        ("name", "extension"),
        _hunt_group,
        _hunt_group_row,
        lambda _, record: hunt_group_problem(record),
    ),
    RecordType(
        "Shortcode",
        "short_codes",
        MAX_RECORDS,
        ("code", "telephone number", "feature"),
        ("code",),
        lambda row: ShortCodeDefinition(*row),
        lambda record: (record.code, record.number, record.feature),
        lambda _, record: short_code_problem(record),
    ),
    RecordType(
        "User",
        "users",
        MAX_RECORDS,
        ("name", "full name", "extension", "profile", "features"),
        ("name", "extension"),
        _user,
        _user_row,
        user_problem,
    ),
)

RECORD_TYPES: Mapping[str, RecordType] = {kind.name: kind for kind in _ALL}
