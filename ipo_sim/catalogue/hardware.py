"""Rows of hardware.yaml and timings.yaml: models, parts, LEDs, alarms, durations."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from functools import partial
from types import MappingProxyType

from ipo_sim.catalogue.grade import Grade
from ipo_sim.catalogue.source import Cell, Row, share
from ipo_sim.catalogue.types import (
    AlarmGroup,
    AlarmType,
    Capacities,
    LedPattern,
    LedRhythm,
    ModelType,
    PartType,
    PlaceKind,
    Ports,
    SlotKind,
    Timings,
)

# Sections of the data file: where their parts go, and into what kind of slot a card goes.
PARTS_BY_PLACE: Mapping[str, tuple[PlaceKind, SlotKind]] = MappingProxyType(
    {
        "base_cards": (PlaceKind.SLOT, SlotKind.GENERIC),
        "daughter_cards": (PlaceKind.DAUGHTER, SlotKind.GENERIC),
        "trunk_cards": (PlaceKind.SLOT, SlotKind.TRUNK),
        "vcm_cards": (PlaceKind.SLOT, SlotKind.VCM),
        "expansion_modules": (PlaceKind.EXPANSION, SlotKind.GENERIC),
    }
)
# X.733 severities with the maker's numbers.
SEVERITIES: Mapping[str, int] = MappingProxyType(
    {"cleared": 1, "indeterminate": 2, "critical": 3, "major": 4, "minor": 5, "warning": 6}
)
_NONE: Mapping[str, str] = MappingProxyType({})
DONGLES = frozenset({"dongle-parallel", "dongle-usb", "dongle-serial"})
COLOURS = frozenset({"off", "red", "green", "orange", "red/green"})
# Of an event that can be sent by command, and of rows that nothing here sends or shows.
_PASSING = "passing"
_NEVER = "never"
PORT_KINDS = frozenset({"DS", "POT", "ETR", "TCM", "DT", "ATM", "BRI", "PRI", "S0", "WAN", "EXP"})

_RUN = re.compile(r"([A-Z]+0?) ([1-9]\d?)-([1-9]\d?)", re.ASCII)
_LED_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", re.ASCII)


def grade(row: Row) -> Grade:
    """The grade that every row must carry."""
    return row.take("grade").choice(Grade)


def read_models(table: Cell) -> dict[str, ModelType]:
    """Models by code."""
    return {code: _model(code, cell) for code, cell in table.table()}


def read_parts(root: Row, models: Mapping[str, ModelType], profiles: tuple[str, ...]) -> dict[str, PartType]:
    """Cards and expansion modules by code; a part without models has all that take its kind, without profiles all."""
    parts: dict[str, PartType] = {}
    all_models = share(tuple(models))
    for section, (place, slot_kind) in PARTS_BY_PLACE.items():
        takers = share(tuple(code for code, model in models.items() if _takes(model, place, slot_kind)))
        for code, cell in root.take(section).table():
            if code in parts:
                cell.fail("stands in two sections")
            part = _part(code, place, cell, all_models, profiles)._replace(slot_kind=slot_kind)
            parts[code] = part if part.models is not all_models else part._replace(models=takers)
            _check_limit(parts, parts[code], cell)
    return parts


def _takes(model: ModelType, place: PlaceKind, slot_kind: SlotKind) -> bool:
    if place is PlaceKind.EXPANSION:
        return model.expansion_ports > 0
    # An IP500 has IP400 cards on its legacy card carriers.
    return model.takes_base_cards or slot_kind in model.slot_kinds


def read_led_patterns(table: Cell) -> dict[str, LedRhythm]:
    """The vocabulary of LED patterns by name."""
    return {name: _rhythm(cell) for name, cell in table.table()}


def read_leds(table: Cell, patterns: Mapping[str, LedRhythm]) -> dict[str, LedPattern]:
    """LED patterns by `subject.state`."""
    return {name: _led(name, cell, patterns) for name, cell in table.table()}


def read_alarms(table: Cell) -> dict[int, AlarmType]:
    """The maker's events by number."""
    alarms = {alarm.number: alarm for alarm in (_alarm(name, cell) for name, cell in table.table())}
    for alarm in alarms.values():
        if alarm.cleared_by is not None and alarm.cleared_by not in alarms:
            table.fail(f"event {alarm.number} is cleared by {alarm.cleared_by}, which is not in the list")
    return alarms


def read_timings(table: Cell) -> Timings:
    """All durations; each row has its value and its grade."""
    grades: dict[str, Grade] = {}
    with table.row() as rows:

        def value(name: str) -> Cell:
            with rows.take(name).row() as row:
                grades[name] = grade(row)
                return row.take("value")

        return Timings(
            module_delay_s=value("module_delay_s").number(),
            card_initialisation_s=value("card_initialisation_s").number(),
            shutdown_s=value("shutdown_s").number(),
            shutdown_ucm_s=value("shutdown_ucm_s").number(),
            shutdown_minutes_min=value("shutdown_minutes_min").integer(),
            shutdown_minutes_max=value("shutdown_minutes_max").integer(),
            grace_s=value("grace_s").number(),
            poll_s=value("poll_s").number(),
            grades=MappingProxyType(grades),
        )


def _model(code: str, cell: Cell) -> ModelType:
    with cell.row() as row:
        profiles = row.take("release_profiles").tuple_of(Cell.text)
        slots = row.take("slots").integer(1, 8)
        extensions = {name: value.integer() for name, value in row.take("max_extensions").table()}
        if set(extensions) != set(profiles):
            cell.fail("max_extensions must name every release profile")
        return ModelType(
            code=code,
            title=row.take("title").text(),
            slots=slots,
            expansion_ports=row.take("expansion_ports").integer(0, 12),
            key_form=row.take("key_form").text(),
            release_profiles=profiles,
            max_extensions=MappingProxyType(extensions),
            grade=grade(row),
            identity=row.take("identity").text(),
            sys_descr=row.take("sys_descr").text(),
            aux_button=row.take("aux_button").flag(),
            dongles=row.get("dongles", partial(_some_words, known=DONGLES), ()),
            runs_without_key=row.get("runs_without_key", Cell.flag, False),
            edition_profiles=row.get("edition_profiles", partial(_own_editions, profiles=profiles), _NONE),
            capacities=_capacities(row.take("capacities")),
            slot_kinds=row.get("slot_kinds", partial(_slot_kinds, slots=slots), ()),
            ports=row.get("ports", lambda runs: runs.tuple_of(_ports), ()),
            extensions=row.get("extensions", Cell.integer, 0),
            trunk_channels=row.get("trunk_channels", Cell.integer, 0),
            vcm_channels=row.get("vcm_channels", Cell.integer, 0),
            vcm_free=row.get("vcm_free", Cell.integer, 0),
        )


def _own_editions(cell: Cell, profiles: tuple[str, ...]) -> Mapping[str, str]:
    names = {profile: name.text() for profile, name in cell.table()}
    if set(names) != set(profiles):
        cell.fail("edition_profiles must name every release profile")
    return MappingProxyType(names)


def _slot_kinds(cell: Cell, slots: int) -> tuple[SlotKind, ...]:
    kinds = tuple(item.choice(SlotKind) for item in cell.cells())
    if len(kinds) != slots:
        cell.fail(f"expected the kinds of {slots} slots, not {len(kinds)}")
    return kinds


def _capacities(cell: Cell) -> Capacities:
    known = set(Capacities._fields)
    values: dict[str, int] = {}
    for name, value in cell.table():
        if name not in known:
            value.fail(f"unknown field {name!r}")
        values[name] = value.integer()
    return Capacities(**values)


def _part(code: str, place: PlaceKind, cell: Cell, models: tuple[str, ...], profiles: tuple[str, ...]) -> PartType:
    with cell.row() as row:
        return PartType(
            code=code,
            place=place,
            identity=row.take("identity").text(),
            name=row.take("name").text(),
            ports=row.take("ports").tuple_of(_ports),
            models=_some_of(row, "models", models),
            profiles=_some_of(row, "profiles", profiles),
            grade=grade(row),
            description=row.take("description").text(),
            limit_group=row.get("limit_group", Cell.text, None),
            limit=row.get("limit", _count, None),
            carries_daughter=row.get("carries_daughter", Cell.flag, default=False),
            carries_ip400=row.get("carries_ip400", Cell.flag, default=False),
            slots=row.get("slots", _integers, ()),
            expansion_ports=row.get("expansion_ports", _integers, ()),
            extensions=row.get("extensions", Cell.integer, 0),
            vcm_channels=row.get("vcm_channels", Cell.integer, 0),
            trunk_channels=row.get("trunk_channels", Cell.integer, 0),
        )


def _some_words(cell: Cell, known: Container[str]) -> tuple[str, ...]:
    return cell.tuple_of(lambda item: one_of(item, known))


def _some_of(row: Row, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    return row.get(name, partial(_some_words, known=known), known)


def one_of(cell: Cell, known: Container[str]) -> str:
    """A name out of `known`; any other dangles."""
    text = cell.text()
    if text not in known:
        cell.fail(f"{text!r} is not in the catalogue")
    return text


def _check_limit(parts: Mapping[str, PartType], part: PartType, cell: Cell) -> None:
    if part.limit_group is None:
        return
    if any(other.limit != part.limit for other in parts.values() if other.limit_group == part.limit_group):
        cell.fail(f"the limits of group {part.limit_group!r} differ")


def _count(cell: Cell) -> int:
    return cell.integer(1)


def _integers(cell: Cell) -> tuple[int, ...]:
    return cell.tuple_of(_count)


def _ports(cell: Cell) -> Ports:
    match = _RUN.fullmatch(cell.text())
    if match is None or match[1] not in PORT_KINDS or int(match[2]) > int(match[3]):
        cell.fail(f"expected ports such as 'DS 1-8', not {cell.text()!r}")
    first, last = int(match[2]), int(match[3])
    return Ports(match[1], first, last - first + 1)


def _rhythm(cell: Cell) -> LedRhythm:
    times = [item.number() for item in cell.cells()]
    if len(times) != 2 or not sum(times):  # noqa: PLR2004 - a rhythm has two phases
        cell.fail("expected two durations, not both 0")
    return LedRhythm(*times)


def _led(name: str, cell: Cell, patterns: Mapping[str, LedRhythm]) -> LedPattern:
    (colour, pattern, graded), rest = _with_rest(cell, 3)
    if not _LED_NAME.fullmatch(name):
        cell.fail("expected a name such as cpu.running")
    if colour.text() not in COLOURS:
        colour.fail(f"{colour.text()!r} is no colour of an LED")
    if rest and rest.pop(0).text() != _NEVER:
        cell.fail(f"expected 3 columns, or {_NEVER} as the fourth")
    never = _never(cell, rest) if rest else None
    return LedPattern(colour.text(), one_of(pattern, patterns), graded.choice(Grade), never)


def _alarm(name: str, cell: Cell) -> AlarmType:
    (event, group, severity, cleared_by, graded), rest = _with_rest(cell, 5)
    sent = rest.pop(0).text() if rest else ""
    if sent not in ("", _PASSING, _NEVER):
        cell.fail(f"expected {_PASSING} or {_NEVER}, not {sent!r}")
    if not name.isdecimal():
        cell.fail("expected the number of an event")
    return AlarmType(
        number=int(name),
        name=event.text(),
        severity=SEVERITIES[one_of(severity, SEVERITIES)],
        cleared_by=None if cleared_by.text() == "null" else cleared_by.integer(),
        grade=graded.choice(Grade),
        group=group.choice(AlarmGroup),
        passing=sent == _PASSING,
        never=_never(cell, rest) if sent == _NEVER else None,
    )


def _never(cell: Cell, columns: list[Cell]) -> tuple[str, Grade]:
    """Why nothing here has this row, and how that is known."""
    if len(columns) != 2:  # noqa: PLR2004 - reason and grade
        cell.fail(f"{_NEVER} wants a reason and its grade")
    return columns[0].text(), columns[1].choice(Grade)


def _with_rest(cell: Cell, count: int) -> tuple[list[Cell], list[Cell]]:
    """The columns that every row has, and those that only some have."""
    cells = cell.cells()
    if len(cells) < count:
        cell.fail(f"expected {count} columns, not {len(cells)}")
    return cells[:count], cells[count:]
