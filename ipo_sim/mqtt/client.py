"""aiomqtt as a session needs it: messages handed over as they come, and nothing left behind by a lost connection."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, cast

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ipo_sim.mqtt.settings import MqttSettings
from ipo_sim.mqtt.tls import broker_context

# Unacknowledged messages at a time: three times the rate of one by one, and what MQTT 5 brokers allow by default.
WINDOW = 20

# Below the embedded broker's own limit; a larger packet never reaches an MQTT 5 session.
MAX_PACKET_BYTES = 1 << 20

# Without it a QoS 1 round trip through some brokers costs 44 ms: Nagle against delayed acknowledgement.
_NO_DELAY = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)

_UNSPECIFIED = 0x80

# Every loss of a connection is an error to it; the link says so once, in our own log.
_SILENT = logging.getLogger("ipo_sim.mqtt.paho")
_SILENT.setLevel(logging.CRITICAL)


class Will(NamedTuple):
    """What the broker publishes for us, retained, when the connection is lost."""

    topic: str
    payload: bytes


class Incoming(NamedTuple):
    """A message from the broker; `retained` means that it was there before the subscription."""

    topic: str
    payload: bytes
    retained: bool
    response_topic: str | None = None
    correlation: bytes | None = None


OnMessage = Callable[[Incoming], None]


class Client(aiomqtt.Client):
    """An aiomqtt client that is quicker at three things.

    It waits for room in its socket in one step, not at all for that of a socket that is gone, and not until the end of
    its patience for the answer of a broker that has closed the connection.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - passed on as they are
        super().__init__(*args, **options)
        self._loop_thread = threading.get_ident()

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if threading.get_ident() == self._loop_thread and not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttCodeError(reason_code))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_socket_register_write(self, client: paho.Client, userdata: object, sock: Any) -> None:  # noqa: ANN401, ARG002 - paho's own
        # Only connecting runs in another thread. From the loop's own it need not be woken: a system call less.
        if threading.get_ident() == self._loop_thread:
            self._await_room(client, sock)
        else:
            self._loop.call_soon_threadsafe(self._await_room, client, sock)

    def _await_room(self, client: paho.Client, sock: Any) -> None:  # noqa: ANN401 - a socket or a wrapper of one
        if (current := client.socket()) is not None and current is sock:
            self._loop.add_writer(current.fileno(), self._write, client)

    def _write(self, client: paho.Client) -> None:
        try:
            client.loop_write()
        except Exception as error:  # noqa: BLE001 - whatever it is, the connection is broken, as in aiomqtt itself
            if not self._disconnected.done():
                self._disconnected.set_exception(error)


class _Inbox(asyncio.Queue[aiomqtt.Message]):
    """Hands every message over as it comes: aiomqtt's iterator costs a task for each and has no bound."""

    def __init__(self, on_message: OnMessage, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self._on_message = on_message

    def put_nowait(self, item: aiomqtt.Message) -> None:
        properties = item.properties
        self._on_message(
            Incoming(
                item.topic.value,
                item.payload,
                item.retain,
                getattr(properties, "ResponseTopic", None),
                getattr(properties, "CorrelationData", None),
            )
        )


def make_client(settings: MqttSettings, client_id: str, on_message: OnMessage, will: Will | None = None) -> Client:
    """A client that is not connected yet; ConfigError when its TLS files cannot be used."""
    endpoint = settings.endpoint()
    modern = settings.version == aiomqtt.ProtocolVersion.V5
    properties = None
    if modern:
        properties = Properties(PacketTypes.CONNECT)
        properties.MaximumPacketSize = MAX_PACKET_BYTES
    client = Client(
        endpoint.host,
        endpoint.port,
        username=endpoint.username,
        password=endpoint.password,
        identifier=client_id,
        queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", partial(_Inbox, on_message)),
        logger=_SILENT,
        protocol=aiomqtt.ProtocolVersion(settings.version),
        will=aiomqtt.Will(will.topic, will.payload, 1, retain=True) if will else None,
        clean_session=None if modern else True,
        timeout=settings.timeout_s,
        keepalive=settings.keepalive_s,
        properties=properties,
        tls_context=broker_context(settings),
        max_inflight_messages=WINDOW,
        socket_options=_NO_DELAY,
    )
    # aiomqtt warns from 10 calls on; ours are bounded.
    client.pending_calls_threshold = 2 * WINDOW
    return client


def drop(client: Client) -> None:
    """Close what is left of a connection: aiomqtt keeps socket, reader and a task when the broker never answers."""
    inner = client._client  # noqa: SLF001 - no public way leads to them
    if inner.socket() is not None:
        inner._sock_close()  # noqa: SLF001 - its callbacks give back all three


def describe(error: BaseException) -> str:
    """What a client's error says to a user."""
    code = getattr(error, "rc", None)
    if isinstance(code, ReasonCode):
        # What paho says of a connection that just ended is "unspecified".
        return "connection lost" if code.value == _UNSPECIFIED else str(code)
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
