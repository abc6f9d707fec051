"""The client in an event loop: units of running daemons, kept up to date, over a connection that comes back."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Collection, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Self

from ipo_sim.client.connecting import connection_to
from ipo_sim.client.connection import Address, Connection, HttpAddress, is_http
from ipo_sim.client.entities import Entity, kind_of, read_entity
from ipo_sim.client.events import Event, Events
from ipo_sim.client.expectation import Expectation, Predicate
from ipo_sim.client.outcome import Answer, Outcome, refused
from ipo_sim.client.unit_commands import UnitCommands
from ipo_sim.client.unit_view import UnitView
from ipo_sim.core.model import SECOND_NS, UnitName
from ipo_sim.errors import BrokerError, CommandRejected, NotReached, PayloadError
from ipo_sim.mqtt.backoff import Backoff
from ipo_sim.mqtt.settings import MqttSettings, TlsSettings
from ipo_sim.mqtt.topics import AVAILABILITY, EVENTS
from ipo_sim.runtime.duration import parse_duration

# A length of time: `30s`, or seconds.
Length = str | float

DEFAULT_URL = "mqtt://127.0.0.1:1883"
VARIABLE = "IPO_SIM_BROKER"
TIMEOUT_S = 10.0
# A test waits for its daemon to be there again, and not long.
RECONNECT_CAP_S = 1.0
# A broker that has gone is noticed at once; this is for a loaded machine.
LOSS_S = 0.5

_HINT = "does a daemon run? `ipo-sim run` starts one"
_ONLINE = b"online"


class AsyncClient:
    """A way to units, for the time of `async with`. BrokerError: nobody is there, or he does not let us in.

    `url` is that of a broker, `mqtt://`, or of a daemon's control API, `http://`, whose token is the `password`; None:
    that of the environment variable IPO_SIM_BROKER, else port 1883 of this machine. `timeout` is for the connection and
    for answers. With `reconnect` a lost connection is made again, and a request that it cut short is asked again under
    its old id, so that it is carried out once.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        prefix: str = "ipo-sim",
        timeout: Length = TIMEOUT_S,
        reconnect: bool = True,
        username: str | None = None,
        password: str | None = None,
        tls: TlsSettings | None = None,
    ) -> None:
        self.timeout_s = seconds(timeout)
        url = url or os.environ.get(VARIABLE) or DEFAULT_URL
        self._address: Address
        if is_http(url):
            self._address = HttpAddress.of(url, password, tls)
        else:
            tls, timeout_s = tls or TlsSettings(), self.timeout_s
            self._address = MqttSettings(url, prefix, username, password, tls=tls, timeout_s=timeout_s)
        self._reconnect = reconnect
        self._units: dict[str, AsyncUnit] = {}
        self._connection: Connection | None = None
        self._connected = asyncio.Event()
        self._lost = ""
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Connect."""
        await self._open()
        self._keeper = asyncio.create_task(self._keep(), name="client-connection")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take leave."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()

    @property
    def connected(self) -> bool:
        """Whether the broker is there at the moment."""
        return self._connected.is_set()

    async def units(self) -> Mapping[str, bool]:
        """Names of all units below the prefix, and whether their daemons are online."""
        async with asyncio.timeout(self.timeout_s):
            return await (await self._connection_now()).units()

    async def unit(self, name: str) -> AsyncUnit:
        """A unit, with all that is known of it, kept up to date from here on; CommandRejected `unknown-unit`."""
        if name not in self._units:
            unit = AsyncUnit(UnitName(name), self)
            await unit._follow(await self._connection_now())  # noqa: SLF001 - the two are one
            self._units[name] = unit
        return self._units[name]

    async def request(self, unit: str, verb: str, arguments: Mapping[str, object]) -> Answer:
        """Carry out a command; CommandRejected as the unit, or nobody, said it; BrokerError."""
        request_id = None
        loop = asyncio.get_running_loop()
        end = loop.time() + self.timeout_s
        while True:
            connection = await self._connection_now()
            request_id = request_id or connection.new_id()
            try:
                return await connection.request(UnitName(unit), verb, arguments, request_id)
            except BrokerError:
                # Lost while we asked, or refused: what is lost comes back, and knows the request by its id.
                if not self._reconnect or loop.time() >= end or not await _is_lost(connection):
                    raise
                if connection is self._connection:
                    self._connected.clear()

    async def _connection_now(self) -> Connection:
        """The connection, when it is there within the time; BrokerError says since what it is not."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.timeout_s if self._reconnect else 0):
                await self._connected.wait()
        if not self._connected.is_set() or self._connection is None:
            raise BrokerError(self._lost or "the client is not open: use it in `async with`")
        return self._connection

    async def _open(self) -> None:
        connection = connection_to(self._address, self.timeout_s)
        await connection.open(_HINT)
        try:
            for unit in self._units.values():
                # One that is not there any more says so by being offline.
                with suppress(CommandRejected):
                    await unit._follow(connection)  # noqa: SLF001 - the two are one
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        self._connected.set()
        self._wake_all()

    async def _keep(self) -> None:
        """Notice the loss of the connection, and make it again."""
        backoff = Backoff("client", base_s=0.05, cap_s=RECONNECT_CAP_S)
        while self._connection is not None:
            try:
                await self._connection.lost()
            except BrokerError as error:
                self._note_loss(str(error))
            await self._connection.close()
            while self._reconnect and not self._connected.is_set():
                try:
                    await self._open()
                    backoff.reset()
                except BrokerError as error:
                    self._note_loss(str(error))
                    await asyncio.sleep(backoff.next())
            if not self._reconnect:
                return

    def _note_loss(self, error: str) -> None:
        self._lost = error
        self._connected.clear()
        self._wake_all()

    def _wake_all(self) -> None:
        for unit in self._units.values():
            unit._changed.set()  # noqa: SLF001 - the two are one


async def _is_lost(connection: Connection) -> bool:
    """Whether the connection is gone, or goes now."""
    try:
        async with asyncio.timeout(LOSS_S):
            await connection.lost()
    except TimeoutError:
        return False
    except BrokerError:
        pass
    return True


class _Known:
    """What a unit has said over one connection: payloads by path, and its availability."""

    def __init__(self, changed: asyncio.Event, events: Events) -> None:
        self.payloads: dict[str, bytes] = {}
        self.availability = b""
        self._changed = changed
        self._events = events

    def take(self, path: str, payload: bytes) -> None:
        """One message."""
        if path == AVAILABILITY:
            self.availability = payload
        elif path == EVENTS:
            self._events.take(payload)
        elif kind_of(path) is None:
            return
        elif payload:
            self.payloads[path] = payload
        else:
            self.payloads.pop(path, None)
        self._changed.set()


class AsyncUnit(UnitView, UnitCommands[Coroutine[Any, Any, Answer]]):
    """A unit of a running daemon. What it shows is at hand; what is asked of it is awaited."""

    def __init__(self, name: UnitName, client: AsyncClient) -> None:
        self.name = name
        self._client = client
        self._changed = asyncio.Event()
        self._events = Events()
        self._known = _Known(self._changed, self._events)

    def __repr__(self) -> str:
        return f"<unit {self.name}: {'online' if self.online else 'offline'}>"

    @property
    def online(self) -> bool:
        """Whether its daemon says that it is there, and the broker is."""
        return self._client.connected and self._known.availability == _ONLINE

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened since this unit was asked for, the last 1,000; not what happened while the broker was away."""
        return self._events.all()

    def paths(self) -> Collection[str]:
        """Every entity that exists now."""
        return tuple(self._known.payloads)

    def entity(self, path: str) -> Entity:
        """The entity at a path; UnknownEntity names the nearest one."""
        entity = self.find(path)
        if entity is None:
            raise self.unknown(path)
        return entity

    def find(self, path: str, ask: Callable[[str], tuple[str, ...]] | None = None) -> Entity | None:
        """The entity at a path if there is one; PayloadError: it is none of this version. `ask` answers its `why`."""
        payload = self._known.payloads.get(path)
        if payload is None:
            return None
        try:
            return read_entity(path, payload, ask)
        except ValueError as error:
            raise PayloadError(f"unit {self.name}, {path}: {json.dumps(payload.decode(errors='replace'))}") from error

    async def do(self, verb: str, **arguments: object) -> Answer:
        """Any command; CommandRejected as the unit, or nobody, said it; BrokerError."""
        return await self._client.request(self.name, verb, arguments)

    async def attempt(self, verb: str, **arguments: object) -> Outcome:
        """Any command; a refusal is an outcome and no error."""
        try:
            return Outcome(ok=True, answer=await self.do(verb, **arguments))
        except (CommandRejected, BrokerError) as error:
            return refused(error)

    async def why(self, path: str) -> tuple[str, ...]:
        """The causes of the state of an entity in words, from near to far."""
        answer = await self.do("why", path=path)
        return tuple(link["text"] for link in answer["chain"])

    async def wait_for(
        self, path: str, predicate: Predicate | None = None, /, *, within: Length = TIMEOUT_S, **values: object
    ) -> Entity:
        """Wait until the entity has these values: `wait_for("unit", state="running", within="30s")`; NotReached."""
        await self.expect(Expectation(path, values, predicate), within)
        return self.entity(path)

    async def wait_gone(self, path: str, *, within: Length = TIMEOUT_S) -> None:
        """Wait until there is no such entity; NotReached."""
        await self.expect(Expectation(path, {}, gone=True), within)

    async def wait_for_event(
        self, kind: str | None = None, /, *, after: int = 0, within: Length = TIMEOUT_S, **data: object
    ) -> Event:
        """The first event of that type, with that data, behind event number `after`; waits for it; NotReached."""

        def told() -> str:
            wanted = " ".join((kind or "any event", *(f"{name}={value}" for name, value in data.items())))
            behind = f" behind event {after}" if after else ""
            return f"unit {self.name}: {wanted} did not come{behind} within {within}: {self._events.told()}"

        await self._until(lambda: self._events.find(kind, after, data) is not None, within, told)
        event = self._events.find(kind, after, data)
        assert event is not None
        return event

    async def wait_online(self, *, within: Length = TIMEOUT_S) -> None:
        """Wait until its daemon is there; NotReached."""
        await self._until(lambda: self.online, within, lambda: f"unit {self.name} is not online within {within}")

    async def wait_offline(self, *, within: Length = TIMEOUT_S) -> None:
        """Wait until its daemon, or the broker, is gone; NotReached."""
        await self._until(lambda: not self.online, within, lambda: f"unit {self.name} is online still after {within}")

    async def expect(self, expectation: Expectation, within: Length) -> None:
        """Wait for what is expected; NotReached says what is there instead."""

        def told() -> str:
            found = expectation.found(self.find(expectation.path))
            offline = "" if self.online else "; the unit is offline"
            return f"unit {self.name}: {expectation.text()} did not come within {within}: {found}{offline}"

        await self._until(lambda: expectation.is_met(self.find(expectation.path)), within, told)

    async def _until(self, met: Callable[[], bool], within: Length, told: Callable[[], str]) -> None:
        try:
            async with asyncio.timeout(seconds(within)):
                while not met():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise NotReached(told()) from None

    async def _follow(self, connection: Connection) -> None:
        """Listen on this connection; what was known over the last one holds until all is there."""
        known = _Known(self._changed, self._events)
        try:
            await connection.follow(UnitName(self.name), known.take)
        finally:
            self._known = known


def seconds(length: Length) -> float:
    """A length of time in seconds; ValueError says how to write one."""
    return parse_duration(length) / SECOND_NS if isinstance(length, str) else float(length)
