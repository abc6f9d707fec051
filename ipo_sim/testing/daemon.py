"""Units that somebody looks after all the time: on a broker, or with a reader that is not virtual.

They run as in a daemon, in an event loop of their own, and their time stands all the same until the test moves it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.broker_settings import connection_settings
from ipo_sim.cli.config.cassettes import Cassettes
from ipo_sim.cli.daemon.control_api import control_server
from ipo_sim.cli.daemon.feature_key_readers import FeatureKeyReaders
from ipo_sim.cli.named_service import Named
from ipo_sim.client.loop_thread import LoopThread
from ipo_sim.config.settings import BrokerSettings, HttpSettings, Settings
from ipo_sim.core.events import Fact
from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.errors import BrokerError
from ipo_sim.mqtt.link import Link
from ipo_sim.mqtt.plan import build_links
from ipo_sim.runtime.assembly import Runtime, open_runtime
from ipo_sim.runtime.clock import stepped
from ipo_sim.runtime.commands import execute
from ipo_sim.runtime.supervisor import Service, Supervisor
from ipo_sim.testing.driver import Answer
from ipo_sim.testing.place import TIMEOUT_S, Place

if TYPE_CHECKING:
    from ipo_sim.panel.server import ControlServer

_T = TypeVar("_T")


class DaemonDriver:
    """A daemon in a thread. What a command does is on the broker when its answer comes."""

    def __init__(
        self,
        thread: LoopThread,
        runtime: Runtime,
        readers: FeatureKeyReaders,
        links: Sequence[Link],
        server: ControlServer | None,
    ) -> None:
        self.runtime = runtime
        self.counters = readers.counters
        self._thread = thread
        self._readers = readers
        self._links = links
        self._server = server
        services: list[Service] = [runtime.pump, readers]
        services += [Named(f"mqtt {link.identity.client_id}", link.run) for link in links]
        services += [] if server is None else [server]
        self._supervisor = Supervisor(services)
        self._run: asyncio.Task[int] | None = None

    @classmethod
    def open(
        cls, settings: Settings, cassettes: Cassettes, start: Nanoseconds, place: Place | None, *, http: bool = False
    ) -> DaemonDriver:
        """Units at work, seen on the broker, offered over HTTP; BrokerError, ConfigError, HttpError, ReaderError."""
        thread = LoopThread("ipo-units")
        try:
            return thread.call(cls._open(thread, settings, cassettes, start, place, http=http))
        except BaseException:
            thread.close()
            raise

    @classmethod
    async def _open(
        cls,
        thread: LoopThread,
        settings: Settings,
        cassettes: Cassettes,
        start: Nanoseconds,
        place: Place | None,
        *,
        http: bool,
    ) -> DaemonDriver:
        catalogue = load_catalogue()
        runtime = open_runtime(None, settings.units, catalogue, clock=stepped(start))
        try:
            readers = FeatureKeyReaders(settings.readers, runtime, cassettes)
            links: Sequence[Link] = ()
            run = partial(execute, runtime.context)
            if place is not None:
                mqtt = connection_settings(BrokerSettings(prefix=place.prefix), place.url)
                links = build_links(
                    mqtt, runtime.engine.names(), runtime.bus, catalogue, run, counters=readers.counters
                )
            server = None
            if http:
                server = control_server(HttpSettings(port=0), runtime, readers.counters, run)
                await server.__aenter__()
            driver = cls(thread, runtime, readers, links, server)
        except BaseException:
            runtime.close()
            raise
        try:
            await driver._begin()
        except BaseException:
            await driver._end()
            raise
        return driver

    @property
    def http_url(self) -> str | None:
        """Where the units are offered over HTTP, if they are."""
        return None if self._server is None else self._server.url

    def call(self, look: Callable[[], _T]) -> _T:
        """What `look` sees of the runtime at this moment."""
        return self._thread.call(self._look(look))

    def execute(self, unit: UnitName, verb: str, arguments: Mapping[str, object]) -> Answer:
        """Carry out a command of the registry, and wait until the broker has what it did; CommandRejected."""
        return self._thread.call(self._settled(execute(self.runtime.context, unit, verb, arguments)))

    def submit(self, unit: UnitName, fact: Fact, cause: str) -> None:
        """Let happen what a reader says."""
        self._thread.call(self._settled(self._submit(unit, fact, cause)))

    def wait(self, seconds: float) -> float:
        """Wait until something has happened, at most so long of real time."""
        return self._thread.call(self._wait(seconds))

    def close(self) -> None:
        """Take leave of the broker and the readers, and forget it all."""
        try:
            self._thread.call(self._end())
        finally:
            self._thread.close()

    async def _begin(self) -> None:
        self._readers.start_virtual()
        self._run = asyncio.create_task(self._supervisor.run(), name="ipo-units")
        await self.runtime.pump.advance(Nanoseconds(0))
        for link in self._links:
            seen = asyncio.create_task(link.synchronised.wait(), name="ipo-units-seen")
            await asyncio.wait({seen, self._run}, timeout=TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
            seen.cancel()
            if self._run.done():
                raise RuntimeError("a service of the units failed; the log says which, and why")
            if not link.synchronised.is_set():
                raise BrokerError(link.last_error or f"no broker within {TIMEOUT_S:g} s")

    async def _end(self) -> None:
        self._supervisor.stop()
        if self._run is not None:
            await asyncio.wait({self._run})
        if self._server is not None:
            await self._server.__aexit__()
        self._readers.close()
        self.runtime.close()

    async def _look(self, look: Callable[[], _T]) -> _T:
        return look()

    async def _submit(self, unit: UnitName, fact: Fact, cause: str) -> None:
        self.runtime.pump.submit(unit, fact, cause)
        await self.runtime.pump.advance(Nanoseconds(0))

    async def _settled(self, action: Coroutine[Any, Any, _T]) -> _T:
        result = await action
        for link in self._links:
            # A test may have taken the broker away: what it missed it gets when it is back.
            with suppress(BrokerError):
                await link.settle()
        return result

    async def _wait(self, seconds: float) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        subscription = self.runtime.bus.subscribe("test")
        try:
            async with asyncio.timeout(seconds):
                await subscription.next()
        except TimeoutError:
            pass
        finally:
            subscription.close()
        return loop.time() - began
