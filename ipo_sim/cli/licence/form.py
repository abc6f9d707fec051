"""The licence form of a unit, running or of a configuration, as a table or as JSON."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.config.boot import booted
from ipo_sim.cli.config.units import units_of
from ipo_sim.cli.entity_text import colour_of, reading_order
from ipo_sim.cli.failure import EXIT_OK, UsageError
from ipo_sim.cli.retained import retained
from ipo_sim.cli.terminal import Style, print_json, table
from ipo_sim.core.licence_form import licence_form
from ipo_sim.core.model import SECOND_NS, Nanoseconds, UnitDefinition
from ipo_sim.runtime.clock import restored

Form = dict[str, Any]

HEAD = ("NO", "LICENCE KEY", "TYPE", "STATUS", "INSTANCES", "EXPIRY")
# A day is as good as the moment of it at which no other time zone is on another day than asked for.
NOON = time(12)


def forms_of_configuration(arguments: Namespace) -> list[Form]:
    """The forms of the units of a configuration, each booted with its configured card on the day asked for."""
    at = moment_of(arguments.on)
    return [_form(definition, at) for definition in units_of(arguments.config, arguments.unit)]


def form_of_running(arguments: Namespace) -> Form:
    """The form of a running unit, from what its broker retains; CommandRejected, BrokerError."""
    return form_of_entities(arguments.unit, retained(arguments))


def form_of_entities(unit: str, entities: Mapping[str, Any]) -> Form:
    """The form that a unit's payloads make."""
    key = entities.get("feature-key") or {}
    paths = sorted((path for path in entities if path.startswith("licences/")), key=reading_order)
    fields = ("number", "key", "type", "status", "instances", "expiry")
    rows = [{name: entities[path][name] for name in fields} for path in paths]
    return {"unit": unit, "dongle_serial_number": key.get("dongle_serial_number", "None"), "licences": rows}


def print_form(arguments: Namespace) -> int:
    """`ctl UNIT licences`."""
    if arguments.words:
        raise UsageError("licences takes no arguments")
    form = form_of_running(arguments)
    if arguments.json:
        print_json(form)
    else:
        print(*form_lines(form, Style(sys.stdout)), sep="\n")
    return EXIT_OK


def form_lines(form: Form, style: Style) -> Iterator[str]:
    """The form as people read it."""
    yield style(form["unit"], "bold")
    yield f"  Dongle Serial Number  {form['dongle_serial_number']}"
    rows = [_cells(row) for row in form["licences"]]
    if not rows:
        yield "  no licence keys"
        return
    head, *lines = table(rows, HEAD)
    yield f"  {style(head, 'bold')}"
    for row, line in zip(form["licences"], lines, strict=True):
        yield f"  {line}" if row["status"] == "Valid" else f"  {style(line, colour_of(row['status']))}"


def moment_of(day: date | None) -> Nanoseconds:
    """Noon of the day, or now."""
    if day is None:
        return restored(None, Nanoseconds(0)).now()
    return Nanoseconds(round(datetime.combine(day, NOON, UTC).timestamp()) * SECOND_NS)


def _form(definition: UnitDefinition, at: Nanoseconds) -> Form:
    form = licence_form(booted(definition, load_catalogue(), at))
    rows = [{**row._asdict(), "expiry": row.expiry.isoformat() if row.expiry else None} for row in form.licences]
    return {"unit": definition.name, "dongle_serial_number": form.dongle_serial_number, "licences": rows}


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    instances = "-" if row["instances"] is None else str(row["instances"])
    return str(row["number"]), row["key"], row["type"], row["status"], instances, row["expiry"] or "never"
