"""A stock client in this process: subscribed before anything happens, it tells when what arrived."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import aiomqtt

from benchmarks.bare import NO_DELAY
from benchmarks.process import HOST, HarnessError

# A loaded machine may take its time; what takes longer is broken.
DEADLINE_S = 30.0


class Arrival(NamedTuple):
    """A message, and when it was there on the clock of `time.perf_counter`."""

    topic: str
    payload: str
    at: float


class Listener:
    """The client, and what it heard since somebody last waited."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def say(self, topic: str, payload: str) -> float:
        """Publish at QoS 1; the moment before."""
        start = time.perf_counter()
        await self._client.publish(topic, payload, qos=1)
        return start

    async def until(self, enough: Callable[[list[Arrival]], bool]) -> list[Arrival]:
        """All that arrives until it is enough; HarnessError when it never is."""
        arrivals: list[Arrival] = []
        try:
            async with asyncio.timeout(DEADLINE_S):
                async for message in self._client.messages:
                    now = time.perf_counter()
                    arrivals.append(Arrival(message.topic.value, bytes(message.payload).decode(), now))
                    if enough(arrivals):
                        return arrivals
        except TimeoutError:
            pass
        last = [arrival.topic for arrival in arrivals[-5:]]
        raise HarnessError(f"waited in vain; last of {len(arrivals)} messages: {last}")


@asynccontextmanager
async def listening(port: int, *filters: str) -> AsyncIterator[Listener]:
    """A client that is subscribed to the filters."""
    async with aiomqtt.Client(HOST, port, socket_options=NO_DELAY) as client:
        for topic in filters:
            await client.subscribe(topic, qos=1)
        yield Listener(client)
