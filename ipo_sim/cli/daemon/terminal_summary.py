"""The summary of a run on a terminal: an introduction, the log, and below it the units as they are now."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO, cast

from ipo_sim.cli.daemon.screen import LogStream, Screen
from ipo_sim.cli.terminal import Style, table
from ipo_sim.runtime.bus import Bus
from ipo_sim.runtime.log import configure

if TYPE_CHECKING:
    from ipo_sim.cli.daemon.introduction import Introduction

# So many units are shown in a few lines each, more of them in one line each.
MAX_FULL = 2


class TerminalSummary:
    """A block below the log."""

    def __init__(self, level: str) -> None:
        self._screen = Screen(sys.stdout)
        stream = LogStream(self._screen, colours=Style(sys.stderr).enabled)
        configure("console", level, cast("TextIO", stream))

    def warn(self, text: str) -> None:
        """See `Summary`."""
        self._screen.above(f"{text} (warning)")

    def introduce(self, introduction: Introduction) -> None:
        """See `Summary`."""
        style = Style(sys.stdout)
        lines = table([*introduction.lines(), ("end", "Ctrl-C")])
        self._screen.above("\n".join([style(lines[0], "bold"), *lines[1:], ""]))

    async def follow(self, bus: Bus) -> None:
        """See `Summary`."""
        from ipo_sim.cli.daemon.unit_blocks import blocks  # noqa: PLC0415 - not needed for the start

        try:
            async for block in blocks(bus, max_full=MAX_FULL):
                self._screen.show(block)
        finally:
            # The terminal has written ^C behind the block.
            self._screen.below("\nstopping; the next run goes on from here")
