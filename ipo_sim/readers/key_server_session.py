"""A session of FKS/1 with a feature key server: who is asked, what is asked, and which answers are believed."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ipo_sim.errors import KeyServerError
from ipo_sim.licensing.key_server_line import Line
from ipo_sim.licensing.key_server_messages import (
    ANSWERS,
    Discover,
    Hello,
    Key,
    Message,
    Offer,
    RefusalCode,
    Refused,
    Request,
    State,
    Welcome,
    message_of,
)
from ipo_sim.readers.key_server_wire import Datagrams, Wire, broadcasting

NONCE_BYTES = 16
# Makes a request out of nonce, challenge and sequence number.
Ask = Callable[[str, str, int], Request]


class Found(NamedTuple):
    """A server that has answered a broadcast."""

    host: str
    offer: Offer


class Query(NamedTuple):
    """Whom to look for: servers at a broadcast address that know the secret; `unit` asks whether they are free."""

    address: str
    port: int
    secret: bytes | None = None
    unit: str | None = None


class Session:
    """Asks one server over a wire. With a secret, only what is signed with it is believed.

    `distrusted` counts the answers that were not, and `doubt` says why the last one was not; empty: none since the last
    question. One task at a time asks; the caller limits the time.
    """

    def __init__(self, wire: Wire, secret: bytes | None) -> None:
        self.distrusted = 0
        self.doubt = ""
        self.boot = ""
        self._wire = wire
        self._secret = secret
        self._nonce = ""
        self._challenge = ""
        self._seq = 0

    async def begin(self) -> Refused | None:
        """Get a challenge, or be refused one; KeyServerError as for `ask`."""
        self._nonce, self._seq = secrets.token_hex(NONCE_BYTES), 0
        self._wire.send(Hello(self._nonce).to_bytes(self._secret))
        answer = await self._answer(Welcome)
        if isinstance(answer, Refused):
            return answer
        assert isinstance(answer, Welcome)
        self._challenge, self.boot = answer.challenge, answer.boot
        return None

    async def ask(self, ask: Ask) -> Key | State | Refused:
        """The answer to a request; KeyServerError when the wire breaks, or what comes cannot be believed."""
        answer = await self._asked(ask)
        if isinstance(answer, Refused) and answer.code == RefusalCode.STALE:
            # The server was started anew, or another session of ours has come before: nothing that a unit can see.
            answer = await self.begin() or await self._asked(ask)
        return answer

    async def close(self) -> None:
        """Hang up."""
        await self._wire.close()

    async def _asked(self, ask: Ask) -> Key | State | Refused:
        self._seq += 1
        self._wire.send(ask(self._nonce, self._challenge, self._seq).to_bytes(self._secret))
        answer = await self._answer(Key, State)
        assert isinstance(answer, Key | State | Refused)
        return answer

    async def _answer(self, *kinds: type[Message]) -> Message:
        """The next answer to what was asked last; those to earlier requests, and what is no answer, are passed over."""
        self.doubt = ""
        while True:
            try:
                message = believed(await self._wire.receive(), self._secret)
            except KeyServerError as error:
                raise KeyServerError(self.doubt or str(error)) from error
            if isinstance(message, str):
                self.distrusted += 1
                self.doubt = message
            elif isinstance(message, (*kinds, Refused)) and self._is_ours(message):
                return message

    def _is_ours(self, message: Message) -> bool:
        if isinstance(message, Key | State):
            return (message.nonce, message.seq) == (self._nonce, self._seq)
        if isinstance(message, Refused):  # a request that could not be read has no nonce to give back
            return message.nonce in (None, self._nonce) and message.seq in (None, self._seq)
        return isinstance(message, Welcome) and message.nonce == self._nonce


def believed(data: bytes, secret: bytes | None) -> Message | str:
    """What an answer says, or why it is not believed."""
    try:
        line = Line.from_bytes(data)
        message = message_of(line, ANSWERS)
    except KeyServerError as error:
        return f"no answer of a key server: {error}"
    if secret is not None and not line.is_signed_with(secret):
        return "the server has another secret" if line.auth else "the server has no secret, and we do"
    return message


async def search(
    query: Query, wait_s: float, enough: Callable[[Sequence[Found]], bool] = lambda _: False
) -> Sequence[Found]:
    """Servers that answer a broadcast within this time, or until there are enough."""
    nonce = secrets.token_hex(NONCE_BYTES)
    found: list[Found] = []
    line = Discover(nonce, query.unit).to_bytes(query.secret)
    async with broadcasting(line, query.address, query.port) as datagrams:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while not enough(found):
                    found += await _offers(datagrams, query.secret, nonce)
    return found


async def _offers(datagrams: Datagrams, secret: bytes | None, nonce: str) -> list[Found]:
    """The offer in the next datagram, if it is one."""
    try:
        heard = await datagrams.hear()
    except KeyServerError:  # one of the networks does not take broadcasts
        return []
    message = believed(heard.line, secret)
    return [Found(heard.host, message)] if isinstance(message, Offer) and message.nonce == nonce else []
