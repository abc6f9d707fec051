"""A feature key server on UDP: one line a datagram, and broadcasts of those who look for a server."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

import structlog

from ipo_sim.key_server.connection import MAX_DELAYED, Ask
from ipo_sim.licensing.key_server_line import MAX_LINE

LOOPBACK_BROADCAST = "127.255.255.255"
ANY_BROADCAST = "255.255.255.255"
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - a word of the user, who asks for it

log = structlog.get_logger()


class Datagrams(asyncio.DatagramProtocol):
    """Answers datagrams. `via` is the socket that answers; None: its own, which a broadcast address has none of."""

    def __init__(self, ask: Ask, via: Datagrams | None = None) -> None:
        self._ask = ask
        self._via = via or self
        self._transport: asyncio.DatagramTransport | None = None
        self._delayed: list[asyncio.TimerHandle] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.DatagramProtocol."""
        # Python's own transport for datagrams is none by its class before 3.12.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """See asyncio.DatagramProtocol."""
        if len(data) > MAX_LINE or b"\n" in data[:-1]:
            return
        answer = self._ask(data, addr[0])
        # An answer to junk would go, longer than that, to whoever somebody says he is.
        if answer.data is None or answer.is_to_junk:
            return
        if not answer.delay_s:
            self._via.send(answer.data, addr)
        else:
            self._send_later(answer.data, addr, answer.delay_s)

    def send(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Send a datagram, or lose it as networks do."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, addr)

    def close(self) -> None:
        """Stop at once."""
        for handle in self._delayed:
            handle.cancel()
        self._delayed.clear()
        if self._transport is not None:
            self._transport.abort()

    def _send_later(self, data: bytes, addr: tuple[str | Any, int], delay_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._delayed = [handle for handle in self._delayed if handle.when() > loop.time()]
        if len(self._delayed) < MAX_DELAYED:
            self._delayed.append(loop.call_later(delay_s, self._via.send, data, addr))


async def open_datagrams(ask: Ask, address: str, port: int) -> list[Datagrams]:
    """Listen at an address, and for broadcasts that would pass it by; OSError when the port is taken."""
    loop = asyncio.get_running_loop()
    _, own = await loop.create_datagram_endpoint(
        lambda: Datagrams(ask), local_addr=(address, port), family=socket.AF_INET
    )
    if address == ANY_ADDRESS:
        return [own]
    broadcast = LOOPBACK_BROADCAST if address.startswith("127.") else ANY_BROADCAST
    try:
        listener = _broadcast_socket(broadcast, port)
    except OSError as error:  # not every system lets a socket listen at such an address
        log.warning("no_discovery", address=broadcast, error=error.strerror or str(error))
        return [own]
    _, heard = await loop.create_datagram_endpoint(lambda: Datagrams(ask, own), sock=listener)
    return [own, heard]


def _broadcast_socket(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listener.setblocking(False)  # noqa: FBT003 - the socket's own signature
        # Servers at several addresses of one machine all hear a broadcast.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
    except BaseException:
        listener.close()
        raise
    return listener
