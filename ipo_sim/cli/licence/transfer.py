"""`ipo-sim licence import` and `export`: licences of a CSV file into a unit, running or configured, and out of it."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.config.file import add_items, in_unit
from ipo_sim.cli.config.units import units_of
from ipo_sim.cli.csv_file import CSV_TIMEOUT_S, STANDARD, Progress, chunks, print_problems, read_csv, write_csv
from ipo_sim.cli.discovery import find_broker
from ipo_sim.cli.failure import EXIT_FAILED, EXIT_OK, UsageError
from ipo_sim.cli.remote import check_unit, connected
from ipo_sim.cli.terminal import plural, print_json
from ipo_sim.config.entries import MAX_LICENCES
from ipo_sim.config.list_edit import quoted
from ipo_sim.core.licence_store import new_licence
from ipo_sim.core.model import UnitDefinition, UnitName
from ipo_sim.errors import BrokerError, CommandRejected, IpoSimError, LicenceFormatError
from ipo_sim.licensing.rows import LicenceRows, RowProblem, read_licence_rows, write_licence_rows
from ipo_sim.runtime.arguments import MAX_KEYS


def import_licences(arguments: Namespace) -> int:
    """Every good row goes in, every other one is told with its line; the exit code is 1 if there is one."""
    check_unit(arguments.unit)
    if arguments.config is not None and arguments.load:
        raise UsageError("--load is for a unit that runs: a configuration is loaded when the unit starts")
    content = read_csv(arguments.file)
    try:
        rows = read_licence_rows(content)
    except LicenceFormatError as error:
        raise UsageError(f"{arguments.file}: {error}") from None
    offline = arguments.config is not None
    if not offline:
        arguments.timeout = arguments.timeout or CSV_TIMEOUT_S
    present = (
        set(_configured(arguments).licences) if offline else {row["key"] for row in asyncio.run(_running(arguments))}
    )
    new = [key for key in rows.keys if key not in present]
    outcome = _configure(arguments, new) if offline else asyncio.run(_send(arguments, new))
    return _report(arguments, rows, present, outcome)


def export_licences(arguments: Namespace) -> int:
    """Name and key of each licence, in the order of their entry."""
    check_unit(arguments.unit)
    if arguments.config is not None:
        catalogue = load_catalogue()
        texts = _configured(arguments).licences
        licences = [(new_licence(catalogue, 1, text, 0, loaded=True).type_name, text) for text in texts]
    else:
        arguments.timeout = arguments.timeout or CSV_TIMEOUT_S
        licences = [(row["type"], row["key"]) for row in asyncio.run(_running(arguments))]
    is_file = arguments.file != STANDARD
    if is_file or not arguments.json:
        write_csv(arguments.file, write_licence_rows(licences))
    if arguments.json:
        facts = {"unit": arguments.unit, "file": arguments.file, "licences": len(licences)}
        print_json(facts if is_file else [{"name": name, "key": key} for name, key in licences])
    elif is_file:
        print(f"{arguments.unit}: {plural(len(licences), 'licence')} in {arguments.file}", file=sys.stderr)
    return EXIT_OK


class _Outcome:
    """What became of the good rows; `error` is why not all of them are in."""

    def __init__(self) -> None:
        self.entered = 0
        self.loaded = False
        self.error: IpoSimError | None = None


def _configured(arguments: Namespace) -> UnitDefinition:
    (unit,) = units_of(arguments.config, arguments.unit)
    return unit


async def _running(arguments: Namespace) -> list[dict[str, Any]]:
    """All licences of the unit, part by part: a broker can take minutes for 100,000 retained messages."""
    rows: list[dict[str, Any]] = []
    more = True
    async with connected(find_broker(arguments)) as remote:
        while more:
            after = rows[-1]["number"] if rows else 0
            answer = await remote.request(UnitName(arguments.unit), "export-licences", {"after": after})
            rows += answer["licences"]
            more = answer["more"]
    return rows


def _configure(arguments: Namespace, keys: Sequence[str]) -> _Outcome:
    config: Path = arguments.config
    unit = _configured(arguments)
    if len(unit.licences) + len(keys) > MAX_LICENCES:
        raise UsageError(f"{config}: with these {unit.name} would have more than {MAX_LICENCES:,} licences")
    if keys:
        add_items(
            config,
            unit.name,
            "licences",
            list(map(quoted, keys)),
            in_unit(unit.name, lambda known: replace(known, licences=(*known.licences, *keys))),
        )
    outcome = _Outcome()
    outcome.entered = len(keys)
    return outcome


async def _send(arguments: Namespace, keys: Sequence[str]) -> _Outcome:
    """Each part of a long list is one event of the unit; what was in when the way broke stays in."""
    outcome, unit = _Outcome(), UnitName(arguments.unit)
    progress = Progress(len(keys), "keys")
    try:
        async with connected(find_broker(arguments)) as remote:
            for part in chunks(keys, MAX_KEYS):
                progress.show(outcome.entered)
                await _unless_unchanged(remote.request(unit, "import-licences", {"keys": part}))
                outcome.entered += len(part)
            progress.show(outcome.entered)
            if arguments.load:
                await _unless_unchanged(remote.request(unit, "load-configuration", {}))
                outcome.loaded = True
    except (CommandRejected, BrokerError) as error:
        outcome.error = error
    finally:
        progress.end()
    return outcome


async def _unless_unchanged(request: Awaitable[object]) -> None:
    """Somebody else may have entered or loaded the same meanwhile."""
    try:
        await request
    except CommandRejected as error:
        if error.reason != "unchanged":
            raise


def _report(arguments: Namespace, rows: LicenceRows, present: set[str], outcome: _Outcome) -> int:
    known = [RowProblem(line, f"{key} is there already") for key, line in rows.keys.items() if key in present]
    warnings = sorted([*known, *rows.repeated])
    error = outcome.error
    if arguments.json:
        print_json(_facts(arguments, rows, warnings, outcome))
    else:
        print_problems(arguments.file, warnings, rows.problems)
        bad = plural(len(rows.problems), "bad row")
        print(f"{arguments.unit}: {plural(outcome.entered, 'key')} entered, {len(warnings):,} there already, {bad}")
        if outcome.entered and arguments.config is None and not outcome.loaded:
            print(f"They are Unknown until they are loaded: ipo-sim ctl {arguments.unit} load-configuration")
        if error is not None:
            print(f"ipo-sim: {error}", file=sys.stderr)
    return EXIT_FAILED if rows.problems or error is not None else EXIT_OK


def _facts(
    arguments: Namespace, rows: LicenceRows, warnings: Iterable[RowProblem], outcome: _Outcome
) -> dict[str, Any]:
    error = outcome.error
    code = error.reason if isinstance(error, CommandRejected) else error.code if error is not None else ""
    return {
        "ok": error is None,
        "unit": arguments.unit,
        "rows": rows.rows,
        "entered": outcome.entered,
        "loaded": outcome.loaded,
        "warnings": [row._asdict() for row in warnings],
        "problems": [row._asdict() for row in rows.problems],
        **({"error": {"code": code, "message": str(error)}} if error is not None else {}),
    }
