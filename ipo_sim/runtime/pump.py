"""The asyncio side of the engine: one inbox, one timer for all units, and patience with a full disk."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import structlog

from ipo_sim.core.events import (
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    ReaderAttached,
    ReaderLost,
)
from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.errors import CommandRejected, JournalError
from ipo_sim.runtime.agenda import Foreseen
from ipo_sim.runtime.engine import Applied, Engine, Outcome, Submission
from ipo_sim.runtime.snapshot import State

# Commands that wait at once: some seconds of a full disk's or a long advance's backlog; more is a client gone wild.
MAX_COMMANDS = 1_000
# Facts of one unit that wait at once. A reader's facts are states, so two latest ones are enough; this keeps history
# whole in any burst that hands can make.
MAX_FACTS_PER_UNIT = 64
# A disk that is full is so for seconds at least, and whoever makes room wants to see that it helped.
FIRST_RETRY_S = 0.1
LONGEST_RETRY_S = 5.0

# Facts that make one another out of date: of each subject the last one tells the state.
_SUBJECTS: dict[type[Fact], str] = {
    ReaderAttached: "reader",
    ReaderLost: "reader",
    FeatureKeyInserted: "feature-key",
    FeatureKeyRemoved: "feature-key",
    FeatureKeyUnreadable: "feature-key",
}

_T = TypeVar("_T")
log = structlog.get_logger()


class _Item:
    """A submission in the inbox, and whom to tell; None: nobody waits, and it is not dropped when writing fails."""

    __slots__ = ("answer", "submission")

    def __init__(self, submission: Submission, answer: asyncio.Future[Outcome] | None = None) -> None:
        self.submission = submission
        self.answer = answer

    def current(self) -> Submission:
        """The submission, without its fact when whoever wanted it waits no longer."""
        if self.answer is not None and self.answer.done():
            return self.submission._replace(fact=None)
        return self.submission

    @property
    def subject(self) -> str:
        """What the fact is about."""
        kind = type(self.submission.fact)
        return _SUBJECTS.get(kind, kind.__name__)  # type: ignore[arg-type]  # nobody submits the fact None


class Pump:
    """Feeds the engine from the event loop; a service of the supervisor.

    `coalesced` counts facts that a later one of their subject replaced while they waited, `turns` how often it woke.
    """

    name = "pump"

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.coalesced = 0
        self.turns = 0
        self._inbox: deque[_Item] = deque()
        self._commands = 0
        self._facts: Counter[UnitName] = Counter()
        self._wake = asyncio.Event()
        self._armed: Nanoseconds | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._retry_s = 0.0
        self._retrying = False
        self._stopped = False

    def submit(self, name: UnitName, fact: Fact, cause: str, at: Nanoseconds | None = None) -> None:
        """Hand in a reader's fact, stamped now; never blocks, never fails, and what it says last is never lost.

        `at`: the time of this very moment, for who has read it already and wants the fact to have the same.
        """
        submission = self._submission(name, fact, cause)
        self._inbox.append(_Item(submission if at is None else submission._replace(at=at)))
        self._facts[name] += 1
        if self._facts[name] > MAX_FACTS_PER_UNIT:
            self._coalesce(name)
        if not self._retrying:
            self._wake.set()

    def foresee(self, facts: Iterator[Foreseen]) -> None:
        """Let these happen at their moments, as `Engine.foresee` has it."""
        self.engine.foresee(facts)
        self._armed = None
        self._wake.set()

    async def request(self, name: UnitName, fact: Fact, cause: str) -> Applied:
        """Let a fact happen and wait until it is written and published.

        CommandRejected: by the unit, or `busy`, `journal-unavailable`, `stopping`; then nothing happened.
        """
        outcome = await self._enqueue(self._submission(name, fact, cause))
        assert outcome is not None
        return outcome

    async def advance(self, duration: Nanoseconds) -> Nanoseconds:
        """Move time ahead and wait until every deadline on the way has fired; the time reached.

        CommandRejected as of `Clock.advance` and `request`.
        """
        at = self.change_clock(lambda: self.engine.clock.advance(duration))
        await self._enqueue(Submission(UnitName(""), None, "", at))
        return at

    def change_clock(self, change: Callable[[], _T]) -> _T:
        """Let `change` set the engine's clock, and follow it; CommandRejected `journal-unavailable`: nothing is set."""
        try:
            result = change()
        except JournalError as error:
            raise _unavailable(error) from error
        self._armed = None
        self._wake.set()
        return result

    def go_back(self, states: Mapping[UnitName, State], at: Nanoseconds) -> None:
        """`Engine.go_back`; what waits in the inbox happens at the earlier moment."""
        self.engine.go_back(states, at)
        for item in self._inbox:
            item.submission = item.submission._replace(at=min(item.submission.at, at))
        self._armed = None
        self._wake.set()

    async def run(self) -> None:
        """Apply what comes in and what falls due, until cancelled; asleep while neither is there."""
        self._wake.set()
        try:
            while await self._wake.wait():
                self._wake.clear()
                if self._turn():
                    self._wake.set()
                    await asyncio.sleep(0)
        finally:
            self._stop()

    def _submission(self, name: UnitName, fact: Fact, cause: str) -> Submission:
        return Submission(name, fact, cause, self.engine.clock.now())

    async def _enqueue(self, submission: Submission) -> Applied | None:
        if self._stopped:
            raise CommandRejected("stopping", "the daemon is stopping", temporary=True)
        if self._commands >= MAX_COMMANDS:
            raise CommandRejected("busy", f"{MAX_COMMANDS} commands are waiting already", temporary=True)
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._inbox.append(_Item(submission, answer))
        self._commands += 1
        self._wake.set()
        outcome = await answer
        if isinstance(outcome, CommandRejected):
            raise outcome
        return outcome

    def _turn(self) -> bool:
        """One batch; True: there is more to do at once."""
        self.turns += 1
        self._retrying = False
        engine = self.engine
        events, until = engine.events, engine.clock.now()
        try:
            outcomes = engine.run_batch((item.current() for item in self._inbox), until)
        except JournalError as error:
            self._fail(error)
            return False
        if self._retry_s and engine.events > events:
            self._retry_s = 0.0
            log.info("journal_available_again")
        for outcome in outcomes:
            self._settle(self._take(), outcome)
        if self._inbox or engine.is_due(until):
            return True
        self._arm()
        return False

    def _take(self) -> _Item:
        item = self._inbox.popleft()
        self._forget(item)
        return item

    def _forget(self, item: _Item) -> None:
        if item.answer is None:
            self._facts[item.submission.unit] -= 1
        else:
            self._commands -= 1

    def _settle(self, item: _Item, outcome: Outcome) -> None:
        if item.answer is not None:
            if not item.answer.done():
                item.answer.set_result(outcome)
        elif isinstance(outcome, CommandRejected):
            # Usual: a reader that starts tells what the unit knows already.
            log.debug("fact_rejected", unit=item.submission.unit, reason=outcome.reason, error=str(outcome))

    def _fail(self, error: JournalError) -> None:
        """Answer those who wait, keep the readers' facts, and try again later; deadlines are kept by the engine."""
        (log.debug if self._retry_s else log.error)("journal_unavailable", error=str(error))
        self._refuse(_unavailable(error))
        self._retry_s = min(max(self._retry_s * 2, FIRST_RETRY_S), LONGEST_RETRY_S)
        self._set_timer(self._retry_s)
        self._retrying = True
        self._armed = None

    def _refuse(self, refusal: CommandRejected) -> None:
        facts = deque(item for item in self._inbox if item.answer is None)
        for item in self._inbox:
            if item.answer is not None:
                self._forget(item)
                self._settle(item, refusal)
        self._inbox = facts

    def _coalesce(self, name: UnitName) -> None:
        """Drop the oldest fact of the unit that a later one makes out of date."""
        later: set[str] = set()
        oldest = None
        for index in range(len(self._inbox) - 1, -1, -1):
            item = self._inbox[index]
            if item.answer is not None or item.submission.unit != name:
                continue
            if item.subject in later:
                oldest = index
            later.add(item.subject)
        assert oldest is not None  # there are fewer subjects than facts
        self._forget(self._inbox[oldest])
        del self._inbox[oldest]
        self.coalesced += 1

    def _arm(self) -> None:
        deadline = self.engine.next_deadline()
        if deadline == self._armed and deadline is not None:
            return
        self._armed = deadline
        self._set_timer(None if deadline is None else self.engine.clock.delay_until(deadline))

    def _set_timer(self, delay_s: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if delay_s is None else loop.call_later(delay_s, self._wake.set)

    def _stop(self) -> None:
        self._stopped = True
        self._set_timer(None)
        self._refuse(CommandRejected("stopping", "the daemon is stopping", temporary=True))


def _unavailable(error: JournalError) -> CommandRejected:
    return CommandRejected("journal-unavailable", str(error), temporary=True)
