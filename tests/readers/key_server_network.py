"""A network between a unit and its key server that delays, loses and cuts, and a reader that polls through it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, cast

from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, ReaderAttached
from ipo_sim.readers.key_server import DEFAULT_TIMING, KeyServerReader, Timing
from ipo_sim.readers.key_server_session import Query
from ipo_sim.readers.key_server_wire import Transport
from tests.key_server.servers import HOST, SERIAL, UNIT
from tests.readers.links import Facts, running

NAME = "key server"
ATTACHED = ReaderAttached(NAME)
REMOVED = FeatureKeyRemoved(1)
# For networks that swallow: long enough for an answer on a busy machine.
IMPATIENT = Timing(answer_s=0.5, first_retry_s=0.02)
POLL_S = 0.02


def inserted(serial: str = SERIAL, counter: int = 1) -> FeatureKeyInserted:
    return FeatureKeyInserted(serial, kind="dongle-usb", identity=f"fks:{serial}", law="mulaw", counter=counter)


@contextlib.asynccontextmanager
async def polling(
    port: int,
    *,
    address: str = HOST,
    secret: bytes | None = None,
    unit: str = UNIT,
    transport: Transport = "tcp",
    timing: Timing = DEFAULT_TIMING,
) -> AsyncIterator[tuple[KeyServerReader, Facts]]:
    """A reader that polls for the time of the block, and what it has said."""
    facts = Facts()
    query = Query(address, port, secret, unit)
    reader = KeyServerReader(query, name=NAME, poll_s=lambda: POLL_S, transport=transport, timing=timing)
    async with running(reader.run(facts.emit)):
        yield reader, facts


class Network:
    """What is between two ends: `delay_s` for each piece, `swallows` all of them."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.delay_s = 0.0
        self.swallows = False
        self.from_unit: list[bytes] = []
        self.from_server: list[bytes] = []
        self.connections = 0
        self._ends: set[asyncio.Transport] = set()
        self._tasks: set[asyncio.Task[object]] = set()
        self._timers: list[asyncio.TimerHandle] = []

    def cut(self) -> None:
        """Break all connections."""
        for transport in list(self._ends):
            transport.abort()

    def carry(self, data: bytes, other: asyncio.Transport) -> None:
        if not self.swallows:
            self._timers.append(asyncio.get_running_loop().call_later(self.delay_s, self._deliver, data, other))

    def opened(self, transport: asyncio.Transport) -> None:
        self._ends.add(transport)

    def closed(self, transport: asyncio.Transport) -> None:
        self._ends.discard(transport)

    def join(self, client: _End) -> None:
        """Connect to the server for a unit that has connected to us."""
        self.connections += 1
        task = asyncio.create_task(self._connect(client), name="network")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.cut()
        while self._ends:  # noqa: ASYNC110 - transports close in one of the next turns
            await asyncio.sleep(0)

    async def _connect(self, client: _End) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, server = await loop.create_connection(lambda: _End(self, self.from_server), HOST, self.target)
        except OSError:
            assert client.transport is not None
            client.transport.abort()
            return
        client.pair(server)

    def _deliver(self, data: bytes, other: asyncio.Transport) -> None:
        if not other.is_closing():
            other.write(data)


class _End(asyncio.Protocol):
    """One end of a connection through the network."""

    def __init__(self, network: Network, log: list[bytes], *, joins: bool = False) -> None:
        self.transport: asyncio.Transport | None = None
        self._network = network
        self._log = log
        self._joins = joins
        self._other: _End | None = None
        self._waiting: list[bytes] = []

    def pair(self, other: _End) -> None:
        self._other, other._other = other, self
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self._carry(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._network.opened(self.transport)
        if self._joins:
            self._network.join(self)

    def data_received(self, data: bytes) -> None:
        self._log.append(data)
        if self._other is None:
            self._waiting.append(data)
        else:
            self._carry(data)

    def connection_lost(self, exc: Exception | None) -> None:
        assert self.transport is not None
        self._network.closed(self.transport)
        if self._other is not None and self._other.transport is not None:
            self._other.transport.abort()

    def _carry(self, data: bytes) -> None:
        assert self._other is not None
        assert self._other.transport is not None
        self._network.carry(data, self._other.transport)


@contextlib.asynccontextmanager
async def network(target: int) -> AsyncIterator[Network]:
    """A network in front of the server at a port."""
    between = Network(target)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _End(between, between.from_unit, joins=True), HOST, 0)
    between.port = server.sockets[0].getsockname()[1]
    try:
        yield between
    finally:
        server.close()
        await between.close()
        await server.wait_closed()


class Impostor(asyncio.Protocol):
    """Pretends to be a server: `answer` makes the bytes that follow each line."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        for line in data.splitlines(keepends=True):
            self._transport.write(self._answer(line))


@contextlib.asynccontextmanager
async def impostor(answer: Any) -> AsyncIterator[int]:
    """The port of an impostor."""
    server = await asyncio.get_running_loop().create_server(lambda: Impostor(answer), HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
