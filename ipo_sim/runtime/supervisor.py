"""The daemon's life: all services in one task group, one way down, one exit code."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from types import FrameType
from typing import Protocol, runtime_checkable

import structlog

from ipo_sim.errors import IpoSimError

# What a service may take to say goodbye: a broker that does not answer must not keep the daemon.
STOP_TIMEOUT_S = 5.0

EXIT_OK = 0
EXIT_FAILED = 1

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger()


class Service(Protocol):
    """Something that runs as long as the daemon: a reader, a link, a broker, the pump."""

    @property
    def name(self) -> str:
        """What logs and the task are called."""
        ...

    async def run(self) -> None:
        """Serve until cancelled; an exception ends the daemon, returning does not."""


@runtime_checkable
class Stoppable(Protocol):
    """A service that has something to say before it is cancelled, such as `offline`."""

    async def stop(self) -> None:
        """Take leave; it still runs, and so does every service that was listed before it."""


class Supervisor:
    """Runs services in the order given and stops them in the opposite one.

    Whatever ends the daemon - a signal, `stop`, a service that failed - takes the same way down.
    """

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = tuple(services)
        self._ending = asyncio.Event()
        self._failed = False

    def stop(self) -> None:
        """Ask for the orderly end."""
        self._ending.set()

    async def run(self) -> int:
        """Serve until asked to end or until a service fails; the exit code of the process."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._serve(service), name=service.name) for service in self._services]
            try:
                await self._ending.wait()
            finally:
                # Also when this task itself is cancelled, as a test or an embedding program may do.
                for service, task in reversed(list(zip(self._services, tasks, strict=True))):
                    await self._end(service, task)
        return EXIT_FAILED if self._failed else EXIT_OK

    async def _serve(self, service: Service) -> None:
        try:
            await service.run()
        except IpoSimError as error:
            self._fail(service, error)
        except Exception as error:  # noqa: BLE001 - a boundary: a defect in one service still lets the others take leave
            self._fail(service, error)

    def _fail(self, service: Service, error: Exception) -> None:
        kind = {} if isinstance(error, IpoSimError) else {"type": type(error).__name__}
        log.error("service_failed", service=service.name, error=str(error), **kind)
        log.debug("service_failed_at", service=service.name, exc_info=error)
        self._failed = True
        self._ending.set()

    async def _end(self, service: Service, task: asyncio.Task[None]) -> None:
        if not task.done() and isinstance(service, Stoppable):
            await self._take_leave(service, service.stop)
        task.cancel()
        await asyncio.wait((task,), timeout=STOP_TIMEOUT_S)
        if not task.done():
            log.warning("service_does_not_end", service=service.name)

    async def _take_leave(self, service: Service, stop: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await stop()
        except TimeoutError:
            log.warning("service_not_stopped_in_time", service=service.name)
        except Exception as error:  # noqa: BLE001 - a boundary: whoever cannot take leave must not keep the others from it
            self._fail(service, error)


async def run_daemon(services: Sequence[Service], close: Callable[[], None]) -> int:
    """Run the services until SIGTERM, SIGINT or a failure, `close` what they stand on, and return the exit code.

    A second signal ends the process at once.
    """
    supervisor = Supervisor(services)
    try:
        with _signals(supervisor.stop):
            return await supervisor.run()
    finally:
        close()


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` in the event loop at the first SIGTERM or SIGINT, and let the next one kill."""
    loop = asyncio.get_running_loop()

    def first(number: int, _frame: FrameType | None) -> None:
        # The system's own action also ends a process whose event loop hangs.
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        loop.call_soon_threadsafe(_ask, stop, number)

    before = [signal.signal(number, first) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in zip(_SIGNALS, before, strict=True):
            signal.signal(number, handler)


def _ask(stop: Callable[[], None], number: int) -> None:
    log.info("stopping", signal=signal.Signals(number).name)
    stop()
