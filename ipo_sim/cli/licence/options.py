"""The options of `ipo-sim licence`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ipo_sim.cli.parsing import Commands, add_client, add_command, add_json, card_serial, day, whole

MODULE = "licence.keys"
# Keys of one call: a unit holds a thousand licences.
MAX_KEYS = 1_000
MAX_INSTANCES = 65_535
# As many as a unit keeps account of.
MAX_CHANNELS = 10_000
MAX_BASES = 255

_KEYS = "Keys can be written with blanks and hyphens; - reads them from standard input, one a line."
_PLAN = """\
Tells which licences the units of a configuration need to run fully, in which packs they are sold, what is there (keys
that match the card and are in date) and what is missing. Fully: expansion modules in service, every user with profile
and features, every IP phone licensed, all channels of VCM and PRI cards usable, no key Dormant. The cheapest packs are
those with the fewest instances too many, then the fewest keys. Exit code 1 if something is missing.
"""
_SHOW = """\
Explains what keys license. With --config or --unit it shows the licence form of a unit as a management tool does: each
key with its type, status, instances and expiry, and the serial of the feature key.
"""
_IMPORT = """\
Enters the licence keys of a CSV file, name,key in each row without a header, into a unit that runs, or with --config
into a configuration file, whose comments stay. Each row stands alone: bad ones are told with their line, the good ones
go in; keys that are there already are passed over, and nothing is deleted. Exit code 1: some rows were bad; 2: nothing
was done.
"""
_SECRET = "what binds keys to cards; else IPO_SIM_SECRET, else the public default of a bench"  # noqa: S105 - a help text


def add_licence(commands: Commands, text: str) -> None:
    """`licence`, with its commands."""
    parser = commands.add_parser("licence", help=text, description=f"{text.capitalize()}.")
    # Taken, and not shown: as an alias it would stand in every list.
    commands.choices["license"] = parser
    below = parser.add_subparsers(metavar="COMMAND", dest="licence_command", required=True)
    _add_issue(below)
    _add_show(below)
    _add_verify(below)
    _add_list(below)
    _add_plan(below)
    _add_dect(below)
    _add_import(below)
    _add_export(below)


def _add_issue(commands: Commands) -> None:
    example = 'ipo-sim licence issue --serial 1234567890 --licence "SIP Trunk Channels" --instances 20'
    issue = add_command(commands, "issue", MODULE, "mint keys for the serial of a card", example)
    _add_serial(issue)
    what = "name or part of it, code:N or id:N (see `licence list`), or N where it is clear which"
    issue.add_argument("--licence", "--license", metavar="LICENCE", required=True, dest="licence", help=what)
    instances = whole(1, MAX_INSTANCES)
    issue.add_argument("--instances", metavar="N", type=instances, help="in each key; the smallest pack by default")
    issue.add_argument("--expires", metavar="DATE", type=day, help="last day, YYYY-MM-DD; never by default")
    issue.add_argument("--count", metavar="N", type=whole(1, MAX_KEYS), default=1, help="how many keys, 1 by default")
    issue.add_argument("--secret", metavar="TEXT", help=_SECRET)
    add_json(issue)


def _add_show(commands: Commands) -> None:
    example = (
        "ipo-sim licence show 04002001000000FR876BDQYYHKF0Y5E4\n"
        "ipo-sim licence show --config configs/full.yaml --on 2027-03-01\n"
        "ipo-sim licence show --unit bench-1"
    )
    text = "explain what keys license, or show the licence form of a unit"
    show = add_command(commands, "show", MODULE, text, example, description=f"{_SHOW}\n{_KEYS}")
    show.add_argument("keys", metavar="KEY", nargs="*", help="licence key to explain; no card is needed")
    show.add_argument("--config", metavar="CONFIG", type=Path, help="show the licence forms of its units")
    show.add_argument("--unit", metavar="UNIT", help="that of one unit: of the configuration, else of one that runs")
    show.add_argument("--on", metavar="DATE", type=day, help="day for which a configuration is judged; now by default")
    add_client(show)


def _add_verify(commands: Commands) -> None:
    example = (
        "ipo-sim licence verify --serial 1234567890 04002001000000FR876BDQYYHKF0Y5E4\n"
        "ipo-sim licence verify --park 1F-10-0A-4C-32 T41G67RG196340G0BR80008201F100020805W4000CT3V97ADK5T56Y1BZRY0YNH"
    )
    text = "check keys against a card or an IP DECT system; exit code 1 unless all are Valid"
    verify = add_command(commands, "verify", MODULE, text, example, description=f"{text.capitalize()}. {_KEYS}")
    verify.add_argument("keys", metavar="KEY", nargs="+", help="licence key")
    verify.add_argument("--serial", metavar="S", help="serial of the feature key, 10 digits, for keys of a unit")
    verify.add_argument("--park", metavar="PARK", help="PARK of the system, for keys of an IP DECT system")
    verify.add_argument("--on", metavar="DATE", type=day, help="day for which expiry is judged; today (UTC) by default")
    verify.add_argument("--secret", metavar="TEXT", help=_SECRET)
    add_json(verify)


def _add_list(commands: Commands) -> None:
    example = "ipo-sim licence list --profile r5"
    catalogue = add_command(commands, "list", MODULE, "list the licences that there are", example)
    catalogue.add_argument("--profile", help="only those that this release profile uses, such as r5")
    add_json(catalogue)


def _add_dect(commands: Commands) -> None:
    example = (
        "ipo-sim licence dect --park 1F-10-0A-4C-32 --bases 4 02:00:5e:10:00:01 02:00:5e:10:00:02 02:00:5e:10:00:03"
    )
    text = "mint a key for the base stations of an IP DECT system"
    dect = add_command(commands, "dect", MODULE, text, example)
    dect.add_argument("macs", metavar="MAC", nargs="+", help="base station that proves the key; 1 to 3, all if so few")
    dect.add_argument("--park", metavar="PARK", required=True, help="PARK of the system, 10 hexadecimal digits")
    bases = whole(1, MAX_BASES)
    dect.add_argument("--bases", metavar="N", type=bases, help="licensed base stations; as many as MACs by default")
    dect.add_argument("--secret", metavar="TEXT", help=_SECRET)
    add_json(dect)


def _add_plan(commands: Commands) -> None:
    example = "ipo-sim licence plan configs/unlicensed.yaml\nipo-sim licence plan lab.yaml --vcm 10 --sip 5 --issue"
    text = "tell which licences a configuration needs to run fully, what it has and what is missing"
    plan = add_command(commands, "plan", MODULE, text, example, description=_PLAN)
    plan.add_argument("config", metavar="CONFIG", type=Path, help="configuration file")
    plan.add_argument("--unit", metavar="UNIT", help="only this unit of it")
    plan.add_argument("--serial", metavar="S", type=card_serial, help="plan for the feature key with this serial")
    plan.add_argument("--on", metavar="DATE", type=day, help="day on which keys have to be in date; today by default")
    number = whole(0, MAX_CHANNELS)
    plan.add_argument("--vcm", metavar="N", type=number, help="VCM channels at one time; by default all of the cards")
    plan.add_argument("--pri", metavar="N", type=number, help="PRI channels at one time; by default all of the cards")
    plan.add_argument("--sip", metavar="N", type=number, default=0, help="SIP trunk channels at one time; 0 by default")
    plan.add_argument(
        "--voicemail", metavar="N", type=number, default=0, help="voicemail ports at one time; 0 by default"
    )
    plan.add_argument("--issue", action="store_true", help="mint bench keys for what is missing")
    add_json(plan)


def _add_import(commands: Commands) -> None:
    example = (
        "ipo-sim licence import bench-1 licences.csv --load\n"
        "ipo-sim licence import bench-1 licences.csv --config bench.yaml"
    )
    text = "enter the licence keys of a CSV file"
    importing = add_command(commands, "import", MODULE, text, example, description=_IMPORT)
    importing.add_argument("unit", metavar="UNIT", help="name of the unit")
    importing.add_argument("file", metavar="FILE", help="CSV file, name,key in each row; - reads standard input")
    importing.add_argument("--config", metavar="CONFIG", type=Path, help="add them to this configuration file")
    importing.add_argument("--load", action="store_true", help="load the configuration then, so that keys are checked")
    add_client(importing)


def _add_export(commands: Commands) -> None:
    example = "ipo-sim licence export bench-1 licences.csv\nipo-sim licence export bench-1 --config bench.yaml"
    text = "write the licence keys of a unit as a CSV file"
    exporting = add_command(commands, "export", MODULE, text, example)
    exporting.add_argument("unit", metavar="UNIT", help="name of the unit")
    exporting.add_argument("file", metavar="FILE", nargs="?", default="-", help="file to write; - prints, the default")
    exporting.add_argument("--config", metavar="CONFIG", type=Path, help="from this configuration file")
    add_client(exporting)


def _add_serial(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--serial", metavar="S", required=True, help="serial of the feature key, 10 digits")
