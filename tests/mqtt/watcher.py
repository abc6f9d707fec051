"""A stock client that keeps what it hears, in order, and waits for what a test expects."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiomqtt

from tests.mqtt.brokers import DEADLINE_S, HOST


class Heard(NamedTuple):
    topic: str
    payload: bytes
    retained: bool
    properties: Any = None


class Watcher:
    """Everything that was heard, and the retained set as a client that came now would find it."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.heard: list[Heard] = []
        self.retained: dict[str, bytes] = {}
        self._news = asyncio.Event()

    async def listen(self) -> None:
        async for message in self.client.messages:
            heard = Heard(message.topic.value, bytes(message.payload), message.retain, message.properties)
            self.heard.append(heard)
            if heard.payload:
                self.retained[heard.topic] = heard.payload
            else:
                self.retained.pop(heard.topic, None)
            self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds, looking again after every message."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            tail = "\n".join(f"{item.topic} {item.payload[:200]!r}" for item in self.heard[-20:])
            raise AssertionError(f"never came true; last heard of {len(self.heard)}:\n{tail}") from None

    async def value(self, topic: str, payload: bytes) -> None:
        await self.until(lambda: self.retained.get(topic) == payload)

    async def field(self, topic: str, name: str, value: object) -> dict[str, Any]:
        """Wait for a field of a JSON payload, and return the payload."""
        await self.until(lambda: topic in self.retained and self.json(topic).get(name) == value)
        return self.json(topic)

    def json(self, topic: str) -> dict[str, Any]:
        decoded = json.loads(self.retained[topic])
        assert isinstance(decoded, dict)
        return decoded

    def on(self, topic: str) -> list[bytes]:
        """All payloads heard on a topic, oldest first."""
        return [item.payload for item in self.heard if item.topic == topic]


@asynccontextmanager
async def watcher(
    port: int,
    *filters: str,
    modern: bool = False,
    username: str | None = None,
    password: str | None = None,
    tls_context: ssl.SSLContext | None = None,
) -> AsyncIterator[Watcher]:
    """A connected client that is subscribed to the filters, everything by default."""
    protocol = aiomqtt.ProtocolVersion.V5 if modern else aiomqtt.ProtocolVersion.V311
    async with aiomqtt.Client(
        HOST,
        port,
        protocol=protocol,
        username=username,
        password=password,
        tls_context=tls_context,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    ) as client:
        seen = Watcher(client)
        listening = asyncio.create_task(seen.listen(), name="test-watcher")
        try:
            for topic in filters or ("#",):
                await client.subscribe(topic, qos=1)
            yield seen
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def retained_now(port: int, topics: str = "ipo-sim/#") -> dict[str, bytes]:
    """What a new client finds retained; a message of its own tells where that ends."""
    async with watcher(port, topics, "end") as seen:
        await seen.client.publish("end", b"end", qos=1)
        await seen.until(lambda: "end" in seen.retained)
        return {item.topic: item.payload for item in seen.heard if item.retained}
