"""`ipo-sim ctl UNIT watch` and `status`: what the unit says by itself, as it changes or as it stands."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import Any, NamedTuple

from ipo_sim.cli.discovery import Target, find_broker
from ipo_sim.cli.entity_text import STAMPS, cause_text, colour_of, is_idle, reading_order, state_of
from ipo_sim.cli.failure import EXIT_INTERRUPTED, EXIT_OK, UsageError
from ipo_sim.cli.remote import connected
from ipo_sim.cli.retained import Heard, retained
from ipo_sim.cli.terminal import Style, print_json, table, value_text
from ipo_sim.core.model import UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.mqtt.topics import AVAILABILITY

Payload = dict[str, Any]


class Goal(NamedTuple):
    """The field of an entity that is waited for, and its value as text."""

    path: str
    fields: tuple[str, ...]
    value: str

    @classmethod
    def parse(cls, text: str) -> Goal:
        """`unit.state=running`, or `availability=offline`; UsageError for anything else."""
        where, equals, value = text.partition("=")
        path, *fields = where.split(".")
        if not equals or not path or not all(fields) or (not fields and path != AVAILABILITY):
            raise UsageError(f"--until {text}: PATH.FIELD=VALUE is wanted, such as unit.state=running")
        return cls(path, tuple(fields), value)

    def is_met(self, entities: dict[str, Any]) -> bool:
        """Whether the field has the value now; what does not exist is `null`."""
        found = entities.get(self.path)
        for name in self.fields:
            found = found.get(name) if isinstance(found, dict) else None
        return self.value == (found if isinstance(found, str) else json.dumps(found))


class Watch(Heard):
    """Takes in what a unit says, prints it, and knows when enough is seen."""

    def __init__(self, arguments: Namespace) -> None:
        super().__init__()
        self.done = asyncio.Event()
        self._goal = Goal.parse(arguments.until) if arguments.until else None
        self._left: int | None = arguments.count
        self._is_json: bool = arguments.json
        self._style = Style(sys.stdout)
        self._live = False

    def heard(self, path: str, before: Any, after: Any) -> None:  # noqa: ANN401 - a JSON value
        """Print what has changed; what comes before `begin` only tells how things stand."""
        if self._live and before != after and not self.done.is_set():
            self._show(path, before, after)

    def begin(self, *, show_all: bool) -> None:
        """From here on changes are printed; first, if wanted, all that is there."""
        if show_all:
            for path in sorted(self.entities, key=reading_order):
                self._print(path, None, self.entities[path])
        self._live = True
        self._check_goal()
        if self._goal is not None and self.done.is_set() and not show_all:
            self._print(self._goal.path, None, self.entities.get(self._goal.path))

    def _show(self, path: str, before: Any, after: Any) -> None:  # noqa: ANN401 - a JSON value
        self._print(path, before, after)
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                self.done.set()
        self._check_goal()

    def _check_goal(self) -> None:
        if self._goal is not None and self._goal.is_met(self.entities):
            self.done.set()

    def _print(self, path: str, before: Any, after: Any) -> None:  # noqa: ANN401 - a JSON value
        if self._is_json:
            print(json.dumps({"path": path, "value": after}, ensure_ascii=False), flush=True)
        else:
            print(change_line(path, before, after, self._style), flush=True)


def follow(arguments: Namespace) -> int:
    """Watch a unit, or show how it stands."""
    if arguments.words:
        raise UsageError(f"{arguments.verb} takes no arguments, but options: ipo-sim ctl UNIT {arguments.verb} --help")
    if arguments.verb == "status":
        _print_status(arguments, retained(arguments))
        return EXIT_OK
    target, unit = find_broker(arguments), UnitName(arguments.unit)
    watch = Watch(arguments)
    try:
        asyncio.run(_watch(target, unit, watch, arguments))
    except KeyboardInterrupt:
        # The usual end, unless somebody waits for something.
        return EXIT_INTERRUPTED if arguments.until or arguments.count else EXIT_OK
    return EXIT_OK


def change_line(path: str, before: Any, after: Any, style: Style) -> str:  # noqa: ANN401 - a JSON value
    """What became of an entity, in one line."""
    if after is None:
        return f"{style(path, 'bold')}  {'not there' if before is None else 'gone'}"
    if not isinstance(after, dict):
        return f"{style(path, 'bold')}  {style(str(after), colour_of(str(after)))}"
    cause = f"  {style('< ' + cause_text(after), 'dim')}" if after.get("cause") else ""
    at = style(after.get("at", "")[11:23], "dim")
    return f"{at}  {style(path, 'bold')}  {_difference(path, before, after, style)}{cause}"


def _difference(path: str, before: Any, after: Payload, style: Style) -> str:  # noqa: ANN401 - a JSON value
    changed = [
        f"{name} {value_text(before.get(name))} -> {value_text(value)}"
        for name, value in after.items()
        if isinstance(before, dict) and name not in STAMPS and name != "cause" and before.get(name) != value
    ]
    if changed:
        return ", ".join(changed)
    state, rest = state_of(path, after)
    return f"{style(state, colour_of(state))} {rest}"


async def _watch(target: Target, unit: UnitName, watch: Watch, arguments: Namespace) -> None:
    async with connected(target) as remote:
        await remote.follow(unit, watch.take)
        watch.begin(show_all=arguments.all)
        lost = asyncio.create_task(remote.lost(), name="watch-lost")
        done = asyncio.create_task(watch.done.wait(), name="watch-done")
        try:
            async with asyncio.timeout(arguments.timeout):
                await asyncio.wait({lost, done}, return_when=asyncio.FIRST_COMPLETED)
            if not watch.done.is_set():
                await lost
        except TimeoutError:
            raise CommandRejected("timeout", f"not seen within {arguments.timeout:g} s") from None
        finally:
            lost.cancel()
            done.cancel()
            await asyncio.gather(lost, done, return_exceptions=True)


def _print_status(arguments: Namespace, entities: dict[str, Any]) -> None:
    availability = entities.pop(AVAILABILITY, None)
    paths = sorted(entities, key=reading_order)
    if arguments.json:
        print_json(
            {"unit": arguments.unit, "availability": availability, "entities": {path: entities[path] for path in paths}}
        )
        return
    style = Style(sys.stdout)
    head = style(arguments.unit, "bold"), style(availability or "unknown", colour_of(availability or "offline"))
    print(*head)
    for line in status_lines(entities, show_all=arguments.all):
        print(line)


def status_lines(entities: dict[str, Any], *, show_all: bool) -> Iterator[str]:
    """How a unit stands, an entity a line; without `show_all` LEDs and empty places are left out."""
    paths = sorted(entities, key=reading_order)
    shown = [path for path in paths if show_all or not is_idle(path, entities[path])]
    rows = [(path, *state_of(path, entities[path]), cause_text(entities[path])) for path in shown]
    yield from (f"  {line}" for line in table(rows))
