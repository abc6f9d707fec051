"""One MQTT connection: a few methods of our own over aiomqtt, so that a fleet may use another client one day."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ipo_sim.errors import BrokerError
from ipo_sim.mqtt.client import WINDOW, Client, OnMessage, Will, describe, drop, make_client
from ipo_sim.mqtt.settings import MqttSettings

# How long an attempt to connect that nobody wants any more may go on, since its thread cannot be stopped.
ABANDON_S = 2.0


class Subscribe(NamedTuple):
    """A topic filter and the quality of service to ask for."""

    topic: str
    qos: int


class Session:
    """An open connection. Every method raises BrokerError once the broker is lost, stalls or refuses.

    `on_message` is called from the event loop for every message and must neither block nor raise.
    """

    def __init__(self, client: Client, settings: MqttSettings) -> None:
        self._client = client
        self._endpoint = settings.endpoint()
        self._timeout_s = settings.timeout_s
        self._window = asyncio.Semaphore(WINDOW)
        self._unacknowledged: set[asyncio.Task[None]] = set()
        self._lost: str | None = None
        self._watch = asyncio.create_task(self._watch_connection(), name="mqtt-watch")

    @classmethod
    async def open(
        cls, settings: MqttSettings, client_id: str, *, on_message: OnMessage, will: Will | None = None
    ) -> Self:
        """Connect with a clean session."""
        endpoint = settings.endpoint()
        client = make_client(settings, client_id, on_message, will)
        entering = asyncio.create_task(client.__aenter__(), name="mqtt-connect")
        try:
            await asyncio.shield(entering)
        except aiomqtt.MqttError as error:
            drop(client)
            raise BrokerError(f"broker {endpoint}: {describe(error)}") from error
        except asyncio.CancelledError:
            await asyncio.wait({entering}, timeout=ABANDON_S)
            entering.cancel()
            drop(client)
            raise
        return cls(client, settings)

    async def subscribe(self, filters: Sequence[Subscribe]) -> list[bool]:
        """Subscribe to all at once; for each whether the broker grants it."""
        pairs = [(item.topic, item.qos) for item in filters]
        try:
            codes = await self._client.subscribe(pairs)
        except aiomqtt.MqttError as error:
            raise self._error(error) from error
        return [not getattr(code, "is_failure", False) for code in codes]

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Hear no more of these, nor of what is published from now on; `drain` waits for the acknowledgement.

        A broker without TCP_NODELAY holds it until what it sent before is acknowledged by TCP, which takes its 40 ms.
        """
        if self._lost is not None:
            raise BrokerError(self._lost)
        leaving = asyncio.create_task(self._client.unsubscribe(list(filters)), name="mqtt-unsubscribe")
        self._unacknowledged.add(leaving)
        leaving.add_done_callback(self._acknowledged)

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> None:
        """Send at QoS 1, in the order of calls; returns before the broker acknowledges, waits while WINDOW do not."""
        if self._window.locked():
            await self._room()
        else:
            await self._window.acquire()
        if self._lost is not None:
            self._window.release()
            raise BrokerError(self._lost)
        properties = None
        if correlation is not None:
            properties = Properties(PacketTypes.PUBLISH)
            properties.CorrelationData = correlation
        # No time limit in aiomqtt, which would add a task and a timer to each: a full window has one of its own.
        sending = self._client.publish(topic, payload, 1, retain, properties, timeout=math.inf)
        task = asyncio.create_task(sending, name="mqtt-publish")
        self._unacknowledged.add(task)
        task.add_done_callback(self._published)

    async def drain(self) -> None:
        """Wait until the broker has acknowledged everything."""
        if self._unacknowledged:
            acknowledged = asyncio.gather(*self._unacknowledged, return_exceptions=True)
            ends: set[asyncio.Future[Any]] = {acknowledged, self._watch}
            await asyncio.wait(ends, timeout=self._timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if self._lost is None and not acknowledged.done():
                raise self._stalled()
        if self._lost is not None:
            raise BrokerError(self._lost)

    async def lost(self) -> None:
        """Wait until the connection is gone, then raise BrokerError."""
        await asyncio.shield(self._watch)
        raise BrokerError(self._lost or "")

    async def close(self) -> None:
        """Say goodbye if somebody listens, and give back everything; raises nothing, also a second time."""
        self._watch.cancel()
        for task in self._unacknowledged:
            task.cancel()
        await asyncio.gather(self._watch, *self._unacknowledged, return_exceptions=True)
        if self._lost is None:
            self._lost = f"broker {self._endpoint}: connection closed"
            try:
                async with asyncio.timeout(ABANDON_S):
                    await self._client.__aexit__(None, None, None)
            except (aiomqtt.MqttError, TimeoutError):
                pass
        drop(self._client)

    async def _room(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._window.acquire()
        except TimeoutError:
            raise self._stalled() from None

    def _published(self, task: asyncio.Task[None]) -> None:
        self._window.release()
        self._acknowledged(task)

    def _acknowledged(self, task: asyncio.Task[None]) -> None:
        self._unacknowledged.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._lost = self._lost or str(self._error(error))

    async def _watch_connection(self) -> None:
        """Ends with the connection; the inbox never has anything for this iterator."""
        try:
            async for _ in self._client.messages:
                pass
        except aiomqtt.MqttError as error:
            self._lost = self._lost or str(self._error(error.__cause__ or error))

    def _stalled(self) -> BrokerError:
        self._lost = f"broker {self._endpoint}: no acknowledgement for {self._timeout_s:g} s"
        return BrokerError(self._lost)

    def _error(self, error: BaseException) -> BrokerError:
        return BrokerError(f"broker {self._endpoint}: {describe(error)}")
