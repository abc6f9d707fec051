"""A control server beside a test, and clients that speak HTTP by hand, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Self

from ipo_sim.api.encoder import Encoder
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.model import UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.panel.server import ControlServer
from ipo_sim.panel.settings import HttpSettings
from ipo_sim.runtime.bus import Bus
from tests.mqtt.world import LiveUnit, Registry

# A loaded machine may take its time; a test that waits longer has failed.
DEADLINE_S = 20.0
HOST = "127.0.0.1"
TOKEN = "0123456789abcdef0123456789abcdef"


class Served(NamedTuple):
    """A server, what it serves, and its registry of commands."""

    server: ControlServer
    bus: Bus
    units: dict[str, LiveUnit]
    registry: Registry

    @property
    def port(self) -> int:
        return self.server.port

    async def number_of_subscriptions(self, number: int) -> None:
        """Wait until the bus has so many: the history, and each stream."""
        async with asyncio.timeout(DEADLINE_S):
            while len(self.bus._subscriptions) != number:  # noqa: ASYNC110 - the bus tells nobody
                await asyncio.sleep(0)


@asynccontextmanager
async def serving(
    *names: str, token: str | None = None, registry: Registry | None = None, boot: bool = True, port: int = 0
) -> AsyncIterator[Served]:
    """Serve these units, by default `bench-1`, until the end of the block, which is a clean stop."""
    bus = Bus()
    units = {name: LiveUnit(bus, name) for name in names or ("bench-1",)}
    if boot:
        for unit in units.values():
            unit.boot()
    registry = registry or Registry()

    def seq_of(name: UnitName) -> int:
        if name not in units:
            raise CommandRejected("unknown-unit", f"there is no unit {name}")
        return units[name].unit.seq

    settings = HttpSettings(port, token=token)
    async with ControlServer(settings, bus, Encoder(bus, load_catalogue()), registry, seq_of) as server:
        task = asyncio.create_task(server.run(), name="test-http")
        try:
            yield Served(server, bus, units, registry)
        finally:
            async with asyncio.timeout(DEADLINE_S):
                await server.stop()
                await task


class Response(NamedTuple):
    """Status, headers by their names in small letters, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> Any:
        return self.json["error"]["code"]


class Caller:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()
        # The transport says so to the protocol in the next turn of the loop.
        await asyncio.sleep(0)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def response(self, *, bodiless: bool = False) -> Response:
        async with asyncio.timeout(DEADLINE_S):
            status, headers = await self.head()
            body = await self.reader.readexactly(0 if bodiless else int(headers.get("content-length", "0")))
        return Response(status, headers, body)

    async def head(self) -> tuple[int, dict[str, str]]:
        async with asyncio.timeout(DEADLINE_S):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = (line.lower().partition(": ") for line in lines[1:] if line)
        headers = {name: value for name, _, value in fields}
        return int(lines[0].split()[1]), headers

    async def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Response:
        await self.send(request(method, path, body, **headers))
        return await self.response(bodiless=method == "HEAD")

    async def ended(self) -> bytes:
        """What comes until the other side hangs up."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


def request(method: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
    """A request as bytes; `_` for `-` in names of headers."""
    fields = {"Host": f"{HOST}:1"}
    if body is not None:
        fields |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    fields |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value), "", ""]
    return "\r\n".join(lines).encode() + (body or b"")


async def call(port: int) -> Caller:
    """A connection to the server."""
    async with asyncio.timeout(DEADLINE_S):
        return Caller(*await asyncio.open_connection(HOST, port))


async def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> Response:
    """One request on a connection of its own."""
    async with await call(port) as caller:
        return await caller.ask(method, path, body, **headers)


class Told(NamedTuple):
    """One event of a stream."""

    event: str
    seq: str | None
    data: Any


class Listener(Caller):
    """A connection with a stream on it."""

    async def next(self) -> Told:
        """The next event; comments are passed over."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                text = await self._chunked_event()
                fields = dict(line.split(": ", 1) for line in text.splitlines() if line and not line.startswith(":"))
                if fields:
                    return Told(fields["event"], fields.get("id"), json.loads(fields["data"]))

    async def until(self, event: str) -> list[Told]:
        """All events up to the first of that kind."""
        told = [await self.next()]
        while told[-1].event != event:
            told.append(await self.next())
        return told

    _buffer = b""

    async def _chunked_event(self) -> str:
        while b"\n\n" not in self._buffer:
            size = int(await self.reader.readline(), 16)
            if not size:
                raise EOFError
            self._buffer += await self.reader.readexactly(size)
            await self.reader.readline()
        event, self._buffer = self._buffer.split(b"\n\n", 1)
        return event.decode()


async def listen(port: int, path: str, **headers: str) -> Listener:
    """A stream that has begun; AssertionError when it does not."""
    caller = await call(port)
    listener = Listener(caller.reader, caller.writer)
    await listener.send(request("GET", path, None, **headers))
    status, fields = await listener.head()
    if status != 200:
        body = await listener.reader.readexactly(int(fields["content-length"]))
        await listener.__aexit__()
        raise AssertionError(f"{status}: {body.decode()}")
    assert fields["content-type"] == "text/event-stream"
    return listener
