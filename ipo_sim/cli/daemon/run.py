"""`ipo-sim run`: the configuration is read aside, and meanwhile all that the daemon consists of is imported."""

from __future__ import annotations

import os
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ipo_sim.cli.daemon.aside import Aside
from ipo_sim.cli.failure import EXIT_OK
from ipo_sim.cli.termination import signals_held_back, termination_as_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipo_sim.config.settings import Settings


def main(arguments: Namespace) -> int:
    """Run the daemon until it is told to end; the exit code of the process."""
    try:
        with termination_as_interrupt(), signals_held_back():
            read = partial(_settings, arguments.config)
            if not _can_be_read_again(arguments.config):
                return _launch(arguments, read)
            with Aside(read) as reading:
                return _launch(arguments, reading.result)
    except KeyboardInterrupt:
        # While it starts; later the supervisor takes the signals.
        return EXIT_OK


def _launch(arguments: Namespace, read: Callable[[], Settings]) -> int:
    from ipo_sim.cli.daemon.launch import launch  # noqa: PLC0415 - after the child: both take their time

    return launch(arguments, read)


def _can_be_read_again(config: Path | None) -> bool:
    """Not a pipe: another process that finds a mistake there has read it for this one too."""
    return config is None or os.path.isfile(config)  # noqa: PTH113 - is_file of Python 3.11 raises where it may not look


def _settings(config: Path | None) -> Settings:
    if config is not None:
        from ipo_sim.config.load import load_config  # noqa: PLC0415 - as a rule it is another process that needs it

        return load_config(config)
    from ipo_sim.cli.config.demo import demo_settings  # noqa: PLC0415 - only without a configuration

    return demo_settings()
