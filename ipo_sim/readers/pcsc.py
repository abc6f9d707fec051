"""The reader that PC/SC knows: any card reader with a driver for pcscd, chosen by a part of its name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from ipo_sim.card.reading import CardReading
from ipo_sim.card.unreadable import CardUnreadable
from ipo_sim.core.events import FeatureKeyInserted
from ipo_sim.core.model import KeyReason
from ipo_sim.errors import ReaderError
from ipo_sim.readers.pcsc_binding import STATE_PRESENT, State
from ipo_sim.readers.pcsc_slot import KeyFact, Slot
from ipo_sim.readers.pcsc_transaction import Outcome, Read, Transactions
from ipo_sim.readers.pcsc_watch import Ended, Missing, Report, Seen, Watch
from ipo_sim.readers.reader import Emit
from ipo_sim.readers.recorder import Trace
from ipo_sim.readers.supervisor import Backoff, Retries, Supervisor

# A restarted pcscd is back within 75 ms; a reader that goes and comes needs no retry at all, for the watch goes on.
FIRST_RETRY_S = 0.05
LONGEST_RETRY_S = 0.2
# Many times what the slowest card needs to sign a challenge.
DEADLINE_S = 5.0
# A card that fails may only be settling in its contacts, or be in use by another program for a moment.
ATTEMPTS = 3
# As the unit polls its key: a driver that polls may not see that a card was swapped.
RECHECK_S = 10.0
# A pcscd that has just started takes a reader for empty until it has looked, which a busy machine can put off.
EMPTY_S = 0.25
# A card that answers ends its transaction within this; at the end of the process no card is waited for longer.
LEAVE_S = 0.05

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing(Retries):
    """How patient the reader is, in seconds; after `attempts` failures a card counts as unreadable."""

    deadline_s: float = DEADLINE_S
    recheck_s: float = RECHECK_S
    attempts: int = ATTEMPTS
    empty_s: float = EMPTY_S
    first_retry_s: float = FIRST_RETRY_S
    longest_retry_s: float = LONGEST_RETRY_S


DEFAULT_TIMING = Timing()


class PcscReader:
    """Looks after the PC/SC reader that `pattern` means and says what its cards are, as `read` finds out.

    `trace` hears of every command and response, in whatever thread. Counters: those of `Supervisor`; `insertions` and
    `missed_insertions`; `readings` of a card, `read_failures` and `stuck` among them.
    """

    kind = "pcsc"

    def __init__(
        self, pattern: str, *, read: Read, timing: Timing = DEFAULT_TIMING, trace: Trace | None = None
    ) -> None:
        self._pattern = pattern
        self._timing = timing
        self._supervisor = Supervisor(pattern, timing)
        self._read = read
        self._trace = trace
        self._transactions: Transactions | None = None
        self._slot = Slot()
        self._counters = dict.fromkeys(("readings", "read_failures", "stuck"), 0)
        self._card_error: str | None = None
        self._reader: str | None = None
        self._reading = 0
        self._failures = 0
        self._retry = Backoff(timing.first_retry_s, timing.recheck_s)
        self._next: asyncio.TimerHandle | None = None
        self._end: asyncio.Future[None] | None = None
        self._emit: Emit | None = None

    @property
    def name(self) -> str:
        """What PC/SC calls the reader; until one was found the pattern."""
        return self._supervisor.name

    @property
    def last_error(self) -> str | None:
        """Why the card that is in cannot be read, or else why the reader was last lost or not found."""
        return self._card_error or self._supervisor.last_error

    def counters(self) -> Mapping[str, int]:
        """See `Reader.counters`."""
        return {
            **self._supervisor.counters,
            "insertions": self._slot.insertions,
            "missed_insertions": self._slot.missed,
            **self._counters,
        }

    async def run(self, emit: Emit) -> None:
        """See `Reader.run`."""
        self._emit = emit
        self._transactions = Transactions(
            self._read, self._timing.deadline_s, self._finished, self._overdue, self._trace
        )
        try:
            await self._supervisor.run(emit, self._session)
        finally:
            await self._transactions.leave(LEAVE_S)

    async def _session(self) -> None:
        """From the first call of pcscd to its end, which is a ReaderError."""
        self._end = asyncio.get_running_loop().create_future()
        watch = Watch(self._pattern, self._take)
        watch.start()
        try:
            await self._end
        finally:
            self._forget()
            await watch.stop()

    def _take(self, report: Report) -> None:
        match report:
            case Seen(state):
                self._seen(state)
            case Missing(error):
                self._forget()
                self._supervisor.lost(error)
            case Ended(error):
                self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self._end is not None and not self._end.done():
            self._end.set_exception(error)

    def _forget(self) -> None:
        """Nothing is known of the reader any more. A transaction that runs still ends for itself."""
        self._reader = None
        self._card_error = None
        self._slot.forget()
        self._stop_timer()

    def _seen(self, state: State) -> None:
        if self._reader is None:
            self._reader = self._supervisor.name = state.name
            self._supervisor.attached()
            if state.events == 0 and not state.bits & STATE_PRESENT:
                self._next = asyncio.get_running_loop().call_later(self._timing.empty_s, self._look, state)
                return
        self._look(state)

    def _look(self, state: State) -> None:
        before = self._slot.insertions
        self._tell(self._slot.take(state))
        if not self._slot.is_occupied:
            self._card_error = None
            self._stop_timer()
        elif self._slot.insertions != before:
            self._failures = 0
            self._retry.reset()
            self._read_card()

    def _read_card(self) -> None:
        """Read the card now; one that is being read still is followed by this one when it ends."""
        assert self._transactions is not None
        self._stop_timer()
        if self._reader is None or self._transactions.busy:
            return
        self._reading = self._slot.insertions
        self._counters["readings"] += 1
        self._transactions.start(self._reader, reset=self._failures > 0)

    def _finished(self, outcome: Outcome) -> None:
        if self._reader is None or not self._slot.is_occupied:
            return
        if self._reading != self._slot.insertions:
            self._read_card()
            return
        match outcome:
            case CardReading():
                self._accept(outcome)
            case CardUnreadable():
                self._refuse(outcome.reason, str(outcome))
            case ReaderError():
                self._retry_card(str(outcome))
            case _:
                self._fail(outcome)

    def _accept(self, reading: CardReading) -> None:
        self._card_error = None
        self._failures = 0
        self._retry.reset()
        fact = FeatureKeyInserted(
            reading.serial,
            kind=reading.kind,
            identity=reading.identity,
            law=reading.law,
            assurance=str(reading.assurance),
        )
        self._tell(self._slot.read(fact))
        self._read_later(self._timing.recheck_s)

    def _refuse(self, reason: KeyReason, error: str) -> None:
        self._counters["read_failures"] += 1
        self._failures = 0
        self._note(error)
        self._tell(self._slot.unreadable(reason, error))
        self._read_later(self._timing.recheck_s)

    def _retry_card(self, error: str) -> None:
        """The reader or pcscd failed: what is wrong with either is the watch's to say, soon."""
        self._counters["read_failures"] += 1
        self._failures += 1
        if self._failures >= self._timing.attempts:
            self._note(error)
        if self._failures == self._timing.attempts:  # told once, however the words change with each attempt
            self._tell(self._slot.unreadable(KeyReason.NO_REGISTER_ACCESS, error))
        self._read_later(self._retry.next())

    def _overdue(self) -> None:
        self._counters["stuck"] += 1
        self._failures += 1
        if self._reader is not None and self._slot.is_occupied:
            error = f"the card has not answered for {self._timing.deadline_s:g} s; it is left alone until it does"
            self._note(error)
            self._tell(self._slot.unreadable(KeyReason.NO_REGISTER_ACCESS, error))

    def _note(self, error: str) -> None:
        if error != self._card_error:
            log.warning("card_unreadable", reader=self._reader, error=error)
        self._card_error = error

    def _tell(self, facts: Iterable[KeyFact]) -> None:
        assert self._emit is not None
        for fact in facts:
            self._emit(fact)

    def _read_later(self, wait_s: float) -> None:
        self._stop_timer()
        self._next = asyncio.get_running_loop().call_later(wait_s, self._read_card)

    def _stop_timer(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None
