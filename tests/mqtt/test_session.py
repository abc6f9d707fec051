"""One connection: order and window, and brokers that fall silent, hang up or refuse at every step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from ipo_sim.errors import BrokerError
from ipo_sim.mqtt import session as session_module
from ipo_sim.mqtt.client import WINDOW, Incoming, Will, drop
from ipo_sim.mqtt.session import Session, Subscribe
from ipo_sim.mqtt.settings import MqttSettings
from tests.mqtt.brokers import DEADLINE_S, HOST, Broker, Mosquitto
from tests.mqtt.linked import settings_for
from tests.mqtt.watcher import retained_now, watcher

CONNACK = b"\x20\x02\x00\x00"

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def packet(reader: asyncio.StreamReader) -> bytes:
    """The next packet, which is a short one."""
    head = await reader.readexactly(2)
    return head + await reader.readexactly(head[1])


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[int]:
    """A broker that plays a script to whoever connects, then keeps silent; its port."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
            await over.wait()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        over.set()
        server.close()
        await server.wait_closed()


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await packet(reader)


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await packet(reader)
    writer.close()


async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await packet(reader)
    writer.write(CONNACK)


async def opened(settings: MqttSettings, heard: list[Incoming] | None = None) -> Session:
    heard = [] if heard is None else heard
    return await Session.open(settings, "test", on_message=heard.append)


async def test_messages_arrive_in_the_order_of_calls_and_are_acknowledged_by_the_end(broker: Broker) -> None:
    session = await opened(settings_for(broker.port))
    async with watcher(broker.port, "n/#") as seen:
        for number in range(500):
            await session.publish(f"n/{number % 7}", b"%d" % number, retain=True)
        await session.drain()
        await seen.until(lambda: len(seen.heard) == 500)
        assert [int(item.payload) for item in seen.heard] == list(range(500))
    await session.close()
    assert len(await retained_now(broker.port, "n/#")) == 7


async def test_messages_come_in_with_what_a_requester_adds(mosquitto: Mosquitto) -> None:
    heard: list[Incoming] = []
    session = await opened(settings_for(mosquitto.port, version=5), heard)
    assert await session.subscribe([Subscribe("a/+", 1), Subscribe("b", 0)]) == [True, True]
    await session.publish("a/1", b"x", retain=True, correlation=b"\x00")
    async with watcher(mosquitto.port, "a/1") as seen:
        await seen.value("a/1", b"x")
    assert heard == [Incoming("a/1", b"x", retained=False, correlation=b"\x00")]
    session.unsubscribe(["a/+"])
    await session.publish("a/1", b"y")
    await session.publish("b", b"z")
    async with watcher(mosquitto.port, "none") as seen:
        await seen.client.publish("b", b"end", qos=1)
        await session.drain()
    assert "a/1" not in [item.topic for item in heard[1:]]
    await session.close()


async def test_a_clean_close_keeps_the_will_back_and_a_lost_connection_does_not(broker: Broker) -> None:
    async with watcher(broker.port, "will") as seen:
        for payload in (b"kept back", b"sent"):
            settings = settings_for(broker.port)
            session = await Session.open(settings, "test", on_message=lambda _: None, will=Will("will", payload))
            if payload == b"sent":
                drop(session._client)
            await session.close()
        await seen.value("will", b"sent")
        assert [item.payload for item in seen.heard] == [b"sent"]


async def test_a_broker_that_does_not_answer_is_given_up() -> None:
    async with scripted(silence) as port:
        with pytest.raises(BrokerError, match=f"broker mqtt://{HOST}:{port}: Operation timed out"):
            await opened(settings_for(port, timeout_s=0.1))


async def test_a_broker_that_hangs_up_is_not_waited_for() -> None:
    async with scripted(hang_up) as port, asyncio.timeout(DEADLINE_S):
        with pytest.raises(BrokerError, match="connection lost"):
            await opened(settings_for(port, timeout_s=3_600.0))


async def test_a_broker_that_talks_something_else_is_refused() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with scripted(talk) as port:
        with pytest.raises(BrokerError, match=f"broker mqtt://{HOST}:{port}: "):
            await opened(settings_for(port, timeout_s=0.5))


async def test_connecting_can_be_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "ABANDON_S", 0.05)
    asked = asyncio.Event()

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        asked.set()

    async with scripted(note) as port:
        opening = asyncio.create_task(opened(settings_for(port, timeout_s=3_600.0)))
        async with asyncio.timeout(DEADLINE_S):
            await asked.wait()
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening


async def test_a_refused_subscription_is_told() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await welcome(reader, writer)
        subscribe = await packet(reader)
        writer.write(b"\x90\x04" + subscribe[2:4] + b"\x01\x80")

    async with scripted(refuse) as port:
        session = await opened(settings_for(port))
        assert await session.subscribe([Subscribe("a", 1), Subscribe("b", 1)]) == [True, False]
        await session.close()


async def test_whatever_the_broker_leaves_unanswered_ends_in_an_error() -> None:
    async with scripted(welcome) as port:
        session = await opened(settings_for(port, timeout_s=0.1))
        with pytest.raises(BrokerError, match="Operation timed out"):
            await session.subscribe([Subscribe("a", 1)])
        await session.publish("a", b"")
        with pytest.raises(BrokerError, match=r"no acknowledgement for 0\.1 s"):
            await session.drain()
        with pytest.raises(BrokerError, match="no acknowledgement"):
            await session.publish("a", b"")
        await session.close()


async def test_an_unsubscription_is_answered_before_all_is_drained() -> None:
    async with scripted(welcome) as port:
        session = await opened(settings_for(port, timeout_s=0.1))
        session.unsubscribe(["a"])
        with pytest.raises(BrokerError, match=r"no acknowledgement for 0\.1 s|Operation timed out"):
            await session.drain()
        await session.close()


async def test_a_full_window_waits_and_then_gives_up() -> None:
    async with scripted(welcome) as port:
        session = await opened(settings_for(port, timeout_s=0.1))
        for _ in range(WINDOW):
            await session.publish("a", b"")
        with pytest.raises(BrokerError, match="no acknowledgement"):
            await session.publish("a", b"")
        await session.close()


async def test_a_lost_connection_fails_everything_that_follows(broker: Broker) -> None:
    session = await opened(settings_for(broker.port))
    await broker.kill()
    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(BrokerError, match="connection lost"):
            await session.lost()
    for call in (session.publish("a", b""), session.drain(), session.subscribe([Subscribe("a", 0)]), session.lost()):
        with pytest.raises(BrokerError):
            await call
    with pytest.raises(BrokerError):
        session.unsubscribe(["a"])
    await session.close()
    await session.close()


async def test_a_closed_session_says_so(broker: Broker) -> None:
    session = await opened(settings_for(broker.port))
    await session.close()
    with pytest.raises(BrokerError, match="connection closed"):
        await session.publish("a", b"")
    await session.close()
