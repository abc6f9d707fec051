"""The sockets of a feature key server: TCP and UDP at one port, opened and closed together."""

from __future__ import annotations

import asyncio
import errno
import socket
from types import TracebackType
from typing import Self

import structlog

from ipo_sim.errors import KeyServerError
from ipo_sim.key_server.connection import PATIENT, Connection, Limits
from ipo_sim.key_server.datagrams import Datagrams, open_datagrams
from ipo_sim.key_server.server import Server

# One unit polls, somebody looks at the state; the rest is for those who try and fail.
MAX_CONNECTIONS = 64
# Port 0: UDP has to get the port that TCP got, which another program may have.
_ATTEMPTS = 8

log = structlog.get_logger()


class Sockets:
    """Serves a server for the time of the block; KeyServerError when it cannot listen there.

    `address` is an IPv4 address of this machine, `0.0.0.0` all of them; `port` 0 takes a free one. Full, it hangs up on
    the oldest connection that has said nothing sensible, or on the newcomer if there is none.
    """

    def __init__(
        self, server: Server, address: str, port: int, *, limits: Limits = PATIENT, most: int = MAX_CONNECTIONS
    ) -> None:
        self.address = address
        self.port = port
        self.server = server
        self._limits = limits
        self._most = most
        # In the order in which they came; what was hung up on does not count any more, and lives until it is closed.
        self._connections: dict[Connection, None] = {}
        self._living: set[Connection] = set()
        self._listener: asyncio.Server | None = None
        self._datagrams: list[Datagrams] = []
        self._empty = asyncio.Event()

    async def __aenter__(self) -> Self:
        for attempts_left in reversed(range(_ATTEMPTS)):
            try:
                await self._open()
                break
            except OSError as error:
                self._shut()
                if self.port or not attempts_left or error.errno != errno.EADDRINUSE:
                    raise KeyServerError(_why(self.address, self.port, error)) from error
        assert self._listener is not None
        self.port = self._listener.sockets[0].getsockname()[1]
        self.server.listens_at(self.port)
        log.info("listening", address=self.address, port=self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        listener = self._listener
        self._shut()
        if listener is not None:
            await listener.wait_closed()
        # A transport closes its socket in the next turn of the loop.
        while self._living:
            self._empty.clear()
            await self._empty.wait()
        await asyncio.sleep(0)

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._connection, self.address, self.port, family=socket.AF_INET)
        port = self._listener.sockets[0].getsockname()[1]
        self._datagrams = await open_datagrams(self.server.answer, self.address, port)

    def _shut(self) -> None:
        if self._listener is not None:
            self._listener.close()
        for datagrams in self._datagrams:
            datagrams.close()
        for connection in self._connections:
            connection.abort()
        self._listener, self._datagrams = None, []

    def _connection(self) -> Connection:
        return Connection(self.server.answer, self._limits, self._made, self._lost)

    def _made(self, connection: Connection) -> None:
        self._connections[connection] = None
        self._living.add(connection)
        if len(self._connections) > self._most:
            idle = next((one for one in self._connections if not one.trusted), connection)
            log.debug("too_many_connections", most=self._most)
            del self._connections[idle]
            idle.abort()

    def _lost(self, connection: Connection) -> None:
        self._connections.pop(connection, None)
        self._living.discard(connection)
        if not self._living:
            self._empty.set()


def _why(address: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{address} port {port} is taken: another key server, perhaps; --port names another one"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address} is no address of this machine"
    if error.errno == errno.EACCES:
        return f"port {port} is for the superuser; --port names another one, from 1024 up"
    return f"cannot listen at {address} port {port}: {error.strerror or error}"
