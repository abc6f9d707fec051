"""Lines of FKS/1 over TCP or UDP, and the search for servers by broadcast: the unit's side."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any, Literal, NamedTuple, Protocol, cast

from ipo_sim.errors import KeyServerError
from ipo_sim.licensing.key_server_line import MAX_LINE

Transport = Literal["tcp", "udp"]

# The licence server address that stands for any server there is; loopback has a broadcast address of its own, for a
# server on this very machine.
BROADCAST = "255.255.255.255"
LOOPBACK_BROADCAST = "127.255.255.255"
# Answers to a broadcast come from anywhere; it is a socket that only asks.
_ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - see above
# More answers than anybody waits for: the rest of a flood is lost.
MAX_WAITING = 32

_REFUSED = "nobody listens there"


class Wire(Protocol):
    """A way to one server. One task at a time receives."""

    def send(self, line: bytes) -> None:
        """Send a line, or lose it; a broken wire is found by `receive`."""

    async def receive(self) -> bytes:
        """The next line; KeyServerError: the wire is broken."""
        ...

    async def close(self) -> None:
        """Give it back at once; never fails."""


class Heard(NamedTuple):
    """A datagram and the host that it came from."""

    line: bytes
    host: str


class Streamed:
    """A TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, line: bytes) -> None:
        """See `Wire.send`."""
        if self._writer.transport.get_write_buffer_size() <= MAX_LINE * MAX_WAITING:
            self._writer.write(line)

    async def receive(self) -> bytes:
        """See `Wire.receive`."""
        try:
            return await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            raise KeyServerError("the server hung up") from None
        except asyncio.LimitOverrunError:
            raise KeyServerError("what answers there is no key server") from None
        except OSError as error:
            raise KeyServerError(f"connection lost: {error.strerror or error}") from error

    async def close(self) -> None:
        """See `Wire.close`."""
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class Datagrams(asyncio.DatagramProtocol):
    """A UDP socket, to one server or, unconnected, to whoever answers."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._heard: asyncio.Queue[Heard | KeyServerError] = asyncio.Queue(MAX_WAITING)
        self._closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.DatagramProtocol."""
        # Python's own transport for datagrams is none by its class before 3.12.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """See asyncio.DatagramProtocol."""
        if len(data) <= MAX_LINE:
            self._keep(Heard(data, addr[0]))

    def error_received(self, exc: Exception) -> None:
        """See asyncio.DatagramProtocol: the network has returned what we sent."""
        self._keep(KeyServerError(_why(exc)))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """See asyncio.DatagramProtocol."""
        self._closed.set()

    def send(self, line: bytes) -> None:
        """See `Wire.send`."""
        assert self._transport is not None
        self._transport.sendto(line)

    def send_to(self, line: bytes, address: tuple[str, int]) -> None:
        """Send to an address, for a socket that has none of its own."""
        assert self._transport is not None
        self._transport.sendto(line, address)

    async def receive(self) -> bytes:
        """See `Wire.receive`."""
        return (await self.hear()).line

    async def hear(self) -> Heard:
        """The next datagram with its sender; KeyServerError as for `receive`."""
        heard = await self._heard.get()
        if isinstance(heard, KeyServerError):
            raise heard
        return heard

    async def close(self) -> None:
        """See `Wire.close`."""
        assert self._transport is not None
        self._transport.abort()
        await self._closed.wait()

    def _keep(self, heard: Heard | KeyServerError) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._heard.put_nowait(heard)


async def open_wire(host: str, port: int, transport: Transport) -> Wire:
    """Connect; KeyServerError when that cannot be done."""
    try:
        if transport == "udp":
            loop = asyncio.get_running_loop()
            _, wire = await loop.create_datagram_endpoint(Datagrams, remote_addr=(host, port), family=socket.AF_INET)
            return wire
        reader, writer = await asyncio.open_connection(host, port, limit=MAX_LINE, family=socket.AF_INET)
    except OSError as error:
        raise KeyServerError(f"{host} port {port}: {_why(error)}") from error
    connection = Streamed(reader, writer)
    # Asked often enough for a local port that nobody has, TCP connects us to ourselves, and blocks the server's port.
    if writer.get_extra_info("sockname") == writer.get_extra_info("peername"):
        await connection.close()
        raise KeyServerError(f"{host} port {port}: {_REFUSED}")
    return connection


def _why(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return _REFUSED
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def is_broadcast(address: str) -> bool:
    """Whether servers are looked for there instead of asked."""
    return address.endswith(".255") and all(part.isdecimal() for part in address.split("."))


@contextlib.asynccontextmanager
async def broadcasting(line: bytes, address: str, port: int) -> AsyncIterator[Datagrams]:
    """Send a line to all there are, for the time of the block, in which answers can be heard."""
    try:
        _, datagrams = await asyncio.get_running_loop().create_datagram_endpoint(
            Datagrams, allow_broadcast=True, local_addr=(_ANY_ADDRESS, 0)
        )
    except OSError as error:
        raise KeyServerError(f"cannot look for key servers: {_why(error)}") from error
    try:
        for each in (BROADCAST, LOOPBACK_BROADCAST) if address == BROADCAST else (address,):
            datagrams.send_to(line, (each, port))
        yield datagrams
    finally:
        await datagrams.close()
