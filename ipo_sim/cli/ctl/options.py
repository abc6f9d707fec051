"""The options of the commands that talk to a running daemon: `ctl`, `why`, `what-if`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ipo_sim.cli.parsing import Commands, add_client, add_command, whole

MAX_CHANGES = 1_000_000_000

_CTL = """\
Sends one command to a running unit and prints the answer. Arguments are NAME=VALUE; where it is clear which one is
meant the value alone will do: `fit slots/2 DS8`, `advance 2h`, `scale 60`.

The broker is that of --broker, else of the environment variable IPO_SIM_BROKER, else of the daemon that runs on the
state directory, else mqtt://127.0.0.1:1883.

`ctl UNIT watch` prints a line for each entity that changes, until Ctrl-C, --count or --until.
"""

_CTL_EXAMPLES = """\
ipo-sim ctl bench-1 remove-card
ipo-sim ctl bench-1 advance 7200
ipo-sim ctl bench-1 watch --until unit.state=running --timeout 60"""

_WHAT_IF = """\
Tells what commands would change, one after the other, in a copy of the unit; nothing is changed. All commands of `ctl`
that change a unit can be asked about; `date DATE` stands for `set-time date=DATE`.
"""

_WHAT_IF_EXAMPLES = """\
ipo-sim what-if bench-1 remove-card advance 7200
ipo-sim what-if bench-1 add-licence 0400G00M000001C85MFNFXPW3YR692NN load-configuration
ipo-sim what-if bench-1 date 2027-03-01"""


class _CtlHelp(argparse.Action):
    """Help for `ctl`, and for the one command that stands before it."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: object) -> None:
        from ipo_sim.cli.ctl.help import command_help, command_list  # noqa: PLC0415 - the registry is heavy

        verb = getattr(namespace, "verb", None)
        print(command_help(verb) if verb else f"{parser.format_help()}\n{command_list()}")
        parser.exit()


def add_ctl(commands: Commands, text: str) -> None:
    """`ctl [UNIT [COMMAND [NAME=VALUE ...]]]`."""
    ctl = add_command(commands, "ctl", "ctl.command", text, _CTL_EXAMPLES, description=_CTL, add_help=False)
    ctl.add_argument("unit", metavar="UNIT", nargs="?", help="name of the unit")
    ctl.add_argument("verb", metavar="COMMAND", nargs="?", help="what it shall do; without, the commands are listed")
    ctl.add_argument("words", metavar="NAME=VALUE", nargs="*", help="arguments of the command")
    ctl.add_argument("-h", "--help", nargs=0, action=_CtlHelp, help="show this, or behind a COMMAND its own help")
    add_client(ctl)
    watch = ctl.add_argument_group("options of watch")
    watch.add_argument("--count", metavar="N", type=whole(1, MAX_CHANGES), help="end after N changes")
    watch.add_argument("--until", metavar="PATH.FIELD=VALUE", help="end when a field of an entity has this value")
    watch.add_argument("--all", action="store_true", help="begin with a line for each entity as it is now")


def add_why(commands: Commands, text: str) -> None:
    """`why UNIT PATH`."""
    why = add_command(commands, "why", "ctl.why", text, "ipo-sim why bench-1 expansion/1")
    why.add_argument("unit", metavar="UNIT", help="name of the unit")
    why.add_argument("path", metavar="PATH", help="what to explain: unit, feature-key, slots/1, licences/2, ...")
    add_client(why)


def add_what_if(commands: Commands, text: str) -> None:
    """`what-if UNIT EVENT...`."""
    what_if = add_command(commands, "what-if", "ctl.what_if", text, _WHAT_IF_EXAMPLES, description=_WHAT_IF)
    what_if.add_argument("unit", metavar="UNIT", help="name of the unit")
    what_if.add_argument(
        "events", metavar="EVENT", nargs="+", help="a command with its arguments; several one after the other"
    )
    add_client(what_if)


def gather_words(arguments: argparse.Namespace, rest: Sequence[str]) -> list[str]:
    """Give `ctl` the words that stand behind an option, where argparse looks for none; what is left is no word."""
    words = [word for word in (arguments.unit, arguments.verb, *arguments.words) if word is not None]
    words += [word for word in rest if not word.startswith("-")]
    arguments.unit, arguments.verb = [*words, None, None][:2]
    arguments.words = words[2:]
    return [word for word in rest if word.startswith("-")]
