"""The reader for NFC: a PN532 on a serial line of this machine, or behind `socket://host:port`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from ipo_sim.card.exchange import Conversation, converse_async
from ipo_sim.card.pn532_commands import Target
from ipo_sim.card.reading import CardReading
from ipo_sim.card.unreadable import CardUnreadable
from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, FeatureKeyUnreadable
from ipo_sim.core.model import KeyReason
from ipo_sim.readers.card_tracker import KeyFact
from ipo_sim.readers.device_watch import watch_devices
from ipo_sim.readers.open_port import open_port
from ipo_sim.readers.pn532_chip import CardSilent, Pn532Chip
from ipo_sim.readers.pn532_link import ACK_S, ANSWER_S, ATTEMPTS, Pn532Link
from ipo_sim.readers.port import Opener, TtyAddress, parse_address
from ipo_sim.readers.reader import Emit
from ipo_sim.readers.recorder import Trace, traced
from ipo_sim.readers.supervisor import Retries, Supervisor

# The high speed UART after power-up.
BAUD = 115_200
# Between two looks for a card, or for the one that is there.
POLL_S = 0.1
# A hand that lays a card down takes longer than the card needs to be found: the first attempts to read it can fail.
READ_ATTEMPTS = 3
# A card that could not be read is tried again: contacts of the air come and go.
RECHECK_S = 10.0
# All commands to one card. Those that answer at all answer within a second.
READ_S = 10.0

Read = Callable[[bytes], Conversation[CardReading]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing(Retries):
    """How patient the reader is, in seconds; `attempts` is how often a command is sent in all."""

    poll_s: float = POLL_S
    recheck_s: float = RECHECK_S
    ack_s: float = ACK_S
    answer_s: float = ANSWER_S
    attempts: int = ATTEMPTS


DEFAULT_TIMING = Timing()


class Pn532Reader:
    """Keeps one PN532 open and says which card lies on it, as `read` finds out from its answer to reset.

    `address` as in `parse_address`, which raises ReaderError. `trace` hears of every APDU, `opener` replaces the way to
    the bytes. Counters are those of `Pn532Link` and `Supervisor`, the `insertions`, and `unreadable` cards.
    """

    kind = "pn532"

    def __init__(
        self,
        address: str,
        *,
        read: Read,
        name: str | None = None,
        trace: Trace | None = None,
        timing: Timing = DEFAULT_TIMING,
        opener: Opener | None = None,
    ) -> None:
        where = parse_address(address)
        self.name = name or address
        self._is_device = isinstance(where, TtyAddress)
        self._open = opener or partial(open_port, where, BAUD)
        self._read_by = read
        self._trace = trace
        self._timing = timing
        self._supervisor = Supervisor(self.name, timing)
        self._link = Pn532Link(ack_s=timing.ack_s, answer_s=timing.answer_s, attempts=timing.attempts)
        self._chip = Pn532Chip(self._link)
        self._counters = dict.fromkeys(("insertions", "unreadable"), 0)
        # What was told last; None: nothing since the reader was attached.
        self._last: KeyFact | None = None

    @property
    def last_error(self) -> str | None:
        """Why the reader was last lost or not found."""
        return self._supervisor.last_error

    def counters(self) -> Mapping[str, int]:
        """See the class."""
        return {**self._link.counters(), **self._supervisor.counters, **self._counters}

    async def run(self, emit: Emit) -> None:
        """See `Reader.run`."""
        with watch_devices(self._supervisor.wake) if self._is_device else contextlib.nullcontext():
            await self._supervisor.run(emit, partial(self._session, emit))

    async def _session(self, emit: Emit) -> None:
        """From opening the line to the end of it, which is a ReaderError."""
        port = await self._open()
        try:
            self._link.open(port)
            firmware = await self._chip.set_up()
            log.info("pn532_found", reader=self.name, firmware=str(firmware))
            self._supervisor.attached()
            self._last = None
            await self._watch(emit)
        finally:
            await port.close()

    async def _watch(self, emit: Emit) -> None:
        target = await self._chip.find()
        while True:
            if target is None:
                self._tell_empty(emit)
                await asyncio.sleep(self._timing.poll_s)
                target = await self._chip.find()
                continue
            self._counters["insertions"] += 1
            target = await self._attend(target, emit)

    async def _attend(self, target: Target, emit: Emit) -> Target | None:
        """Tell of a card and stay with it; the other one that was found instead, or None."""
        found, is_read = await self._tell(target, emit)
        now = asyncio.get_running_loop().time
        tried_at = now()
        while found is not None and found.uid == target.uid:
            target = found
            await asyncio.sleep(self._timing.poll_s)
            if not is_read and now() - tried_at >= self._timing.recheck_s:
                found, is_read = await self._tell(target, emit)
                tried_at = now()
            elif not await self._chip.is_there(target):
                # Gone, or thrown out of its state by a glitch.
                found = await self._chip.find()
        self._tell_empty(emit)
        return found

    async def _tell(self, target: Target, emit: Emit) -> tuple[Target | None, bool]:
        """Read the card and say what it is: the card that is there then, and whether it could be read."""
        found: Target | None = target
        problem = "the card does not answer"
        for _ in range(READ_ATTEMPTS):
            if found is None or found.uid != target.uid:
                return found, False
            try:
                fact = await self._read(found)
            except CardSilent as error:
                problem = str(error)
                found = await self._chip.find()
            else:
                self._tell_card(emit, fact)
                return found, isinstance(fact, FeatureKeyInserted)
        if found is not None and found.uid == target.uid:
            self._tell_card(emit, FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS, problem))
        return found, False

    async def _read(self, target: Target) -> KeyFact:
        conversation = self._read_by(target.atr)
        if self._trace is not None:
            conversation = traced(conversation, self._trace)
        try:
            async with asyncio.timeout(READ_S):
                reading = await converse_async(conversation, partial(self._chip.transmit, target))
        except CardUnreadable as error:
            return FeatureKeyUnreadable(error.reason, str(error))
        except TimeoutError:
            raise CardSilent(f"the card is not read within {READ_S:g} s") from None
        return FeatureKeyInserted(
            reading.serial,
            kind=reading.kind,
            identity=reading.identity,
            law=reading.law,
            assurance=str(reading.assurance),
            counter=self._counters["insertions"],
        )

    def _tell_card(self, emit: Emit, fact: KeyFact) -> None:
        if fact != self._last:
            self._last = fact
            self._counters["unreadable"] += isinstance(fact, FeatureKeyUnreadable)
            emit(fact)

    def _tell_empty(self, emit: Emit) -> None:
        if not isinstance(self._last, FeatureKeyRemoved):
            self._last = FeatureKeyRemoved(self._counters["insertions"])
            emit(self._last)
