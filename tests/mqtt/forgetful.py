"""A broker that looks up what is retained before it listens for more: what is published in between reaches nobody."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from tests.mqtt.brokers import HOST

_PUBLISH, _SUBSCRIBE, _SUBACK = 3, 8, 9


class Packet(NamedTuple):
    """One packet of MQTT 3.1.1 as it stands on the wire."""

    head: int
    body: bytes
    raw: bytes

    @property
    def kind(self) -> int:
        return self.head >> 4

    @property
    def topic(self) -> str:
        """Of a PUBLISH."""
        return self.body[2 : 2 + int.from_bytes(self.body[:2])].decode()

    @property
    def is_live(self) -> bool:
        return self.kind == _PUBLISH and not self.head & 1


async def read_packet(reader: asyncio.StreamReader) -> Packet:
    """The next packet; IncompleteReadError at the end."""
    raw = await reader.readexactly(1)
    length = shift = 0
    while True:
        byte = await reader.readexactly(1)
        raw += byte
        length |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            break
    body = await reader.readexactly(length)
    return Packet(raw[0], body, raw + body)


class ForgetfulBroker:
    """Stands in front of a real broker for one client. The gap is open from the first SUBSCRIBE to `#` on.

    In it all that the broker tells is held back until a topic that ends with `until` is published, and what is live up
    to there is lost. `in_gap` is called once when the broker behind has subscribed, so that what it publishes is seen.
    """

    def __init__(self, port: int, in_gap: Callable[[], object], until: str) -> None:
        self.lost: list[str] = []
        self.subscribes = 0
        self._behind = port
        self._in_gap = in_gap
        self._until = until
        self._gap = False
        self._held = b""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Accept on a free port, which it yields."""
        server = await asyncio.start_server(self._serve, HOST, 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(HOST, self._behind)
        down = asyncio.create_task(self._down(far_reader, writer), name="forgetful-down")
        try:
            while True:
                packet = await read_packet(reader)
                if packet.kind == _SUBSCRIBE:
                    self.subscribes += 1
                    self._gap = self._gap or (self.subscribes == 1 and b"#" in packet.body)
                far_writer.write(packet.raw)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            far_writer.close()
            with contextlib.suppress(ConnectionError):
                await far_writer.wait_closed()
            await down
            writer.close()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                packet = await read_packet(reader)
                if not self._gap:
                    writer.write(packet.raw)
                elif packet.is_live:
                    self._lose(packet, writer)
                else:
                    self._held += packet.raw
                    if packet.kind == _SUBACK:
                        await asyncio.to_thread(self._in_gap_once)

    def _in_gap_once(self) -> None:
        in_gap, self._in_gap = self._in_gap, lambda: None
        in_gap()

    def _lose(self, packet: Packet, writer: asyncio.StreamWriter) -> None:
        self.lost.append(packet.topic)
        if packet.topic.endswith(self._until):
            self._gap = False
            writer.write(self._held)
