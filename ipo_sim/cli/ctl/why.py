"""`ipo-sim why`: the chain of causes of a state."""

from __future__ import annotations

from argparse import Namespace

from ipo_sim.cli.ctl.command import ask
from ipo_sim.cli.remote import check_unit


def main(arguments: Namespace) -> int:
    """Ask the daemon, and print one line for each cause."""
    check_unit(arguments.unit)
    return ask(arguments, "why", {"path": arguments.path})
