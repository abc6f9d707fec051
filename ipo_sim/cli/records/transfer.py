"""`ipo-sim records`: directory, hunt groups, short codes and users, as CSV into a unit and out of it."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.config.file import add_items, in_unit
from ipo_sim.cli.config.units import units_of
from ipo_sim.cli.csv_file import STANDARD, print_problems, read_csv, write_csv
from ipo_sim.cli.failure import EXIT_FAILED, EXIT_OK, UsageError
from ipo_sim.cli.records.options import TYPES, type_named
from ipo_sim.cli.records.running_users import Configured, configure_users, running_users
from ipo_sim.cli.remote import check_unit
from ipo_sim.cli.terminal import plural, print_json
from ipo_sim.config.record_rows import (
    RECORD_TYPES,
    Known,
    RecordRows,
    RecordType,
    read_record_rows,
    record_item,
    with_records,
    write_record_rows,
)
from ipo_sim.core.model import UnitDefinition
from ipo_sim.errors import LicenceFormatError

# A running unit has users; nothing in it depends on the other types, which its configuration holds.
RUNNING = "User"


def main(arguments: Namespace) -> int:
    """Import or export; the exit code is 1 if a row was bad."""
    check_unit(arguments.unit)
    kind = _type(arguments)
    if arguments.config is None and kind.name != RUNNING:
        raise UsageError(f"{kind.name}: a unit that runs takes records of type {RUNNING}; the others go into --config")
    return _import(arguments, kind) if arguments.records_command == "import" else _export(arguments, kind)


def _type(arguments: Namespace) -> RecordType:
    """What --type says, or the name of the file."""
    name = arguments.type or type_named(Path(arguments.file).stem)
    if name is None:
        raise UsageError(f"{arguments.file}: of which type are its records? --type is one of {', '.join(TYPES)}")
    return RECORD_TYPES[name]


def _import(arguments: Namespace, kind: RecordType) -> int:
    if arguments.config is None:
        rows = _read(arguments, kind, Known(users=running_users(arguments)))
        done = configure_users(arguments, list(zip(rows.lines, rows.records, strict=True)))
    else:
        (unit,) = units_of(arguments.config, arguments.unit)
        rows = _read(arguments, kind, unit)
        _add(arguments.config, kind, unit, rows)
        done = Configured(len(rows.records), (), None)
    rows = rows._replace(problems=tuple(sorted([*rows.problems, *done.refused])))
    _report(arguments, kind, rows, done)
    return EXIT_FAILED if rows.problems or done.error is not None else EXIT_OK


def _read(arguments: Namespace, kind: RecordType, unit: UnitDefinition | Known) -> RecordRows:
    try:
        return read_record_rows(kind, read_csv(arguments.file), load_catalogue(), unit)
    except LicenceFormatError as error:
        raise UsageError(f"{arguments.file}: {error}") from None


def _add(config: Path, kind: RecordType, unit: UnitDefinition, rows: RecordRows) -> None:
    old = getattr(unit, kind.setting)
    if len(old) + len(rows.records) > kind.most:
        raise UsageError(f"{config}: more than {kind.most:,} {kind.setting} would be in unit {unit.name}")
    if rows.records:
        add_items(
            config,
            unit.name,
            kind.setting,
            list(map(record_item, rows.records)),
            in_unit(unit.name, lambda known: with_records(kind, known, rows.records)),
        )


def _report(arguments: Namespace, kind: RecordType, rows: RecordRows, done: Configured) -> None:
    if arguments.json:
        error = {} if done.error is None else {"error": {"code": done.error.code, "message": str(done.error)}}
        facts = {
            "unit": arguments.unit,
            "type": kind.name,
            "rows": rows.rows,
            "entered": done.entered,
            "warnings": [row._asdict() for row in rows.present],
            "problems": [row._asdict() for row in rows.problems],
            **error,
        }
        print_json(facts)
        return
    print_problems(arguments.file, rows.present, rows.problems)
    entered = f"{plural(done.entered, 'record')} of type {kind.name} entered"
    bad = plural(len(rows.problems), "bad row")
    print(f"{arguments.unit}: {entered}, {len(rows.present):,} there already, {bad}")
    if done.error is not None:
        print(f"ipo-sim: {done.error}", file=sys.stderr)


def _export(arguments: Namespace, kind: RecordType) -> int:
    if arguments.config is None:
        records = running_users(arguments)
    else:
        (unit,) = units_of(arguments.config, arguments.unit)
        records = getattr(unit, kind.setting)
    is_file = arguments.file != STANDARD
    if is_file or not arguments.json:
        write_csv(arguments.file, write_record_rows(kind, records))
    if arguments.json:
        rows = [dict(zip(kind.columns, kind.write(record), strict=True)) for record in records]
        facts = {"unit": arguments.unit, "type": kind.name, "file": arguments.file, "records": len(records)}
        print_json(facts if is_file else rows)
    elif is_file:
        print(f"{arguments.unit}: {plural(len(records), 'record')} in {arguments.file}", file=sys.stderr)
    return EXIT_OK
