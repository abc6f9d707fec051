"""Commands from MQTT: a request gets one answer, in the order of requests, and can break nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import structlog

from ipo_sim.api import answers
from ipo_sim.api.allowance import Allowance
from ipo_sim.api.answers import Execute
from ipo_sim.core.model import UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.mqtt.client import Incoming
from ipo_sim.mqtt.topics import Topics, command_verb

# Waiting requests: beyond them the sender hears nothing, because answering a flood would feed it.
MAX_WAITING = 100

# No verb of the registry comes near; a longer one could make an answer's topic too long to publish.
MAX_VERB = 64

# Longest topic that an answer goes to; brokers carry up to 65,535 bytes.
MAX_RESPONSE_TOPIC = 1_024

log = structlog.get_logger()


class Answer(NamedTuple):
    """An answer and where it goes."""

    topic: str
    payload: bytes
    correlation: bytes | None = None


class _Waiting(NamedTuple):
    unit: UnitName
    verb: str
    message: Incoming
    refusal: CommandRejected | None


Send = Callable[[Answer], Awaitable[None]]


class CommandDesk:
    """Takes requests in without waiting and has them carried out one after another, in the order they came in.

    It outlives connections: a lost one does not cut a request in half.
    """

    def __init__(self, topics: Topics, execute: Execute, *, allowance: Allowance | None = None) -> None:
        self._topics = topics
        self._execute = execute
        self._allowance = allowance or Allowance()
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(MAX_WAITING)
        self.received = 0
        self.refused = 0
        self.overflowed = 0

    def receive(self, unit: UnitName, rest: str, message: Incoming) -> None:
        """Take in a message that came below the unit's `commands`; never raises."""
        verb = command_verb(rest)
        if verb is None or len(verb) > MAX_VERB:
            return
        self.received += 1
        try:
            self._waiting.put_nowait(_Waiting(unit, verb, message, self._refusal(unit, message)))
        except asyncio.QueueFull:
            self.overflowed += 1
            log.debug("mqtt_request_dropped", unit=unit, verb=verb)

    async def run(self, send: Send) -> None:
        """Answer requests until cancelled."""
        while True:
            waiting = await self._waiting.get()
            await send(await self.answer(waiting.unit, waiting.verb, waiting.message, waiting.refusal))

    async def answer(
        self, unit: UnitName, verb: str, message: Incoming, refusal: CommandRejected | None = None
    ) -> Answer:
        """Carry one request out, unless it is refused already, and say what came of it."""
        if refusal is not None:
            said = answers.failure(answers.id_in(message.payload), refusal)
        else:
            said = await answers.answer(self._execute, unit, verb, message.payload, interface="mqtt")
        self.refused += said.rejected
        if _is_response_topic(message.response_topic):
            return Answer(message.response_topic or "", said.payload, message.correlation)
        return Answer(self._topics.reply(unit, verb), said.payload)

    def _refusal(self, unit: UnitName, message: Incoming) -> CommandRejected | None:
        if message.retained:
            return CommandRejected("retained", "a retained request is not executed: publish it without the retain flag")
        if not self._allowance.take(unit, asyncio.get_running_loop().time()):
            return CommandRejected("rate-limited", "too many requests for this unit, try again later")
        return None


def _is_response_topic(topic: str | None) -> bool:
    """Whether an answer can be published there; a wrong one would cost us the connection."""
    return topic is not None and 0 < len(topic) <= MAX_RESPONSE_TOPIC and not any(mark in topic for mark in "+#\x00")
