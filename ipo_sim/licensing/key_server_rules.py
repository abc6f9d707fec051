"""What a feature key server decides (licensing.md 8): one dongle, one unit, the first that polls after the start."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from ipo_sim.errors import KeyServerError
from ipo_sim.licensing.key_server_line import Line, VersionError
from ipo_sim.licensing.key_server_messages import (
    REQUESTS,
    Delay,
    Discover,
    Dongle,
    DongleState,
    Hello,
    Insert,
    Key,
    Message,
    Offer,
    Poll,
    RefusalCode,
    Refused,
    Remove,
    Request,
    State,
    Status,
    Welcome,
    message_of,
)

MAX_DELAY_MS = 600_000
_LABEL = b"ipo-sim key server 1 challenge\0"
# Number of the challenge in 12 hexadecimal digits, and 16 bytes that only this server can make.
_NUMBER_DIGITS = 12
_TAG_BYTES = 16

Control = Insert | Remove | Delay
# A challenge's number and the sequence number within its session: what comes later is higher.
Moment = tuple[int, int]

Found = TypeVar("Found", bound=Dongle)


class HeldDongle(NamedTuple):
    """The dongle as the server's reader sees it; `kind` is `dongle-parallel` or `dongle-usb`."""

    kind: str
    state: DongleState = DongleState.ABSENT
    serial: str | None = None
    law: str | None = None
    counter: int = 0
    reason: int | None = None


@dataclass(frozen=True, slots=True)
class KeyServer:
    """A server since its start. `seed` is random and its own: challenges of an earlier start are void.

    `first` is the unit that is validated. `last_poll` is the moment of its last poll and `last_control` that of the
    last other request: what is not later is a replay.
    """

    seed: bytes = field(repr=False)
    boot: str
    dongle: HeldDongle
    port: int
    version: str
    secret: bytes | None = field(default=None, repr=False)
    first: str | None = None
    challenges: int = 0
    last_poll: Moment = (0, 0)
    last_control: Moment = (0, 0)
    polls: int = 0
    refusals: int = 0
    delay_ms: int = 0


class Verdict(NamedTuple):
    """What becomes of a line: the server after it, and either an answer or something to do before `state_of`.

    Neither: nobody is answered. `understood`: the sender speaks the protocol, and knows the secret if there is one.
    """

    server: KeyServer
    answer: Message | None = None
    control: Control | None = None
    understood: bool = False


def judge(server: KeyServer, data: bytes, *, local: bool) -> Verdict:
    """Decide on one line. `local`: the sender is on the server's own machine, where no secret is needed to command."""
    try:
        line = Line.from_bytes(data)
        request = message_of(line, REQUESTS)
    except VersionError as error:
        return _refuse(server, RefusalCode.VERSION, str(error))
    except KeyServerError as error:
        return _refuse(server, RefusalCode.MALFORMED, str(error))
    if isinstance(request, Discover):
        return Verdict(server, _offer(server, request), understood=server.secret is None)
    if server.secret is not None and not line.is_signed_with(server.secret):
        text = "signed with another secret" if line.auth else "this server has a secret, and the request is not signed"
        return _refuse(server, RefusalCode.AUTHENTICATION, text, request)
    if isinstance(request, Hello):
        return _welcome(server, request)
    assert isinstance(request, Request)
    return _within_session(server, request, local=local)


def state_of(server: KeyServer, request: Request) -> State:
    """How things stand, as the answer to a request."""
    return replace(
        _found(State, server, request),
        unit=server.first,
        polls=server.polls,
        refusals=server.refusals,
        delay=server.delay_ms,
    )


def refusal(request: Message | None, code: RefusalCode, text: str) -> Refused:
    """The answer no to a request, as far as it could be read."""
    if isinstance(request, Request):
        return Refused(code, text, nonce=request.nonce, seq=request.seq)
    return Refused(code, text, nonce=request.nonce if isinstance(request, Hello) else None)


def _offer(server: KeyServer, request: Discover) -> Offer:
    free = request.unit is None or server.first in (None, request.unit)
    return Offer(request.nonce, server.boot, server.port, "yes" if free else "no", server.version)


def _welcome(server: KeyServer, request: Hello) -> Verdict:
    number = server.challenges + 1
    challenge = _challenge(server, number, request.nonce)
    return Verdict(replace(server, challenges=number), Welcome(request.nonce, challenge, server.boot), understood=True)


def _within_session(server: KeyServer, request: Request, *, local: bool) -> Verdict:
    number = _number_of(server, request)
    moment = (number, request.seq)
    is_poll = isinstance(request, Poll)
    # Another unit's polls are refused whatever their moment: the first one's must not be disturbed by them.
    if number and isinstance(request, Poll) and server.first not in (None, request.unit):
        text = f"this server validates unit {server.first} alone until it is restarted"
        return _refuse(server, RefusalCode.OTHER_UNIT, text, request)
    if not number or moment <= (server.last_poll if is_poll else server.last_control):
        return _refuse(server, RefusalCode.STALE, "the session is not of this server's, or is over", request)
    if isinstance(request, Poll):
        polled = replace(server, first=request.unit, last_poll=moment, polls=server.polls + 1)
        return Verdict(polled, _found(Key, server, request), understood=True)
    after = replace(server, last_control=moment)
    if isinstance(request, Status):
        return Verdict(after, state_of(after, request), understood=True)
    assert isinstance(request, Insert | Remove | Delay)
    if server.secret is None and not local:
        text = "a server without a secret takes commands from its own machine alone"
        return _refuse(after, RefusalCode.FORBIDDEN, text, request)
    if isinstance(request, Delay) and request.milliseconds > MAX_DELAY_MS:
        return _refuse(after, RefusalCode.IMPOSSIBLE, f"a delay is at most {MAX_DELAY_MS} ms", request)
    return Verdict(after, control=request, understood=True)


def _refuse(server: KeyServer, code: RefusalCode, text: str, request: Message | None = None) -> Verdict:
    known = code not in (RefusalCode.VERSION, RefusalCode.MALFORMED, RefusalCode.AUTHENTICATION)
    return Verdict(replace(server, refusals=server.refusals + 1), refusal(request, code, text), understood=known)


def _found(kind: type[Found], server: KeyServer, request: Request) -> Found:
    held = server.dongle
    return kind(
        nonce=request.nonce,
        seq=request.seq,
        boot=server.boot,
        state=held.state,
        kind=held.kind,
        counter=held.counter,
        serial=held.serial,
        law=held.law,
        reason=held.reason,
    )


def _challenge(server: KeyServer, number: int, nonce: str) -> str:
    message = _LABEL + number.to_bytes(8, "big") + nonce.encode()
    tag = hmac.digest(server.seed, message, "sha256")[:_TAG_BYTES]
    return f"{number:0{_NUMBER_DIGITS}x}{tag.hex()}"


def _number_of(server: KeyServer, request: Request) -> int:
    """Which challenge of this server a session has; 0: none."""
    digits = request.challenge[:_NUMBER_DIGITS]
    try:
        number = int(digits, 16)
    except ValueError:
        return 0
    expected = _challenge(server, number, request.nonce)
    return number if hmac.compare_digest(request.challenge, expected) else 0
