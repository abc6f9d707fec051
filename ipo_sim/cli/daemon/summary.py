"""What a run shows: a block that follows its units on a terminal, plain lines elsewhere. The log goes with it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, Protocol

import structlog

from ipo_sim.runtime.bus import Bus
from ipo_sim.runtime.log import configure

if TYPE_CHECKING:
    from ipo_sim.cli.daemon.introduction import Introduction

log = structlog.get_logger()


class Summary(Protocol):
    """Shows a run to whoever started it."""

    def warn(self, text: str) -> None:
        """Tell what is probably not meant."""

    def introduce(self, introduction: Introduction) -> None:
        """Say where things are and what can be done."""

    async def follow(self, bus: Bus) -> None:
        """Show the units as they are, and again whenever one has changed, until cancelled."""


def open_summary(form: Literal["console", "json"] | None, level: str | None) -> Summary:
    """Configure the log, and choose: a block if standard output and error are a terminal and the log is for people."""
    if form != "json" and sys.stdout.isatty() and sys.stderr.isatty():
        from ipo_sim.cli.daemon.terminal_summary import TerminalSummary  # noqa: PLC0415 - only on a terminal

        return TerminalSummary(level or "warning")
    configure(form, level or "info")
    return PlainSummary()


class PlainSummary:
    """One line for each change of a unit that shows in it."""

    def warn(self, text: str) -> None:
        """See `Summary`."""
        log.warning("configuration_warning", text=text)

    def introduce(self, introduction: Introduction) -> None:
        """See `Summary`."""
        _say(f"{title}: {text}" for title, text in introduction.lines())

    async def follow(self, bus: Bus) -> None:
        """See `Summary`."""
        from ipo_sim.cli.daemon.unit_blocks import blocks  # noqa: PLC0415 - not needed for the start

        before: list[str] = []
        async for block in blocks(bus, max_full=0):
            lines = ["".join(text for text, _ in line) for line in block]
            _say(line for line in lines if line not in before)
            before = lines


def _say(lines: Iterable[str]) -> None:
    """Print, unless whoever read it has gone: the daemon serves others too."""
    try:
        for line in lines:
            print(line, flush=True)
    except OSError as error:
        log.debug("summary_not_read", error=str(error))
