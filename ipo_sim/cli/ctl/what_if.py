"""`ipo-sim what-if`: what commands would change."""

from __future__ import annotations

from argparse import Namespace

from ipo_sim.cli.ctl.command import ask
from ipo_sim.cli.ctl.words import arguments_of, find_command
from ipo_sim.cli.remote import check_unit

VERB = "what-if"


def main(arguments: Namespace) -> int:
    """Ask the daemon, and print the difference."""
    check_unit(arguments.unit)
    return ask(arguments, VERB, arguments_of(find_command(VERB), arguments.events))
