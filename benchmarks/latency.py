"""From a command to the last retained message that follows from it.

The card is removed by the command `remove-card` over MQTT and time moved by `advance`, both the way that tools under
test take. The reference process does it with no unit behind: a message on the same broker makes it publish what the
daemon published then: every message, answer and event included, with the same payload, order and retain flag and a topic
of the same length.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.bare import GO
from benchmarks.listener import Arrival, Listener, listening
from benchmarks.measure import Effort, Figure, Pair, Target
from benchmarks.process import bare, ipo_sim, mosquitto, running
from benchmarks.start import is_online
from benchmarks.units import FULL_CONFIG

REFERENCE = "a bare aiomqtt client publishes the same messages, as many in flight"
_UNIT = "ipo-sim/bench-1"
# As long as the daemon's topics, and not the daemon's.
_ECHO = "bare-sim/bench-1"[: len(_UNIT)]
# Whoever hears nothing for so long has heard all that follows from a command.
_QUIET_S = 0.5
# Commands stay below the rate that the daemon grants a sender.
_PAUSE_S = 0.03


class Command(NamedTuple):
    """A command, and how many messages it makes, itself included."""

    verb: str
    payload: str
    messages: int = 0


class Scene(NamedTuple):
    """From a card that is in order back to one; what follows from the command `measured` is what counts."""

    name: str
    times: int
    measured: int
    commands: tuple[Command, ...]


_REMOVE, _INSERT, _GRACE_OVER = (
    Command("remove-card", ""),
    Command("insert-card", ""),
    Command("advance", '{"seconds": 7200}'),
)
_SCENES = (
    Scene("From the removal of the card to the last message", 20, 0, (_REMOVE, _INSERT)),
    Scene("From the end of the grace to the last message", 10, 1, (_REMOVE, _GRACE_OVER, _INSERT)),
)


def figures(effort: Effort) -> Iterator[Figure]:
    """Both cascades; p50 of all rounds."""
    with mosquitto() as port, tempfile.TemporaryDirectory() as folder:
        with running(ipo_sim(port, FULL_CONFIG, Path(folder, "state"))):
            yield from asyncio.run(_measure(effort, port, Path(folder, "messages.json")))


async def _measure(effort: Effort, port: int, file: Path) -> list[Figure]:
    found = []
    async with listening(port, f"{_UNIT}/#") as daemon, listening(port, "bare/#", f"{_ECHO}/#") as echo:
        await daemon.until(is_online)
        await daemon.say(f"{_UNIT}/commands/advance", '{"seconds": 60}')
        await daemon.quiet(_QUIET_S)
        for scene in _SCENES:
            counted, messages = await _rehearse(daemon, scene)
            file.write_text(json.dumps({"go": [_echoed(one) for one in messages]}))
            with running(bare(port, file)):
                await echo.quiet(_QUIET_S)
                pair = await _interleave(effort.rounds, daemon, counted, echo, len(messages) + 1)
            retained = sum(map(_is_retained, messages))
            note = f"{retained} retained messages of {len(messages)}, full unit, commands over MQTT"
            found.append(Figure(scene.name, "ms", pair, REFERENCE, Target(1.5, of_ratio=True), digits=2, note=note))
    return found


async def _rehearse(daemon: Listener, scene: Scene) -> tuple[Scene, list[Arrival]]:
    """The scene with its messages counted, and those that follow from the measured command."""
    heard = []
    for command in scene.commands:
        await daemon.say(f"{_UNIT}/commands/{command.verb}", command.payload)
        heard.append(await daemon.quiet(_QUIET_S))
    counted = [command._replace(messages=len(one)) for command, one in zip(scene.commands, heard, strict=True)]
    echo = f"{_UNIT}/commands/{scene.commands[scene.measured].verb}"
    return scene._replace(commands=tuple(counted)), [one for one in heard[scene.measured] if one.topic != echo]


async def _interleave(rounds: int, daemon: Listener, scene: Scene, echo: Listener, messages: int) -> Pair:
    pair = Pair([], [])
    for _ in range(rounds):
        ours, theirs = [], []
        for _ in range(scene.times):
            ours.append(await _act(daemon, scene))
            theirs.append(await _took(echo, GO, "go", messages))
        pair.subject.append(statistics.median(ours))
        pair.reference.append(statistics.median(theirs))
    return pair


async def _act(daemon: Listener, scene: Scene) -> float:
    times = []
    for command in scene.commands:
        times.append(await _took(daemon, f"{_UNIT}/commands/{command.verb}", command.payload, command.messages))
        await asyncio.sleep(_PAUSE_S)
    return times[scene.measured]


async def _took(listener: Listener, topic: str, payload: str, messages: int) -> float:
    """Milliseconds from a message to the last retained one that follows from it."""
    start = await listener.say(topic, payload)
    arrivals = await listener.until(lambda arrivals: len(arrivals) == messages)
    return (max(one.at for one in arrivals if _is_retained(one)) - start) * 1e3


def _echoed(arrival: Arrival) -> tuple[str, str, bool]:
    return arrival.topic.replace(_UNIT, _ECHO), arrival.payload, _is_retained(arrival)


def _is_retained(arrival: Arrival) -> bool:
    """By its topic: a client that is subscribed already is not told."""
    return not arrival.topic.endswith("/events") and "/commands/" not in arrival.topic and arrival.topic != GO
