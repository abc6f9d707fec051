"""A feature key server: what its reader says and what units ask comes in, answers go out."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import NamedTuple, Protocol

import structlog

from ipo_sim.core.events import (
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    ReaderLost,
)
from ipo_sim.core.model import KeyReason
from ipo_sim.errors import KeyServerError, ReaderError
from ipo_sim.licensing.key_server_messages import DongleState, Insert, Key, Message, RefusalCode, Refused, Remove
from ipo_sim.licensing.key_server_rules import Control, HeldDongle, KeyServer, judge, refusal, state_of

SEED_BYTES = 32
BOOT_BYTES = 8
# Senders that were told of in the log; more would be a flood.
MAX_TOLD = 64

log = structlog.get_logger()


class DongleSlot(Protocol):
    """Where a virtual dongle goes in; ReaderError when it cannot be done."""

    def insert(self, serial: str | None) -> None:
        """Put in the dongle of this serial; None: the one that was there last."""

    def remove(self) -> None:
        """Pull the dongle, if one is in."""


class Answer(NamedTuple):
    """Bytes for whoever sent a line.

    `understood`: the sender speaks the protocol, and knows the secret if there is one. `is_to_junk`: it does not.
    """

    data: bytes | None
    delay_s: float
    understood: bool
    is_to_junk: bool


class Server:
    """Holds the state of a server and everything that is not a rule. `slot` None: the dongle is real.

    Counters: `lines` taken, `malformed` and `unauthenticated` ones among them.
    """

    def __init__(
        self, kind: str, *, secret: bytes | None, version: str, slot: DongleSlot | None = None, delay_ms: int = 0
    ) -> None:
        self._state = KeyServer(
            seed=secrets.token_bytes(SEED_BYTES),
            boot=secrets.token_hex(BOOT_BYTES),
            dongle=HeldDongle(kind),
            port=0,
            version=version,
            secret=secret,
            delay_ms=delay_ms,
        )
        self._slot = slot
        self._told: set[tuple[str, str]] = set()
        self._changed = asyncio.Event()
        self.counters = dict.fromkeys(("lines", "malformed", "unauthenticated"), 0)

    @property
    def state(self) -> KeyServer:
        """How things stand."""
        return self._state

    def listens_at(self, port: int) -> None:
        """The port that offers name."""
        self._state = replace(self._state, port=port)

    def take(self, fact: Fact) -> None:
        """What the reader of the dongle says."""
        held = _held(self._state.dongle, fact)
        if held == self._state.dongle:
            return
        self._state = replace(self._state, dongle=held)
        self._changed.set()
        log.info("dongle", state=str(held.state), serial=held.serial)

    async def changes(self) -> AsyncIterator[KeyServer]:
        """How things stand, now and again whenever the dongle or the unit has changed. For one listener."""
        while True:
            self._changed.clear()
            yield self._state
            await self._changed.wait()

    def answer(self, data: bytes, host: str) -> Answer:
        """Take one line from a host; the answer, if it gets one."""
        self.counters["lines"] += 1
        first = self._state.first
        verdict = judge(self._state, data, local=_is_local(host))
        self._state = verdict.server
        answer = verdict.answer
        if verdict.control is not None:
            answer = self._carry_out(verdict.control)
        if first != self._state.first:
            self._changed.set()
            log.info("unit_validated", unit=self._state.first, host=host)
        if isinstance(answer, Refused):
            self._tell(answer, host)
        delay_s = self._state.delay_ms / 1000 if isinstance(answer, Key) else 0.0
        is_to_junk = isinstance(answer, Refused) and answer.code == RefusalCode.MALFORMED
        return Answer(self._bytes(answer), delay_s, verdict.understood, is_to_junk)

    def _carry_out(self, control: Control) -> Message:
        try:
            if isinstance(control, Insert | Remove):
                self._move_dongle(control)
            else:
                self._state = replace(self._state, delay_ms=control.milliseconds)
                log.info("answers_delayed", milliseconds=control.milliseconds)
        except ReaderError as error:
            return refusal(control, RefusalCode.IMPOSSIBLE, str(error))
        return state_of(self._state, control)

    def _move_dongle(self, control: Insert | Remove) -> None:
        if self._slot is None:
            raise ReaderError("the dongle is in a real reader: only hands can move it")
        if isinstance(control, Insert):
            self._slot.insert(control.serial)
        else:
            self._slot.remove()

    def _tell(self, answer: Refused, host: str) -> None:
        """Of each kind of trouble with each host once in the log: who sends much must not fill the disk."""
        if answer.code == RefusalCode.MALFORMED:
            self.counters["malformed"] += 1
        if answer.code == RefusalCode.AUTHENTICATION:
            self.counters["unauthenticated"] += 1
        if answer.code == RefusalCode.STALE or (host, answer.code) in self._told or len(self._told) >= MAX_TOLD:
            log.debug("refused", host=host, code=answer.code, text=answer.text)
            return
        self._told.add((host, answer.code))
        log.warning("refused", host=host, code=answer.code, text=answer.text)

    def _bytes(self, answer: Message | None) -> bytes | None:
        if answer is None:
            return None
        try:
            return answer.to_bytes(self._state.secret)
        except KeyServerError as error:
            # A real reader may say of its card what no message has room for.
            log.warning("answer_not_sent", error=str(error))
            return None


def _held(before: HeldDongle, fact: Fact) -> HeldDongle:
    """The dongle after a fact: of a reader that is lost nobody knows what it holds."""
    match fact:
        case FeatureKeyInserted():
            return HeldDongle(before.kind, DongleState.PRESENT, fact.serial, fact.law, fact.counter)
        case FeatureKeyRemoved():
            return HeldDongle(before.kind, DongleState.ABSENT, counter=fact.counter)
        case FeatureKeyUnreadable():
            return _unreadable(before, fact.reason)
        case ReaderLost():
            return _unreadable(before, KeyReason.NON_SPECIFIC_ERROR)
    return before


def _unreadable(before: HeldDongle, reason: KeyReason) -> HeldDongle:
    return HeldDongle(before.kind, DongleState.UNREADABLE, counter=before.counter, reason=int(reason))


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
