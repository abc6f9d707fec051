"""The options of `scenario`: timelines with expectations."""

from __future__ import annotations

import argparse
from pathlib import Path

from ipo_sim.cli.parsing import Commands, add_client, add_command, add_json

MODULE = "scenario.play"

_SCENARIO = """\
A scenario is a YAML file that says what is done to units when, and what must come of it. It is played in this process,
in a time of its own: hours pass in milliseconds, and the same file always makes the same history. Every word of it is
told in docs/reference/scenarios.md.
"""

_LIVE = """\
With --live it is played against a running daemon instead, over MQTT. Time is then the daemon's: steps wait until its
clock is there, or, with --advance, its clock is moved, for all its units. The setup's configuration is not used.
"""


def add_scenario(commands: Commands, text: str) -> None:
    """`scenario run|check|list`."""
    example = "ipo-sim scenario run configs/scenarios/*.yaml --junit scenarios.xml"
    scenario = add_command(commands, "scenario", MODULE, text, example, description=_SCENARIO)
    below = scenario.add_subparsers(metavar="ACTION", dest="action", required=True)
    _add_run(below)
    check = add_command(
        below, "check", MODULE, "report every mistake in scenarios", "ipo-sim scenario check configs/scenarios/*.yaml"
    )
    _add_files(check)
    _add_parameters(check)
    add_json(check)
    known_text = "tell what scenarios show, and their parameters"
    known = add_command(below, "list", MODULE, known_text, "ipo-sim scenario list configs/scenarios")
    help_ = "scenario file, or folder of such; configs/scenarios by default"
    known.add_argument("files", metavar="FILE", nargs="*", type=Path, help=help_)
    add_json(known)


def add_faults(commands: Commands, text: str) -> None:
    """`faults list`."""
    faults = add_command(commands, "faults", "scenario.faults", text, "ipo-sim faults list")
    below = faults.add_subparsers(metavar="ACTION", dest="action", required=True)
    example = "ipo-sim faults list\nipo-sim ctl bench-1 inject-fault fault=flaky-contact bounces=5 duration=10m"
    add_json(add_command(below, "list", "scenario.faults", text, example))


def _add_run(below: Commands) -> None:
    example = (
        "ipo-sim scenario run configs/scenarios/grace-over.yaml\n"
        "ipo-sim scenario run configs/scenarios/card-back-in-grace.yaml --param away=30m\n"
        "ipo-sim scenario run grace.yaml --live --advance --unit bench-1"
    )
    run = add_command(
        below, "run", MODULE, "play scenarios, and say what was not as expected", example, description=_LIVE
    )
    _add_files(run)
    _add_parameters(run)
    run.add_argument("--junit", metavar="FILE", type=Path, help="write the outcomes as JUnit XML")
    run.add_argument("--live", action="store_true", help="play against a running daemon")
    run.add_argument("--advance", action="store_true", help="with --live: move the daemon's time instead of waiting")
    run.add_argument("--unit", help="with --live: the unit to play with, instead of the one that the scenario names")
    add_client(run)


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="scenario file")


def _add_parameters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--param",
        metavar="NAME=VALUE",
        dest="parameters",
        action="append",
        default=[],
        help="value of a parameter of the scenarios; can be given several times",
    )
