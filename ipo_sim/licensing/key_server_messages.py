"""The messages of FKS/1 as values; what each is for stands in docs/reference/key-server.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, NamedTuple, get_args, get_type_hints

from ipo_sim.errors import KeyServerError
from ipo_sim.licensing.key_server_line import Line, to_bytes

MAX_NUMBER = 0xFFFF_FFFF


class Kind(NamedTuple):
    """What a field may hold, by its whole text; `number` fields are integers in our hands."""

    pattern: re.Pattern[str]
    number: bool = False


Nonce = Annotated[str, Kind(re.compile(r"[0-9a-f]{32}"))]
# Opaque to the unit: it says again what the server gave it.
Challenge = Annotated[str, Kind(re.compile(r"[0-9A-Za-z]{1,64}"))]
Boot = Annotated[str, Kind(re.compile(r"[0-9a-f]{16}"))]
UnitId = Annotated[str, Kind(re.compile(r"[0-9A-F]{12}"))]
Serial = Annotated[str, Kind(re.compile(r"[0-9]{10}"))]
Word = Annotated[str, Kind(re.compile(r"[a-z][a-z0-9-]{0,31}"))]
Flag = Annotated[str, Kind(re.compile(r"yes|no"))]
Text = Annotated[str, Kind(re.compile(r"[^\x00-\x1f\x7f]{0,120}"))]
Number = Annotated[int, Kind(re.compile(r"0|[1-9][0-9]{0,9}"), number=True)]


class DongleState(StrEnum):
    """What the server finds where its dongle should be."""

    PRESENT = "present"
    ABSENT = "absent"
    UNREADABLE = "unreadable"


class RefusalCode(StrEnum):
    """Why a request was not answered with what it asked for; stable names."""

    OTHER_UNIT = "other-unit"
    AUTHENTICATION = "authentication"
    STALE = "stale"
    VERSION = "version"
    MALFORMED = "malformed"
    FORBIDDEN = "forbidden"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Message:
    """One line with its meaning; a field that is None is not sent."""

    TYPE: ClassVar[str] = ""

    def to_bytes(self, secret: bytes | None = None) -> bytes:
        """The line, signed when there is a secret; KeyServerError for values that no line can carry."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        told = {name: str(value) for name, value in values.items() if value is not None}
        for name, text in told.items():
            _read(type(self), name, text)
        return to_bytes(self.TYPE, told, secret)


@dataclass(frozen=True, slots=True)
class Discover(Message):
    """A unit, or somebody, asks around for servers."""

    TYPE: ClassVar[str] = "DISCOVER"
    nonce: Nonce
    unit: UnitId | None = None


@dataclass(frozen=True, slots=True)
class Offer(Message):
    """A server is here, at `port` by TCP and UDP. `free`: it would validate the unit that asks."""

    TYPE: ClassVar[str] = "OFFER"
    nonce: Nonce
    boot: Boot
    port: Number
    free: Flag
    version: Text


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """A session begins: give me a challenge."""

    TYPE: ClassVar[str] = "HELLO"
    nonce: Nonce


@dataclass(frozen=True, slots=True)
class Welcome(Message):
    """The challenge of a session."""

    TYPE: ClassVar[str] = "WELCOME"
    nonce: Nonce
    challenge: Challenge
    boot: Boot


@dataclass(frozen=True, slots=True)
class Request(Message):
    """A message within a session; `seq` is higher than that of the one before."""

    nonce: Nonce
    challenge: Challenge
    seq: Number


@dataclass(frozen=True, slots=True)
class Poll(Request):
    """A unit asks for the dongle."""

    TYPE: ClassVar[str] = "POLL"
    unit: UnitId


@dataclass(frozen=True, slots=True)
class Status(Request):
    """Somebody asks how things stand."""

    TYPE: ClassVar[str] = "STATUS"


@dataclass(frozen=True, slots=True)
class Insert(Request):
    """Put the virtual dongle in: the one that was in last, or one with this serial."""

    TYPE: ClassVar[str] = "INSERT"
    serial: Serial | None = None


@dataclass(frozen=True, slots=True)
class Remove(Request):
    """Pull the virtual dongle."""

    TYPE: ClassVar[str] = "REMOVE"


@dataclass(frozen=True, slots=True)
class Delay(Request):
    """A fault for tests: answer everything but this and its like so many milliseconds late."""

    TYPE: ClassVar[str] = "DELAY"
    milliseconds: Number


@dataclass(frozen=True, slots=True)
class Dongle(Message):
    """The dongle as the server finds it. `reason` is the maker's number when it is unreadable."""

    nonce: Nonce
    seq: Number
    boot: Boot
    state: Word
    kind: Word
    counter: Number
    serial: Serial | None = None
    law: Word | None = None
    reason: Number | None = None


@dataclass(frozen=True, slots=True)
class Key(Dongle):
    """The answer to POLL, for the unit that is validated."""

    TYPE: ClassVar[str] = "KEY"


@dataclass(frozen=True, slots=True)
class State(Dongle):
    """The answer to everything else in a session: the dongle, and the unit that is validated, if any yet."""

    TYPE: ClassVar[str] = "STATE"
    unit: UnitId | None = None
    polls: Number = 0
    refusals: Number = 0
    delay: Number = 0


@dataclass(frozen=True, slots=True)
class Refused(Message):
    """No, and why: `code` for programs, `text` for people. `nonce` and `seq` of the request, as far as it had them."""

    TYPE: ClassVar[str] = "REFUSED"
    code: Word
    text: Text
    nonce: Nonce | None = None
    seq: Number | None = None


REQUESTS: Mapping[str, type[Message]] = MappingProxyType(
    {kind.TYPE: kind for kind in (Discover, Hello, Poll, Status, Insert, Remove, Delay)}
)
ANSWERS: Mapping[str, type[Message]] = MappingProxyType(
    {kind.TYPE: kind for kind in (Offer, Welcome, Key, State, Refused)}
)


def message_of(line: Line, kinds: Mapping[str, type[Message]]) -> Message:
    """The message in a line, one of these kinds; KeyServerError when it is none. Unknown fields are ignored."""
    kind = kinds.get(line.type)
    if kind is None:
        raise KeyServerError(f"{line.type} is not one of {', '.join(kinds)}")
    values = {name: _read(kind, name, text) for name, text in line.fields.items() if name in _KINDS[kind]}
    try:
        return kind(**values)
    except TypeError:
        raise KeyServerError(f"{line.type} without all of its fields") from None


def _read(kind: type[Message], name: str, text: str) -> Any:  # noqa: ANN401 - a field's value, of the type it declares
    form = _KINDS[kind][name]
    if not form.pattern.fullmatch(text) or (form.number and int(text) > MAX_NUMBER):
        raise KeyServerError(f"{kind.TYPE} with a {name} that is none")
    return int(text) if form.number else text


def _form(hint: object) -> Kind:
    """The kind in `Annotated[type, kind]`, None beside it or not."""
    for part in (hint, *get_args(hint)):
        for extra in getattr(part, "__metadata__", ()):
            if isinstance(extra, Kind):
                return extra
    raise TypeError(f"a field of a message without a kind: {hint}")


_KINDS: Mapping[type[Message], Mapping[str, Kind]] = {
    kind: {field.name: _form(get_type_hints(kind, include_extras=True)[field.name]) for field in fields(kind)}
    for kind in (*REQUESTS.values(), *ANSWERS.values())
}
