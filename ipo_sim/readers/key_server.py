"""The reader of a unit whose dongle is elsewhere: it polls a feature key server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog

from ipo_sim.core.events import (
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    KeyServerPollMissed,
    ReaderAttached,
    ReaderLost,
)
from ipo_sim.core.model import KeyReason
from ipo_sim.errors import KeyServerError
from ipo_sim.licensing.key_server_messages import DongleState, Key, Poll, Refused, State
from ipo_sim.readers.key_server_session import Found, Query, Session, search
from ipo_sim.readers.key_server_wire import Transport, is_broadcast, open_wire
from ipo_sim.readers.reader import Emit
from ipo_sim.readers.supervisor import Backoff

KeyFact = FeatureKeyInserted | FeatureKeyRemoved | FeatureKeyUnreadable

# A server answers within milliseconds, so that this is the network's time; connecting and searching are included.
ANSWER_S = 3.0
# So long others are waited for when the only servers that answer validate another unit, or are not that of before.
SEARCH_S = 0.5
# So many polls in a row without an answer, and the link is lost.
MISSES = 3
# A lost server is asked again soon at first, and as often as it is polled in the end.
FIRST_RETRY_S = 0.5

_UNREADABLE = {int(reason): reason for reason in set(KeyReason) - {KeyReason.NO_REASON, KeyReason.NOT_PRESENT}}
REFUSED = "refused: "

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient the link is, in seconds; `misses` polls in a row are unanswered when it is lost."""

    answer_s: float = ANSWER_S
    search_s: float = SEARCH_S
    first_retry_s: float = FIRST_RETRY_S
    misses: int = MISSES


DEFAULT_TIMING = Timing()


class KeyServerReader:
    """Polls the server at `query.address`, or the one that answers a broadcast there, for `query.unit`.

    `poll_s` gives the seconds from one poll to the next. `law` is that of dongles that do not say theirs. Counters:
    `polls`, `answers`, `misses` (polls without one), `refusals` (answers that say no), `distrusted` (answers that are
    not signed as they should be), `connections`, `losses` and `reopens` of the link.
    """

    kind = "key-server"

    def __init__(
        self,
        query: Query,
        *,
        name: str,
        poll_s: Callable[[], float],
        law: str = "alaw",
        transport: Transport = "tcp",
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        assert query.unit is not None
        self.name = name
        self.last_error: str | None = None
        self._unit = query.unit
        self._query = query
        self._poll_s = poll_s
        self._law = law
        self._transport = transport
        self._timing = timing
        self._session: Session | None = None
        self._host: str | None = None
        # None: nobody has been told anything yet.
        self._attached: bool | None = None
        self._misses = 0
        self._told: KeyFact | None = None
        self._backoff = Backoff(timing.first_retry_s, float("inf"))
        names = ("polls", "answers", "misses", "refusals", "distrusted", "connections", "losses", "reopens")
        self._counters = dict.fromkeys(names, 0)

    def counters(self) -> Mapping[str, int]:
        """See `Reader.counters`."""
        return self._counters

    async def run(self, emit: Emit) -> None:
        """See `Reader.run`."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                begun = loop.time()
                await self._poll(emit)
                await asyncio.sleep(max(0.0, begun + self._pause_s() - loop.time()))
        finally:
            await self._hang_up()

    def _pause_s(self) -> float:
        """From the beginning of one poll to the next. Who was refused has no cause to hurry."""
        is_unanswered = self._attached is False and not (self.last_error or "").startswith(REFUSED)
        return min(self._backoff.next(), self._poll_s()) if is_unanswered else self._poll_s()

    async def _poll(self, emit: Emit) -> None:
        self._counters["polls"] += 1
        try:
            async with asyncio.timeout(self._timing.answer_s):
                answer = await self._ask()
        except TimeoutError:
            doubt = self._session.doubt if self._session is not None else ""
            await self._miss(emit, doubt or f"no answer within {self._timing.answer_s:g} s")
        except KeyServerError as error:
            await self._miss(emit, str(error))
        else:
            self._counters["answers"] += 1
            self._misses = 0
            if isinstance(answer, Refused):
                self._counters["refusals"] += 1
                self._lose(emit, f"{REFUSED}{answer.text}")
            else:
                self._attach(emit)
                self._tell(emit, answer)

    async def _ask(self) -> Key | State | Refused:
        """The answer to one poll. A connection that has broken since the last one is made anew within it."""
        poll = partial(Poll, unit=self._unit)
        if self._session is not None:
            with contextlib.suppress(KeyServerError):
                return await self._session.ask(poll)
            await self._hang_up()
        self._session = await self._connected()
        return await self._session.begin() or await self._session.ask(poll)

    async def _connected(self) -> Session:
        host = self._query.address
        port = self._query.port
        if is_broadcast(host):
            found = await self._found()
            host, port = found.host, found.offer.port
        self._counters["connections"] += 1
        wire = await open_wire(host, port, self._transport)
        self._host = host
        return Session(wire, self._query.secret)

    async def _found(self) -> Found:
        """The server of before, else one that is free, else any: it will say why not."""
        servers = await search(self._query, self._timing.search_s, self._is_found)
        if not servers:
            raise KeyServerError(f"no key server answers at {self._query.address} port {self._query.port}")
        return max(servers, key=self._rank)

    def _is_found(self, servers: Sequence[Found]) -> bool:
        return any(self._rank(server) >= (True, self._host is not None) for server in servers)

    def _rank(self, server: Found) -> tuple[bool, bool]:
        return server.offer.free == "yes", server.host == self._host

    async def _miss(self, emit: Emit, error: str) -> None:
        """A poll without an answer: the link is given up when there are too many, at once when there was none yet."""
        self._counters["misses"] += 1
        self._misses += 1
        await self._hang_up()
        if self._attached and self._misses < self._timing.misses:
            self.last_error = error
            log.debug("key_server_poll_missed", reader=self.name, misses=self._misses, error=error)
            emit(KeyServerPollMissed(self._misses))
        else:
            self._lose(emit, error)

    def _lose(self, emit: Emit, error: str) -> None:
        """Once, and again when it turns out that, or why, the server refuses."""
        is_new = self._attached is not False or (error.startswith(REFUSED) and error != self.last_error)
        self._counters["losses"] += bool(self._attached)
        self._attached, self._told, self.last_error = False, None, error
        if not is_new:
            log.debug("reader_still_lost", reader=self.name, error=error)
            return
        log.warning("reader_lost", reader=self.name, error=error)
        emit(ReaderLost(error))

    def _attach(self, emit: Emit) -> None:
        if self._attached:
            return
        self._counters["reopens"] += self._attached is False
        self._attached = True
        self._backoff.reset()
        log.info("reader_attached", reader=self.name, server=self._host)
        emit(ReaderAttached(self.name))

    def _tell(self, emit: Emit, answer: Key | State) -> None:
        fact = key_fact(answer, self._law)
        if self._told is None or _content(fact) != _content(self._told):
            self._told = fact
            emit(fact)

    async def _hang_up(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._counters["distrusted"] += session.distrusted
            await session.close()


def key_fact(answer: Key | State, law: str) -> KeyFact:
    """What an answer says of the dongle; `law` is used when it does not say the dongle's."""
    if answer.state == DongleState.ABSENT:
        return FeatureKeyRemoved(answer.counter)
    if answer.state == DongleState.PRESENT and answer.serial is not None:
        return FeatureKeyInserted(
            answer.serial,
            kind=answer.kind,
            identity=f"fks:{answer.serial}",
            law=answer.law or law,
            counter=answer.counter,
        )
    return FeatureKeyUnreadable(_UNREADABLE.get(answer.reason or 0, KeyReason.NON_SPECIFIC_ERROR))


def _content(fact: KeyFact) -> KeyFact:
    """The fact without the number of the insertion: between two polls nobody sees a dongle go and come back."""
    return fact if isinstance(fact, FeatureKeyUnreadable) else replace(fact, counter=0)
