"""Servers on loopback for the time of a block, and raw clients that may say what they like."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from ipo_sim.core.events import FeatureKeyInserted
from ipo_sim.errors import ReaderError
from ipo_sim.key_server.connection import PATIENT, Limits
from ipo_sim.key_server.server import Server
from ipo_sim.key_server.service import MAX_CONNECTIONS, Sockets
from ipo_sim.licensing.key_server_line import Line
from ipo_sim.licensing.key_server_messages import ANSWERS, Hello, Message, Poll, Welcome, message_of

HOST = "127.0.0.1"
# What has not come by then never comes.
PATIENCE_S = 10.0
NONCE = "0123456789abcdef" * 2
UNIT = "00E007000001"
OTHER_UNIT = "00E007000002"
SERIAL = "1234567890"


class Slot:
    """Where the test's hands are; `broken` fails as a reader that does not run."""

    def __init__(self) -> None:
        self.moves: list[str] = []
        self.broken = False

    def insert(self, serial: str | None) -> None:
        self._move(f"insert {serial}")

    def remove(self) -> None:
        self._move("remove")

    def _move(self, what: str) -> None:
        if self.broken:
            raise ReaderError("reader virtual does not run")
        self.moves.append(what)


def server_with_dongle(secret: bytes | None = None, slot: Slot | None = None, serial: str = SERIAL) -> Server:
    """A server that nobody can reach yet."""
    server = Server("dongle-usb", secret=secret, version="test", slot=slot)
    server.take(FeatureKeyInserted(serial, kind="virtual", law="mulaw", counter=1))
    return server


@contextlib.asynccontextmanager
async def listening(
    server: Server | None = None, *, port: int = 0, limits: Limits = PATIENT, most: int = MAX_CONNECTIONS
) -> AsyncIterator[Sockets]:
    """Have a server listen; port 0 takes a free one."""
    async with Sockets(server or server_with_dongle(), HOST, port, limits=limits, most=most) as sockets:
        yield sockets


class Client:
    """A TCP connection of somebody."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, secret: bytes | None) -> None:
        self.secret = secret
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def line(self) -> bytes:
        """The next line, empty when the server has hung up."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self._reader.readline()
            except ConnectionError:
                return b""

    async def ask(self, message: Message) -> Message:
        """The answer to a message, whose signature holds."""
        self.send(message.to_bytes(self.secret))
        line = Line.from_bytes(await self.line())
        assert self.secret is None or line.is_signed_with(self.secret)
        return message_of(line, ANSWERS)

    async def challenge(self) -> str:
        answer = await self.ask(Hello(NONCE))
        assert isinstance(answer, Welcome)
        return answer.challenge

    async def poll(self, unit: str = UNIT) -> Message:
        return await self.ask(Poll(NONCE, await self.challenge(), 1, unit))

    async def close(self) -> None:
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


@contextlib.asynccontextmanager
async def connected(sockets: Sockets, secret: bytes | None = None) -> AsyncIterator[Client]:
    """A connection for the time of the block."""
    reader, writer = await asyncio.open_connection(HOST, sockets.port)
    client = Client(reader, writer, secret)
    try:
        yield client
    finally:
        await client.close()
