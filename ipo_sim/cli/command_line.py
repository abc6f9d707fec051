"""The command line: every command, option and example. It imports nothing that only some commands need."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from ipo_sim.cli.parsing import Commands, Parser, add_command, add_json, add_state_dir, http_address

SCHEMAS = ("config", "scenario", "mqtt", "http")
SHELLS = ("bash", "zsh", "fish", "tcsh")
# Not a shell: a completion script asks what could stand behind the words that follow.
ANSWER = "answer"

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


class _Command(NamedTuple):
    """A command: what the overview says of it, and who adds its options; those of another module are imported then."""

    text: str
    add: Callable[[Commands, str], None]


def _of(module: str, function: str) -> Callable[[Commands, str], None]:
    """Options that stand in a module of their own."""

    def add(commands: Commands, text: str) -> None:
        getattr(import_module(f"ipo_sim.cli.{module}"), function)(commands, text)

    return add


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """What is asked for; `module` names the module whose `main` does it. SystemExit for help and mistakes."""
    asked = next((word for word in argv if not word.startswith("-")), "")
    parser = build_parser((named(asked),))
    arguments, rest = parser.parse_known_args(argv)
    if asked == "ctl":
        from ipo_sim.cli.ctl.options import gather_words  # noqa: PLC0415 - as all that only some commands need

        rest = gather_words(arguments, rest)
    if rest:
        parser.error(f"not understood: {' '.join(rest)}")
    return arguments


def named(command: str) -> str:
    """The name of a command by which it is known here."""
    return _ALIASES.get(command, command)


def build_parser(wanted: Sequence[str] | None = None) -> Parser:
    """The parser with all commands; those that are not `wanted` without their options, which cost time and memory."""
    parser = Parser(
        prog="ipo-sim",
        description="Simulator of an IP Office 500 control unit: feature key, licences, modules, alarms, over MQTT.",
        epilog=_OVERVIEW,
    )
    parser.add_argument("--version", nargs=0, action=_Version, help="show the version and exit")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error (or set IPO_SIM_DEBUG)")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    for name, command in _COMMANDS.items():
        if wanted is None or name in wanted:
            command.add(commands, command.text)
        else:
            commands.add_parser(name, help=command.text)
    return parser


def _add_run(commands: Commands, text: str) -> None:
    example = "ipo-sim run configs/full.yaml --time-scale 60\nipo-sim run --broker mqtt://broker.lab:1883 --log json"
    run = add_command(commands, "run", "daemon.run", text, example, description=_RUN)
    run.add_argument("config", metavar="CONFIG", nargs="?", type=Path, help="configuration file")
    run.add_argument("--broker", metavar="URL", help="MQTT broker, mqtt://HOST[:PORT] or mqtts://HOST[:PORT]")
    run.add_argument(
        "--http", metavar="[HOST:]PORT", type=http_address, help="offer the control API over HTTP there; off by default"
    )
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


def _add_init(commands: Commands, text: str) -> None:
    example = "ipo-sim init bench.yaml --model ip500v2\nipo-sim run bench.yaml"
    init = add_command(commands, "init", "config.init", text, example)
    init.add_argument(
        "file", metavar="FILE", nargs="?", default="ipo-sim.yaml", help="ipo-sim.yaml by default; - prints it"
    )
    init.add_argument("--model", default="ip500", help="control unit, ip500 by default")
    init.add_argument("--profile", help="release profile, such as r5")
    init.add_argument("--name", default="bench-1", help="name of the unit, bench-1 by default")
    init.add_argument("--serial", help="10 digits of the feature key; drawn by lot if not given")
    init.add_argument("--state", metavar="NAME", help="what the unit starts as, such as in-grace; cold by default")
    init.add_argument("--force", action="store_true", help="overwrite the file")


def _add_check(commands: Commands, text: str) -> None:
    check = add_command(commands, "check", "config.check", text, "ipo-sim check configs/*.yaml")
    check.add_argument("configs", metavar="CONFIG", nargs="+", type=Path, help="configuration file")
    add_json(check)


def _add_schema(commands: Commands, text: str) -> None:
    schema = add_command(commands, "schema", "config.schema", text, "ipo-sim schema config >ipo-sim.schema.json")
    schema.add_argument("what", metavar="|".join(SCHEMAS), choices=SCHEMAS, help="which one")


def _add_completion(commands: Commands, text: str) -> None:
    example = "source <(ipo-sim completion bash)\nipo-sim completion zsh >~/.zfunc/_ipo-sim"
    completion = add_command(commands, "completion", "completion.script", text, example)
    completion.add_argument("shell", metavar="|".join(SHELLS), choices=(*SHELLS, ANSWER), help="which shell")
    completion.add_argument("words", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


# In the order of the overview.
_COMMANDS: Mapping[str, _Command] = {
    "run": _Command("run the units of a configuration", _add_run),
    "init": _Command("write a commented configuration with fresh bench keys", _add_init),
    "check": _Command("validate configurations, and say how their units boot", _add_check),
    "schema": _Command("print the schema of configurations, of scenarios, of MQTT, or of HTTP", _add_schema),
    "licence": _Command(
        "issue, explain and verify bench licence keys, import and export them", _of("licence.options", "add_licence")
    ),
    "records": _Command(
        "import and export directory, hunt groups, short codes and users as CSV", _of("records.options", "add_records")
    ),
    "ctl": _Command("send a command to a unit, or watch it", _of("ctl.options", "add_ctl")),
    "why": _Command("tell the chain of causes of a state", _of("ctl.options", "add_why")),
    "what-if": _Command("tell what commands would change, and change nothing", _of("ctl.options", "add_what_if")),
    "scenario": _Command("play timelines with expectations", _of("scenario.options", "add_scenario")),
    "card": _Command(
        "list card readers; read, watch, write and enrol feature key cards", _of("card.options", "add_card")
    ),
    "journal": _Command("read, check, replay and compare what happened", _of("journal.options", "add_journal")),
    "faults": _Command("list the faults that can be injected", _of("scenario.options", "add_faults")),
    "key-server": _Command(
        "run a feature key server for IP400 units, and command one", _of("key_server.options", "add_key_server")
    ),
    "completion": _Command("print the completion script of a shell", _add_completion),
}
# Taken, and not shown: as aliases they would stand in every list.
_ALIASES = {"license": "licence"}
