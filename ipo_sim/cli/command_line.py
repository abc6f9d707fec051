"""The command line: every command, option and example. It imports nothing that only some commands need."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ipo_sim.cli import (
    card_options,
    ctl_options,
    journal_options,
    key_server_options,
    licence_options,
    record_types,
    scenario_options,
)
from ipo_sim.cli.parsing import Commands, Parser, add_command, add_json, add_state_dir

SCHEMAS = ("config", "scenario", "mqtt")
SHELLS = ("bash", "zsh", "tcsh")
# Not a shell: what a completion script asks for.
UNITS = "units"

_OVERVIEW = """\
first steps:
  ipo-sim run                          a demonstration unit on a broker of its own
  ipo-sim ctl bench-1 remove-card      pull its feature key
  ipo-sim why bench-1 feature-key      ask what happened

exit codes: 0 done; 1 failed, or the answer is no; 2 wrong command line or configuration
"""

_RUN = """\
Runs the daemon until Ctrl-C or SIGTERM. Without CONFIG it runs a demonstration unit, bench-1. Without a broker in the
configuration or on the line it brings its own, on 127.0.0.1:1883 or the next free port.

What commands change (licences, fitted parts, the card) is kept in the state directory, and a daemon that starts there
again goes on from it, however the last one ended.
"""


class _Version(argparse.Action):
    """Prints the installed version."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from ipo_sim.cli.version import version  # noqa: PLC0415 - reading metadata takes its time

        print(f"ipo-sim {version()}")
        parser.exit()


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """What is asked for; `module` names the module whose `main` does it. SystemExit for help and mistakes."""
    parser = build_parser()
    arguments, rest = parser.parse_known_args(argv)
    if arguments.module == ctl_options.MODULE:
        rest = ctl_options.gather_words(arguments, rest)
    if rest:
        parser.error(f"not understood: {' '.join(rest)}")
    return arguments


def build_parser() -> Parser:
    """The parser with all commands."""
    parser = Parser(
        prog="ipo-sim",
        description="Simulator of an IP Office 500 control unit: feature key, licences, modules, alarms, over MQTT.",
        epilog=_OVERVIEW,
    )
    parser.add_argument("--version", nargs=0, action=_Version, help="show the version and exit")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error (or set IPO_SIM_DEBUG)")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    _add_run(commands)
    _add_init(commands)
    _add_check(commands)
    _add_schema(commands)
    licence_options.add_licence(commands)
    record_types.add_records(commands)
    ctl_options.add_ctl(commands)
    ctl_options.add_why(commands)
    ctl_options.add_what_if(commands)
    scenario_options.add_scenario(commands)
    card_options.add_card(commands)
    journal_options.add_journal(commands)
    scenario_options.add_faults(commands)
    key_server_options.add_key_server(commands)
    _add_completion(commands)
    return parser


def _add_run(commands: Commands) -> None:
    example = "ipo-sim run configs/full.yaml --time-scale 60\nipo-sim run --broker mqtt://broker.lab:1883 --log json"
    run = add_command(commands, "run", "run", "run the units of a configuration", example, description=_RUN)
    run.add_argument("config", metavar="CONFIG", nargs="?", type=Path, help="configuration file")
    run.add_argument("--broker", metavar="URL", help="MQTT broker, mqtt://HOST[:PORT] or mqtts://HOST[:PORT]")
    add_state_dir(run)
    run.add_argument("--time-scale", metavar="X", type=float, help="how much faster than the wall clock time runs")
    run.add_argument("--state", metavar="NAME", help="what new units start as, such as in-grace; cold by default")
    run.add_argument("--fresh", action="store_true", help="begin anew: forget what these units went through")
    run.add_argument(
        "--record", metavar="DIR", type=Path, help="record what each unit's reader says into DIR/UNIT.jsonl"
    )
    run.add_argument("--log", choices=("json", "console"), help="form of the log; console on a terminal, else json")
    levels = ("debug", "info", "warning", "error")
    run.add_argument(
        "--log-level", choices=levels, help="lowest level that is logged; warning on a terminal, else info"
    )


def _add_init(commands: Commands) -> None:
    example = "ipo-sim init bench.yaml --model ip500v2\nipo-sim run bench.yaml"
    init = add_command(commands, "init", "init", "write a commented configuration with fresh bench keys", example)
    init.add_argument(
        "file", metavar="FILE", nargs="?", default="ipo-sim.yaml", help="ipo-sim.yaml by default; - prints it"
    )
    init.add_argument("--model", default="ip500", help="control unit, ip500 by default")
    init.add_argument("--profile", help="release profile, such as r5")
    init.add_argument("--name", default="bench-1", help="name of the unit, bench-1 by default")
    init.add_argument("--serial", help="10 digits of the feature key; drawn by lot if not given")
    init.add_argument("--state", metavar="NAME", help="what the unit starts as, such as in-grace; cold by default")
    init.add_argument("--force", action="store_true", help="overwrite the file")


def _add_check(commands: Commands) -> None:
    text = "validate configurations, and say how their units boot"
    check = add_command(commands, "check", "check", text, "ipo-sim check configs/*.yaml")
    check.add_argument("configs", metavar="CONFIG", nargs="+", type=Path, help="configuration file")
    add_json(check)


def _add_schema(commands: Commands) -> None:
    text = "print the schema of configurations, of scenarios, or of MQTT"
    schema = add_command(commands, "schema", "schema", text, "ipo-sim schema config >ipo-sim.schema.json")
    schema.add_argument("what", metavar="|".join(SCHEMAS), choices=SCHEMAS, help="which one")


def _add_completion(commands: Commands) -> None:
    example = "source <(ipo-sim completion bash)\nipo-sim completion zsh >~/.zfunc/_ipo-sim"
    completion = add_command(commands, "completion", "completion", "print the completion script of a shell", example)
    completion.add_argument("shell", metavar="|".join(SHELLS), choices=(*SHELLS, UNITS), help="which shell")
