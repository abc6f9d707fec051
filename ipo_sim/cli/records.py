"""`ipo-sim records`: directory, hunt groups, short codes and users, as CSV into a configuration and out of it."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.config_file import add_items, in_unit
from ipo_sim.cli.csv_file import STANDARD, print_problems, read_csv, write_csv
from ipo_sim.cli.failure import EXIT_FAILED, EXIT_OK, UsageError
from ipo_sim.cli.licence_form import units_of
from ipo_sim.cli.record_types import TYPES, type_named
from ipo_sim.cli.terminal import plural, print_json
from ipo_sim.config.record_rows import (
    RECORD_TYPES,
    RecordRows,
    RecordType,
    read_record_rows,
    record_item,
    with_records,
    write_record_rows,
)
from ipo_sim.core.model import UnitDefinition
from ipo_sim.errors import LicenceFormatError


def main(arguments: Namespace) -> int:
    """Import or export; the exit code is 1 if a row was bad."""
    kind = _type(arguments)
    (unit,) = units_of(arguments.config, arguments.unit)
    return _import(arguments, kind, unit) if arguments.records_command == "import" else _export(arguments, kind, unit)


def _type(arguments: Namespace) -> RecordType:
    """What --type says, or the name of the file."""
    name = arguments.type or type_named(Path(arguments.file).stem)
    if name is None:
        raise UsageError(f"{arguments.file}: of which type are its records? --type is one of {', '.join(TYPES)}")
    return RECORD_TYPES[name]


def _import(arguments: Namespace, kind: RecordType, unit: UnitDefinition) -> int:
    try:
        rows = read_record_rows(kind, read_csv(arguments.file), load_catalogue(), unit)
    except LicenceFormatError as error:
        raise UsageError(f"{arguments.file}: {error}") from None
    old = getattr(unit, kind.setting)
    if len(old) + len(rows.records) > kind.most:
        raise UsageError(f"{arguments.config}: more than {kind.most:,} {kind.setting} would be in unit {unit.name}")
    if rows.records:
        add_items(
            arguments.config,
            unit.name,
            kind.setting,
            list(map(record_item, rows.records)),
            in_unit(unit.name, lambda known: with_records(kind, known, rows.records)),
        )
    _report(arguments, kind, rows)
    return EXIT_FAILED if rows.problems else EXIT_OK


def _report(arguments: Namespace, kind: RecordType, rows: RecordRows) -> None:
    if arguments.json:
        facts = {
            "unit": arguments.unit,
            "type": kind.name,
            "rows": rows.rows,
            "entered": len(rows.records),
            "warnings": [row._asdict() for row in rows.present],
            "problems": [row._asdict() for row in rows.problems],
        }
        print_json(facts)
        return
    print_problems(arguments.file, rows.present, rows.problems)
    entered = f"{plural(len(rows.records), 'record')} of type {kind.name} entered"
    bad = plural(len(rows.problems), "bad row")
    print(f"{arguments.unit}: {entered}, {len(rows.present):,} there already, {bad}")


def _export(arguments: Namespace, kind: RecordType, unit: UnitDefinition) -> int:
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
