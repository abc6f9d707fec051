"""The supervisor of a reader that comes and goes: it opens it again and again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from ipo_sim.core.events import ReaderAttached, ReaderLost
from ipo_sim.errors import ReaderError
from ipo_sim.readers.reader import Emit

# A device that was pulled is often back at once; one that is not must cost nothing to look for.
FIRST_RETRY_S = 0.05
LONGEST_RETRY_S = 0.5
# A reader that stays this long has come back; one that goes sooner flaps, and is opened ever more slowly.
SETTLED_S = 2.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How soon a lost reader is opened again, in seconds: waits double, until it has stayed for `settled_s`."""

    first_retry_s: float = FIRST_RETRY_S
    longest_retry_s: float = LONGEST_RETRY_S
    settled_s: float = SETTLED_S


DEFAULT_RETRIES = Retries()


class Backoff:
    """Waits that double from `first_s` up to `longest_s`."""

    __slots__ = ("_first_s", "_longest_s", "_next_s")

    def __init__(self, first_s: float = FIRST_RETRY_S, longest_s: float = LONGEST_RETRY_S) -> None:
        self._first_s = self._next_s = first_s
        self._longest_s = longest_s

    def next(self) -> float:
        """Seconds to wait now; the following wait is longer."""
        wait_s = self._next_s
        self._next_s = min(wait_s * 2, self._longest_s)
        return wait_s

    def reset(self) -> None:
        """Begin with the shortest wait again."""
        self._next_s = self._first_s


class Supervisor:
    """Opens a reader, says once that it is there and once that it is lost, waits and opens it again.

    Counters: `losses` of an attached reader, `failures` to attach it, `reopens` that found it after either.
    """

    __slots__ = ("_attached", "_backoff", "_emit", "_settled_s", "_settling", "_wake", "counters", "last_error", "name")

    def __init__(self, name: str, retries: Retries = DEFAULT_RETRIES) -> None:
        self.name = name
        self.last_error: str | None = None
        self.counters = dict.fromkeys(("losses", "failures", "reopens"), 0)
        self._backoff = Backoff(retries.first_retry_s, retries.longest_retry_s)
        self._settled_s = retries.settled_s
        self._settling: asyncio.TimerHandle | None = None
        self._wake = asyncio.Event()
        self._attached: bool | None = None
        self._emit: Emit | None = None

    async def run(self, emit: Emit, session: Callable[[], Awaitable[None]]) -> None:
        """Run one `session` after the other until cancelled; each calls `attached` and ends by ReaderError."""
        self._emit = emit
        while True:
            try:
                await session()
            except ReaderError as error:
                self.lost(str(error))
            finally:
                self._stop_settling()
            await self._pause()

    def attached(self) -> None:
        """The reader of the running session answers."""
        assert self._emit is not None
        if self._attached is False:
            self.counters["reopens"] += 1
        self._attached = True
        self._stop_settling()
        self._settling = asyncio.get_running_loop().call_later(self._settled_s, self._backoff.reset)
        log.info("reader_attached", reader=self.name)
        self._emit(ReaderAttached(self.name))

    def wake(self) -> None:
        """A device has come: try again at once, and soon after, for its permissions may follow."""
        self._backoff.reset()
        self._wake.set()

    def lost(self, error: str) -> None:
        """The reader does not answer. Ends of sessions say so themselves; a session that goes on may say it, too."""
        assert self._emit is not None
        self._stop_settling()
        self.last_error = error
        self.counters["losses" if self._attached else "failures"] += 1
        if self._attached is False:
            log.debug("reader_still_lost", reader=self.name, error=error)
            return
        self._attached = False
        log.warning("reader_lost", reader=self.name, error=error)
        self._emit(ReaderLost(error))

    def _stop_settling(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._backoff.next()):
                await self._wake.wait()
        self._wake.clear()
