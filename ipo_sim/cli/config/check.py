"""`ipo-sim check`: what is wrong in configurations, and what comes of them."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.config.boot import Boot, boot
from ipo_sim.cli.config.cassettes import load_settings
from ipo_sim.cli.failure import EXIT_OK, EXIT_USAGE
from ipo_sim.cli.terminal import Style, print_json
from ipo_sim.config.defaults import ANY_READER
from ipo_sim.config.settings import Settings
from ipo_sim.core.model import UnitDefinition
from ipo_sim.core.words import KEY_SERVER
from ipo_sim.errors import ConfigError, ConfigMistake

# Units that are told of one by one; of a fleet the rest is alike, or too much to read.
MAX_UNITS_TOLD = 50


def main(arguments: Namespace) -> int:
    """Check every file, even after a broken one."""
    if arguments.json:
        reports = [_facts(path) for path in arguments.configs]
        print_json(reports)
        return EXIT_OK if all(report["ok"] for report in reports) else EXIT_USAGE
    # Not `all`, which would stop at the first broken one.
    outcomes = [_tell(path) for path in arguments.configs]
    return EXIT_OK if all(outcomes) else EXIT_USAGE


def _tell(path: Path) -> bool:
    try:
        settings, _ = load_settings(path)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return False
    for warning in settings.warnings:
        print(f"{warning} (warning)", file=sys.stderr)
    style = Style(sys.stdout)
    for number, (outcome, group) in enumerate(groupby(_boots(settings), key=lambda pair: _outcome(*pair))):
        names = [definition.name for definition, _ in group]
        if number == MAX_UNITS_TOLD:
            print(f"{path}: and more, {len(settings.units)} units in all")
            break
        first, *rest = outcome
        print(f"{path}: {style(_named(names), 'bold')}: {first}", *rest, sep="\n")
    return True


def _boots(settings: Settings) -> Iterator[tuple[UnitDefinition, Boot]]:
    catalogue = load_catalogue()
    return ((definition, boot(definition, catalogue)) for definition in settings.units)


def _outcome(definition: UnitDefinition, found: Boot) -> tuple[str, ...]:
    """The lines that tell of a unit; units with equal ones are told of together."""
    what = "dongle" if definition.reader_kind == KEY_SERVER else "card"
    reader = "" if definition.reader_kind == "virtual" else f", until a {what} is read at {_place(definition)}"
    head = f"{definition.model} {definition.release_profile} {found.summary()}{reader}"
    lines = [f"  {item.path} {item.what}: {item.why}" for item in found.out_of_order]
    return (head, *lines)


def _place(definition: UnitDefinition) -> str:
    return "any PC/SC reader" if definition.reader_name == ANY_READER else definition.reader_name


def _named(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]} ({len(names)} units)"


def _told(error: ConfigError, path: Path) -> list[dict[str, Any]]:
    """The mistakes one by one; an error without any is one itself."""
    return [mistake._asdict() for mistake in error.mistakes or (ConfigMistake(str(path), str(error)),)]


def _facts(path: Path) -> dict[str, Any]:
    try:
        settings, _ = load_settings(path)
    except ConfigError as error:
        return {"file": str(path), "ok": False, "mistakes": _told(error, path)}
    units = [
        {"name": definition.name, "model": definition.model, "profile": definition.release_profile, **found.facts()}
        for definition, found in _boots(settings)
    ]
    return {
        "file": str(path),
        "ok": True,
        "warnings": [warning._asdict() for warning in settings.warnings],
        "units": units,
    }
