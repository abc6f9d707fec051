"""`ipo-sim what-if`: what commands would change."""

from __future__ import annotations

from argparse import Namespace

from ipo_sim.cli.ctl import ask, check_unit
from ipo_sim.cli.words import arguments_of, find_command

VERB = "what-if"


def main(arguments: Namespace) -> int:
    """Ask the daemon, and print the difference."""
    check_unit(arguments.unit)
    return ask(arguments, VERB, arguments_of(find_command(VERB), arguments.events))
