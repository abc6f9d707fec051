"""What a run shows: a block that follows its units on a terminal, plain lines elsewhere. The log goes with it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Literal, Protocol, TextIO, cast

import structlog

from ipo_sim.cli import unit_lines
from ipo_sim.cli.introduction import Introduction
from ipo_sim.cli.screen import Line, LogStream, Screen
from ipo_sim.cli.terminal import Style, table
from ipo_sim.core.model import Lifecycle, UnitName, UnitStatus
from ipo_sim.mqtt.topics import UNIT
from ipo_sim.runtime.bus import Bus
from ipo_sim.runtime.log import configure

# So many units are shown in full, so many in a line each; of more only how many are in which state.
MAX_FULL = 2
MAX_BRIEF = 20
# Changes within this time are shown together: nobody reads faster, and a fleet that boots makes thousands.
CALM_S = 0.05

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
        """See `Summary`; when nobody reads any more, it ends."""
        before: list[str] = []
        async for block in _blocks(bus, max_full=0):
            lines = ["".join(text for text, _ in line) for line in block]
            try:
                _say(line for line in lines if line not in before)
            except OSError:
                log.debug("summary_not_read")
                return
            before = lines


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
        lines = table(introduction.lines())
        self._screen.above("\n".join([style(lines[0], "bold"), *lines[1:], "end           Ctrl-C", ""]))

    async def follow(self, bus: Bus) -> None:
        """See `Summary`."""
        async for block in _blocks(bus, max_full=MAX_FULL):
            self._screen.show(block)


async def _blocks(bus: Bus, *, max_full: int) -> AsyncIterator[list[Line]]:
    """The lines that show all units, now and after each change."""
    names = list(bus.units())
    subscription = bus.subscribe("summary", max_records=1)
    states = {name: _state(bus, name) for name in names}
    try:
        while True:
            yield _block(bus, names, states, max_full)
            batch = await subscription.next()
            await asyncio.sleep(CALM_S)
            for name, path in (*batch.entities, *subscription.take().entities):
                if path == UNIT:
                    states[name] = _state(bus, name)
    finally:
        subscription.close()


def _block(bus: Bus, names: Sequence[UnitName], states: Mapping[UnitName, Lifecycle], max_full: int) -> list[Line]:
    if len(names) <= max_full:
        return [line for name in names for line in unit_lines.full(name, bus.latest(name))]
    if len(names) <= MAX_BRIEF:
        return [unit_lines.brief(name, bus.latest(name)) for name in names]
    return [unit_lines.count(states.values())]


def _state(bus: Bus, name: UnitName) -> Lifecycle:
    entry = bus.latest(name).get(UNIT)
    return entry.value.state if entry is not None and isinstance(entry.value, UnitStatus) else Lifecycle.OFF


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)
