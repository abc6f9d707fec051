"""From a command to the last retained message that follows from it.

The card is removed by the command `remove-card` over MQTT and time moved by `advance`, both the way that tools under
test take. The reference process does it with no unit behind: a message on the same broker makes it publish what the
daemon published then: every message, answer and event included, with the same payload, order and retain flag and a
topic of the same length.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.bare import GO, READY
from benchmarks.listener import Arrival, Listener, listening
from benchmarks.measure import Effort, Figure, Pair, Target
from benchmarks.process import bare, ipo_sim, mosquitto, running
from benchmarks.start import is_online
from benchmarks.units import FULL_CONFIG

REFERENCE = "a bare aiomqtt client publishes the same messages, as many in flight"
_UNIT = "ipo-sim/bench-1"
# As long as the daemon's topics, and not the daemon's.
_ECHO = "bare-sim/bench-1"[: len(_UNIT)]
# Commands stay below the rate that the daemon grants a sender.
_PAUSE_S = 0.03


class Command(NamedTuple):
    """A command and its arguments as JSON."""

    verb: str
    arguments: str = ""


class Scene(NamedTuple):
    """From a card that is in order back to one; what follows from the command `measured` is what counts."""

    name: str
    times: int
    measured: int
    commands: tuple[Command, ...]


class Sent(NamedTuple):
    """When a message was sent, and all that was heard from then on, itself first and the answer last."""

    at: float
    heard: list[Arrival]

    def milliseconds(self) -> float:
        """From sending to the last retained message that follows."""
        return (max(one.at for one in self.heard if _is_retained(one)) - self.at) * 1e3


_REMOVE, _INSERT, _END_GRACE = Command("remove-card"), Command("insert-card"), Command("advance", '{"seconds": 7200}')
_SCENES = (
    Scene("From the removal of the card to the last message", 20, 0, (_REMOVE, _INSERT)),
    Scene("From the end of the grace to the last message", 10, 1, (_REMOVE, _END_GRACE, _INSERT)),
)


def figures(effort: Effort) -> Iterator[Figure]:
    """Both cascades; p50 of all rounds."""
    with (
        mosquitto() as port,
        tempfile.TemporaryDirectory() as folder,
        running(ipo_sim(port, FULL_CONFIG, Path(folder, "state"))),
    ):
        yield from asyncio.run(_measure(effort, port, Path(folder, "messages.json")))


async def _measure(effort: Effort, port: int, file: Path) -> list[Figure]:
    found = []
    async with listening(port, f"{_UNIT}/#") as daemon, listening(port, "bare/#", f"{_ECHO}/#") as echo:
        await daemon.until(is_online)
        await _take(daemon, Command("advance", '{"seconds": 60}'))
        for scene in _SCENES:
            messages = (await _act(daemon, scene)).heard[1:]  # without the command itself
            with _echoing(port, file, messages):
                await echo.until(lambda arrivals: arrivals[-1].topic == READY)
                pair = await _interleave(effort.rounds, daemon, scene, echo)
            retained = sum(map(_is_retained, messages))
            note = f"{retained} retained messages of {len(messages)}, full unit, commands over MQTT"
            found.append(Figure(scene.name, "ms", pair, REFERENCE, Target(1.5, of_ratio=True), digits=2, note=note))
    return found


@contextmanager
def _echoing(port: int, file: Path, messages: list[Arrival]) -> Iterator[None]:
    """The reference process, ready to publish these messages."""
    file.write_text(json.dumps({"go": [_echoed(one) for one in messages]}))
    with running(bare(port, file)):
        yield


async def _interleave(rounds: int, daemon: Listener, scene: Scene, echo: Listener) -> Pair:
    pair = Pair([], [])
    for _ in range(rounds):
        ours, theirs = [], []
        for _ in range(scene.times):
            ours.append((await _act(daemon, scene)).milliseconds())
            theirs.append((await _send(echo, GO, "go")).milliseconds())
        pair.subject.append(statistics.median(ours))
        pair.reference.append(statistics.median(theirs))
    return pair


async def _act(daemon: Listener, scene: Scene) -> Sent:
    """What follows from the measured command of a scene."""
    sent = [await _take(daemon, command) for command in scene.commands]
    return sent[scene.measured]


async def _take(daemon: Listener, command: Command) -> Sent:
    sent = await _send(daemon, f"{_UNIT}/commands/{command.verb}", command.arguments)
    await asyncio.sleep(_PAUSE_S)
    return sent


async def _send(listener: Listener, topic: str, payload: str) -> Sent:
    start = await listener.say(topic, payload)
    return Sent(start, await listener.until(lambda arrivals: arrivals[-1].topic.endswith("/reply")))


def _echoed(arrival: Arrival) -> tuple[str, str, bool]:
    return arrival.topic.replace(_UNIT, _ECHO), arrival.payload, _is_retained(arrival)


def _is_retained(arrival: Arrival) -> bool:
    """By its topic: a client that is subscribed already is not told."""
    return not arrival.topic.endswith("/events") and "/commands/" not in arrival.topic and arrival.topic != GO
