"""The client without an event loop: the same as in `asynchronous`, in calls that return when it is done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Self

from ipo_sim.client.asynchronous import TIMEOUT_S, AsyncClient, AsyncUnit, Length
from ipo_sim.client.entities import Entity
from ipo_sim.client.events import Event
from ipo_sim.client.expectation import Expectation, Predicate
from ipo_sim.client.loop_thread import LoopThread
from ipo_sim.client.outcome import Answer, Outcome
from ipo_sim.client.unit_commands import UnitCommands
from ipo_sim.client.unit_view import UnitView


class Client:
    """A connection to a broker, for the time of `with`; arguments and errors are those of AsyncClient."""

    def __init__(self, url: str | None = None, **options: Any) -> None:  # noqa: ANN401 - those of AsyncClient
        self._url = url
        self._options = options
        self._thread: LoopThread | None = None
        self._client: AsyncClient | None = None

    def __enter__(self) -> Self:
        """Connect."""
        self._thread = LoopThread("ipo-sim-client")
        try:
            self._client = self._thread.call(self._open())
        except BaseException:
            self._thread.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Take leave."""
        client, thread = self._parts()
        try:
            thread.call(client.__aexit__())
        finally:
            thread.close()

    @property
    def connected(self) -> bool:
        """Whether the broker is there at the moment."""
        return self._client is not None and self._client.connected

    def units(self) -> Mapping[str, bool]:
        """Names of all units below the prefix, and whether their daemons are online."""
        client, thread = self._parts()
        return thread.call(client.units())

    def unit(self, name: str) -> Unit:
        """A unit, with all that is known of it, kept up to date from here on; CommandRejected `unknown-unit`."""
        client, thread = self._parts()
        return Unit(thread.call(client.unit(name)), thread)

    async def _open(self) -> AsyncClient:
        return await AsyncClient(self._url, **self._options).__aenter__()

    def _parts(self) -> tuple[AsyncClient, LoopThread]:
        if self._client is None or self._thread is None:
            raise RuntimeError("the client is not open: use it in `with`")
        return self._client, self._thread


class Unit(UnitView, UnitCommands[Answer]):
    """A unit of a running daemon."""

    def __init__(self, unit: AsyncUnit, thread: LoopThread) -> None:
        self.name = unit.name
        self._unit = unit
        self._thread = thread

    def __repr__(self) -> str:
        return repr(self._unit)

    @property
    def online(self) -> bool:
        """Whether its daemon says that it is there, and the broker is."""
        return self._unit.online

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened since this unit was asked for, the last 1,000; not what happened while the broker was away."""
        return self._thread.call(self._events())

    def paths(self) -> Collection[str]:
        """Every entity that exists now."""
        return self._thread.call(self._paths())

    def entity(self, path: str) -> Entity:
        """The entity at a path; UnknownEntity names the nearest one."""
        entity = self._unit.find(path, self.why)
        if entity is None:
            raise self.unknown(path)
        return entity

    def do(self, verb: str, **arguments: object) -> Answer:
        """Any command; CommandRejected as the unit, or nobody, said it; BrokerError."""
        return self._thread.call(self._unit.do(verb, **arguments))

    def attempt(self, verb: str, **arguments: object) -> Outcome:
        """Any command; a refusal is an outcome and no error."""
        return self._thread.call(self._unit.attempt(verb, **arguments))

    def why(self, path: str) -> tuple[str, ...]:
        """The causes of the state of an entity in words, from near to far."""
        return self._thread.call(self._unit.why(path))

    def wait_for(
        self, path: str, predicate: Predicate | None = None, /, *, within: Length = TIMEOUT_S, **values: object
    ) -> Entity:
        """Wait until the entity has these values: `wait_for("unit", state="running", within="30s")`; NotReached."""
        self._thread.call(self._unit.expect(Expectation(path, values, predicate), within))
        return self.entity(path)

    def wait_gone(self, path: str, *, within: Length = TIMEOUT_S) -> None:
        """Wait until there is no such entity; NotReached."""
        self._thread.call(self._unit.wait_gone(path, within=within))

    def wait_for_event(
        self, kind: str | None = None, /, *, after: int = 0, within: Length = TIMEOUT_S, **data: object
    ) -> Event:
        """The first event of that type, with that data, behind event number `after`; waits for it; NotReached."""
        return self._thread.call(self._unit.wait_for_event(kind, after=after, within=within, **data))

    def wait_online(self, *, within: Length = TIMEOUT_S) -> None:
        """Wait until its daemon is there; NotReached."""
        self._thread.call(self._unit.wait_online(within=within))

    def wait_offline(self, *, within: Length = TIMEOUT_S) -> None:
        """Wait until its daemon, or the broker, is gone; NotReached."""
        self._thread.call(self._unit.wait_offline(within=within))

    async def _events(self) -> tuple[Event, ...]:
        return self._unit.events

    async def _paths(self) -> Collection[str]:
        return self._unit.paths()
