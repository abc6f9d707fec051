"""The options of `ipo-sim records`, and the types of its files."""

from __future__ import annotations

import argparse
from pathlib import Path

from ipo_sim.cli.parsing import Commands, add_client, add_command

MODULE = "records.transfer"
TYPES = ("Directory", "HG", "Shortcode", "User")

_IMPORT = """\
Enters the records of a CSV file into a configuration file, whose comments stay, or users into a unit that runs. The
type of the records is that of --type, else the name of the file: Directory.csv, HG.csv, Shortcode.csv, User.csv. Each
row stands alone: bad ones are told with their line, the good ones go in; what is there already is passed over, and
nothing is deleted. Exit code 1: some rows were bad; 2: nothing was done. For licences: `ipo-sim licence import`.
"""


def type_named(text: str) -> str | None:
    """The type of that name, however it is written."""
    return next((name for name in TYPES if name.casefold() == text.casefold()), None)


def add_records(commands: Commands, text: str) -> None:
    """`records`, with its commands."""
    parser = commands.add_parser("records", help=text, description=f"{text.capitalize()}.")
    below = parser.add_subparsers(metavar="COMMAND", dest="records_command", required=True)
    example = (
        "ipo-sim records import bench-1 Directory.csv --config bench.yaml\nipo-sim records import bench-1 User.csv"
    )
    importing = add_command(below, "import", MODULE, "enter the records of a CSV file", example, description=_IMPORT)
    importing.add_argument("unit", metavar="UNIT", help="name of the unit")
    importing.add_argument("file", metavar="FILE", help="CSV file; - reads standard input")
    _add_options(importing)
    example = "ipo-sim records export bench-1 HG.csv --config bench.yaml"
    exporting = add_command(below, "export", MODULE, "write records as a CSV file", example)
    exporting.add_argument("unit", metavar="UNIT", help="name of the unit")
    exporting.add_argument("file", metavar="FILE", nargs="?", default="-", help="file to write; - prints, the default")
    _add_options(exporting)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", metavar="CONFIG", type=Path, help="the configuration file; a unit that runs by default"
    )
    parser.add_argument("--type", metavar="TYPE", type=_type, choices=TYPES, help=f"of the records: {', '.join(TYPES)}")
    add_client(parser)


def _type(text: str) -> str:
    return type_named(text) or text
