"""A scenario against a running daemon: commands, entities and events over MQTT, in the daemon's time."""

from __future__ import annotations

import asyncio
import json
from argparse import Namespace
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from ipo_sim.cli.discovery import find_broker
from ipo_sim.cli.failure import UsageError
from ipo_sim.cli.remote import connected
from ipo_sim.client.connection import Connection
from ipo_sim.core.events import fact_from
from ipo_sim.core.model import SECOND_NS, Nanoseconds, UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.mqtt.topics import AVAILABILITY, COMMANDS, EVENTS, SCHEMA
from ipo_sim.runtime.describe import describe
from ipo_sim.runtime.moment import parse_moment
from ipo_sim.scenario.model import Json, Scenario, Step
from ipo_sim.scenario.outcome import Outcome
from ipo_sim.scenario.play import play
from ipo_sim.scenario.step import BROKER
from ipo_sim.scenario.targets import AT_BROKER
from ipo_sim.scenario.world import Observer, Seen

# How late a broker and two processes may be, in seconds of ours.
TOLERANCE_S = 2.0
# The longest wait before the daemon's clock is asked again: somebody may have set its scale.
LONGEST_WAIT_S = 1.0
# One command of the daemon's registry moves time by at most a year.
MAX_ADVANCE_S = 366 * 86_400


class LiveWorld:
    """Units of a daemon. `advance`: its time stands, and is moved from one happening to the next."""

    tolerance_s = TOLERANCE_S

    def __init__(self, *, advance: bool) -> None:
        self._advance = advance
        self._remotes: dict[UnitName, Connection] = {}
        self._entities: dict[UnitName, dict[str, Json]] = {}
        self._observer: Observer | None = None
        self._heard = asyncio.Event()
        # What the daemon's clock said last, when that was in our time, and how fast it goes.
        self._beginning = self._told = Nanoseconds(0)
        self._told_at = 0.0
        self._scale = 1.0
        self._paused = False
        self._has_paused = False
        # What was heard while time was moved, until it is known how far.
        self._heard_on_the_way: list[tuple[UnitName, str]] | None = None

    async def join(self, unit: UnitName, remote: Connection) -> None:
        """Look at one unit; CommandRejected when there is none of that name."""
        self._remotes[unit] = remote
        self._entities[unit] = {}
        await remote.follow(unit, partial(self._hear, unit))

    async def begin(self) -> None:
        """The time of the scenario begins now."""
        await self._ask_clock()
        if self._advance and not self._paused:
            await self._ask("pause")
            self._has_paused = True
            await self._ask_clock()
        self._beginning = self._told

    async def end(self) -> None:
        """Let the daemon's time run again if it did."""
        if self._has_paused:
            await self._ask("resume")

    def observe(self, observer: Observer) -> None:
        """Tell `observer` of everything from now on."""
        self._observer = observer

    def now(self) -> Nanoseconds:
        """Time since the beginning, by the daemon's clock as it was told last."""
        gone = 0.0 if self._paused else (asyncio.get_running_loop().time() - self._told_at) * self._scale
        return Nanoseconds(self._told - self._beginning + round(gone * SECOND_NS))

    async def until(self, at: Nanoseconds) -> None:
        """Wait until the daemon's clock is there, or move it."""
        await self._ask_clock()
        while (left := at - self.now()) > 0:
            if self._advance:
                await self._move(min(left / SECOND_NS, MAX_ADVANCE_S))
                continue
            if self._paused:
                raise CommandRejected("paused", "the daemon's time stands still: resume it, or move it with --advance")
            await asyncio.sleep(min(left / SECOND_NS / self._scale, LONGEST_WAIT_S))
            await self._ask_clock()

    async def settle(self, is_so: Callable[[], bool]) -> None:
        """Wait until `is_so`, for a time in which whatever was said has arrived."""
        try:
            async with asyncio.timeout(self.tolerance_s):
                while not is_so():
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            return

    async def execute(self, unit: UnitName, verb: str, arguments: Mapping[str, object]) -> Mapping[str, Json]:
        """Send a command; CommandRejected."""
        if verb == BROKER:
            raise CommandRejected("not-live", "the broker of a running daemon is not stopped by a scenario")
        return await self._remotes[unit].request(unit, verb, arguments)

    def entity(self, unit: UnitName, path: str) -> Json:
        """The entity as it was published last; None: there is none."""
        return self._entities[unit].get(path.removeprefix(AT_BROKER))

    def digest(self) -> None:
        """The daemon's journal is its own, with what came before and beside the scenario."""
        return

    async def lost(self) -> None:
        """Wait until a connection is lost, and raise BrokerError."""
        await asyncio.gather(*(remote.lost() for remote in self._remotes.values()))

    async def _move(self, seconds: float) -> None:
        """Move the daemon's clock to the next happening, by so much at most, and tell what happened there."""
        self._heard_on_the_way = []
        try:
            await self._ask("advance", seconds=seconds, to="next-deadline")
        finally:
            heard, self._heard_on_the_way = self._heard_on_the_way, None
            for unit, line in heard:
                self._tell(unit, line)

    async def _ask_clock(self) -> None:
        """Move the daemon's clock by nothing, only to hear it."""
        await self._ask("advance", seconds=0)

    async def _ask(self, verb: str, **arguments: Json) -> None:
        unit, remote = next(iter(self._remotes.items()))
        answer = await remote.request(unit, verb, arguments)
        self._told, self._told_at = parse_moment(answer["time"], 0), asyncio.get_running_loop().time()
        self._scale, self._paused = answer["scale"], answer["paused"]

    def _hear(self, unit: UnitName, path: str, payload: bytes) -> None:
        if path == EVENTS:
            self._happened(unit, payload)
        elif path == AVAILABILITY:
            self._entities[unit][path] = {"value": payload.decode(errors="replace")}
        elif path != SCHEMA and not path.startswith(f"{COMMANDS}/"):
            self._entities[unit][path] = _payload(payload)
            self._heard.set()

    def _happened(self, unit: UnitName, payload: bytes) -> None:
        """An event comes behind the entities that it changed: all of a cascade is there, or none of it."""
        event = _payload(payload)
        if not isinstance(event, dict):
            return
        line = f"event {event.get('seq')}: {_words(event)}, by {event.get('cause')}"
        if self._heard_on_the_way is None:
            self._tell(unit, line)
        else:
            self._heard_on_the_way.append((unit, line))

    def _tell(self, unit: UnitName, line: str) -> None:
        if self._observer is not None:
            self._observer(Seen(unit, self.now(), line))
        self._heard.set()


async def play_live(scenario: Scenario, arguments: Namespace) -> Outcome:
    """Play it with the units of a running daemon; BrokerError when the broker is lost on the way."""
    scenario = _with_unit(scenario, arguments.unit)
    target = find_broker(arguments)
    async with AsyncExitStack() as stack:
        world = LiveWorld(advance=arguments.advance)
        for unit in _units(scenario):
            await world.join(unit, await stack.enter_async_context(connected(target)))
        for action in scenario.setup.actions:
            await world.execute(action.unit, action.verb, action.arguments)
        await world.begin()
        outcome = await _unless_lost(play(scenario, world), world)
        await world.end()
        return outcome


async def _unless_lost(playing: Any, world: LiveWorld) -> Outcome:  # noqa: ANN401 - a coroutine, whatever it sends and yields
    task = asyncio.create_task(playing, name="scenario")
    lost = asyncio.create_task(world.lost(), name="scenario-lost")
    try:
        await asyncio.wait({task, lost}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await lost
        outcome: Outcome = await task
        return outcome
    finally:
        for each in (task, lost):
            each.cancel()
        await asyncio.gather(task, lost, return_exceptions=True)


def _units(scenario: Scenario) -> list[UnitName]:
    """The units that it speaks of, in that order."""
    named = [action.unit for action in scenario.setup.actions]
    for step in scenario.steps:
        named += [action.unit for action in step.actions] + [each.unit for each in step.expectations]
    return list(dict.fromkeys(named)) or [scenario.setup.settings.units[0].name]


def _with_unit(scenario: Scenario, name: str | None) -> Scenario:
    """The scenario with another unit in its part."""
    if name is None:
        return scenario
    if len(_units(scenario)) > 1:
        raise UsageError(f"--unit: {scenario.path} is played by {len(_units(scenario))} units")
    unit = UnitName(name)
    actions = tuple(action._replace(unit=unit) for action in scenario.setup.actions)
    steps = tuple(_step_of(step, unit) for step in scenario.steps)
    return replace(scenario, setup=replace(scenario.setup, actions=actions), steps=steps)


def _step_of(step: Step, unit: UnitName) -> Step:
    return step._replace(
        actions=tuple(action._replace(unit=unit) for action in step.actions),
        expectations=tuple(each._replace(unit=unit) for each in step.expectations),
    )


def _words(event: Mapping[str, Any]) -> str:
    """What happened, as the journal says it; the daemon may be of another version."""
    try:
        return describe(fact_from(event["type"], event["data"]))
    except (KeyError, TypeError, ValueError):
        return str(event.get("type"))


def _payload(payload: bytes) -> Json:
    """What a payload says; None for an entity that is withdrawn, or what is no JSON."""
    try:
        return json.loads(payload)
    except ValueError:
        return None
