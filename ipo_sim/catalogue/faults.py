"""Rows of faults.yaml: what can be made to fail, and how."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from ipo_sim.catalogue.grade import Grade
from ipo_sim.catalogue.source import Cell

_NANOSECONDS = 1_000_000_000


class FaultTarget(StrEnum):
    """What fails: the card, its reader, the key server, a fitted part, a place for one, the unit, its messages."""

    FEATURE_KEY = "feature-key"
    READER = "reader"
    KEY_SERVER = "key-server"
    PART = "part"
    PLACE = "place"
    UNIT = "unit"
    MQTT = "mqtt"


class Chance(StrEnum):
    """When a fault may strike: once at its beginning, or at each of these."""

    ONCE = "once"
    INSERTION = "insertion"
    START = "start"
    POLL = "poll"
    MESSAGE = "message"


class OptionKind(StrEnum):
    """What an option is; `seconds` are kept as nanoseconds."""

    WHOLE = "whole"
    SECONDS = "seconds"
    SERIAL = "serial"


class FaultOption(NamedTuple):
    """An option: its default as a fault keeps it, and the bounds of a number."""

    kind: OptionKind
    default: str
    low: int = 0
    high: int = 0


class FaultType(NamedTuple):
    """One kind of fault. `alarm`: the maker's event that tells of it, of one that does no more than that.

    `key_form`: only models with that form of feature key have what can fail so.
    """

    name: str
    title: str
    target: FaultTarget
    chance: Chance
    options: MappingProxyType[str, FaultOption]
    grade: Grade
    alarm: int | None = None
    key_form: str | None = None


def read_faults(table: Cell) -> dict[str, FaultType]:
    """All rows by name."""
    return {name: _fault(name, cell) for name, cell in table.table()}


def _fault(name: str, cell: Cell) -> FaultType:
    with cell.row() as row:
        return FaultType(
            name,
            row.take("title").text(),
            row.take("target").choice(FaultTarget),
            row.take("chance").choice(Chance),
            row.get("options", _options, MappingProxyType({})),
            row.take("grade").choice(Grade),
            row.get("alarm", Cell.integer, None),
            row.get("key_form", Cell.text, None),
        )


def _options(cell: Cell) -> MappingProxyType[str, FaultOption]:
    return MappingProxyType({name: _option(option) for name, option in cell.table()})


def _option(cell: Cell) -> FaultOption:
    with cell.row() as row:
        kind = row.take("kind").choice(OptionKind)
        default = row.take("default")
        if kind is OptionKind.SERIAL:
            return FaultOption(kind, default.text())
        return FaultOption(
            kind, str(_number(default, kind)), *(_number(row.take(name), kind) for name in ("low", "high"))
        )


def _number(cell: Cell, kind: OptionKind) -> int:
    try:
        value = float(cell.text())
    except ValueError:
        cell.fail(f"expected a number, not {cell.text()!r}")
    return round(value * _NANOSECONDS) if kind is OptionKind.SECONDS else int(value)
