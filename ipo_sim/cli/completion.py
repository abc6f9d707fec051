"""`ipo-sim completion`: the script that lets a shell complete our command line, names of running units included."""

from __future__ import annotations

import argparse
from argparse import Namespace

import shtab

from ipo_sim.cli.command_line import UNITS, build_parser
from ipo_sim.cli.daemon_file import read_daemon
from ipo_sim.cli.failure import EXIT_OK
from ipo_sim.cli.state_dir import default_state_dir

_ASK = f"ipo-sim completion {UNITS} 2>/dev/null"
_UNITS = {"bash": "_ipo_sim_units", "zsh": f"($({_ASK}))", "tcsh": f"`{_ASK}`"}
_PREAMBLE = {"bash": f'_ipo_sim_units() {{\n  compgen -W "$({_ASK})" -- "$1"\n}}\n'}

# What an argument is, by the name under which it is kept.
_KINDS = {
    "config": shtab.FILE,
    "configs": shtab.FILE,
    "device": shtab.FILE,
    "file": shtab.FILE,
    "files": shtab.FILE,
    "junit": shtab.FILE,
    "other": shtab.FILE,
    "output": shtab.FILE,
    "secret_file": shtab.FILE,
    "state_dir": shtab.DIRECTORY,
    "unit": _UNITS,
}


def main(arguments: Namespace) -> int:
    """Print the script of the shell; or, for such a script, the names of the units that run."""
    if arguments.shell == UNITS:
        daemon = read_daemon(default_state_dir())
        print("\n".join(daemon.units if daemon else ()))
        return EXIT_OK
    parser = build_parser()
    _describe(parser)
    print(shtab.complete(parser, arguments.shell, preamble=_PREAMBLE))  # type: ignore[arg-type] # a dict is taken too
    return EXIT_OK


def _describe(parser: argparse.ArgumentParser) -> None:
    """Say of each argument what the shell shall look for."""
    from ipo_sim.cli.ctl.help import LISTENING  # noqa: PLC0415 - as below
    from ipo_sim.runtime.commands import COMMANDS  # noqa: PLC0415 - heavy, and of no use to `completion units`

    for action in parser._actions:  # noqa: SLF001 - shtab goes the same way, there is no other
        if isinstance(action.choices, dict):
            for below in action.choices.values():
                _describe(below)
        elif action.dest == "verb":
            action.choices = [*COMMANDS, *LISTENING]
        elif action.dest in _KINDS:
            action.complete = _KINDS[action.dest]  # type: ignore[attr-defined] # shtab's way of saying it
