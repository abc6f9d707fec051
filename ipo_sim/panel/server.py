"""The control API on a socket: bound at the start, limited in what strangers can take, and ended with grace."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Self

import structlog
from aiohttp import web

from ipo_sim.api.answers import Execute
from ipo_sim.api.encoder import Encoder
from ipo_sim.errors import HttpError
from ipo_sim.panel.documents import SeqOf
from ipo_sim.panel.events import Source
from ipo_sim.panel.history import History
from ipo_sim.panel.resources import Resources
from ipo_sim.panel.settings import LOOPBACK_NAME, HttpSettings
from ipo_sim.runtime.bus import Bus

# Each costs some 50 KiB and a descriptor; a bench has some tests, a panel, and MAX_STREAMS streams at most.
MAX_CONNECTIONS = 200
# For a connection that asks nothing, and for the head of a request on a slow line.
IDLE_S = 30.0
# For the rest of a request that was refused before it was read.
LINGER_S = 2.0
# Streams say their last word in this time, below what the supervisor gives a service.
GRACE_S = 2.0

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n"
    b"Retry-After: 5\r\n\r\n%s"
)
_TOO_MANY = b'{"id":null,"ok":false,"error":{"code":"too-many","message":"too many connections are open"}}'

log = structlog.get_logger()


class ControlServer:
    """A service of the daemon: `async with` binds it, HttpError when it cannot; `run` serves."""

    name = "http"

    def __init__(self, settings: HttpSettings, bus: Bus, encoder: Encoder, execute: Execute, seq_of: SeqOf) -> None:
        self.port = settings.port
        self._settings = settings
        self._bus = bus
        self._encoder = encoder
        self._execute = execute
        self._seq_of = seq_of
        self._socket: socket.socket | None = None
        self._stop = asyncio.Event()
        self._stopped = asyncio.Event()

    @property
    def url(self) -> str:
        """Where it is, once it is bound."""
        return self._settings.url(self.port)

    async def __aenter__(self) -> Self:
        """Bind; HttpError says why not."""
        host = "127.0.0.1" if self._settings.host == LOOPBACK_NAME else self._settings.host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            # As asyncio does: what an ended daemon left in TIME_WAIT holds nobody up; who listens still does.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, self._settings.port))
            # Now and not later, since two can bind but only one can listen.
            bound.listen(MAX_CONNECTIONS)
        except (OSError, OverflowError) as error:
            bound.close()
            why = getattr(error, "strerror", None) or str(error)
            raise HttpError(f"http {self._settings.url()}: {why}; --http or http.port names another port") from error
        self._socket = bound
        self.port = bound.getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give the port back."""
        if self._socket is not None:
            self._socket.close()

    async def run(self) -> None:
        """Serve until cancelled, or until `stop`."""
        history = History(self._bus)
        resources = Resources(
            Source(self._bus, self._encoder, history), self._execute, self._seq_of, self._settings.token
        )
        follower = asyncio.create_task(history.follow(), name="http-history")
        try:
            await self._serve(resources)
        finally:
            follower.cancel()
            await asyncio.gather(follower, return_exceptions=True)
            history.close()
            self._stopped.set()

    async def stop(self) -> None:
        """Take nobody in any more, let streams say their last word, and wait for what is being carried out."""
        self._stop.set()
        await self._stopped.wait()

    async def _serve(self, resources: Resources) -> None:
        runner = web.AppRunner(
            resources.application(),
            access_log=None,
            # What strangers send that is no HTTP is no news; what breaks in our own code is logged there.
            logger=logging.Logger("http", logging.CRITICAL),  # noqa: LOG001 - it shall not inherit the root's level
            handler_cancellation=True,
            auto_decompress=False,
            keepalive_timeout=IDLE_S,
            lingering_time=LINGER_S,
            shutdown_timeout=GRACE_S,
        )
        await runner.setup()
        assert runner.server is not None
        assert self._socket is not None
        server = runner.server

        def protocol() -> asyncio.Protocol:
            return server() if len(server.connections) < MAX_CONNECTIONS else _Full()

        listener = await asyncio.get_running_loop().create_server(protocol, sock=self._socket)
        log.info("http_started", url=self.url)
        try:
            await self._stop.wait()
        finally:
            listener.close()
            resources.end_streams()
            await runner.cleanup()
            await resources.finish()


class _Full(asyncio.Protocol):
    """Says that there is no room, and hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(_FULL % (len(_TOO_MANY), _TOO_MANY))
        transport.close()
