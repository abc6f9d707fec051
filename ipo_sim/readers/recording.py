"""The lines of a recording, docs/reference/cassette.md: what a reader said and when, for a cassette to play."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints

from ipo_sim.core.events import (
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    KeyServerPollMissed,
    ReaderAttached,
    ReaderLost,
    fact_data,
    fact_from,
)
from ipo_sim.errors import ReaderError

FORMAT = 1
# Some hundred thousand events; a recording is read at once, so that a mistake in it shows before anything is played.
MAX_BYTES = 64 * 1024 * 1024
# Years, as nanoseconds; what is above is damage.
MAX_NS = 1 << 60

ReaderFact = (
    ReaderAttached | ReaderLost | KeyServerPollMissed | FeatureKeyInserted | FeatureKeyRemoved | FeatureKeyUnreadable
)
# By the name that the journal has for it, with the types of its fields.
_FACTS: Mapping[str, Mapping[str, type]] = {fact.TYPE: get_type_hints(fact) for fact in get_args(ReaderFact)}

_T = TypeVar("_T")
_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


class Header(NamedTuple):
    """The first line: which reader was recorded for which unit, and the simulation time that offsets count from."""

    kind: str
    name: str
    unit: str
    started: int
    software: str


class Timed(NamedTuple):
    """A fact `at` that many nanoseconds of simulation time; `cause` empty: the reader's own."""

    at: int
    fact: Fact
    cause: str = ""


class Recording(NamedTuple):
    """All of a file. `length` is its time in nanoseconds, `apdus` are commands with their responses (None: none came).

    `is_whole`: it was closed properly, and not cut off by a kill.
    """

    header: Header
    facts: tuple[Timed, ...]
    apdus: tuple[tuple[bytes, bytes | None], ...]
    length: int
    is_whole: bool


def is_reader_fact(fact: Fact) -> bool:
    """Whether this is what a reader says."""
    return fact.TYPE in _FACTS


def header_line(header: Header) -> bytes:
    """The first line."""
    reader = {"kind": header.kind, "name": header.name}
    return _line(
        {
            "cassette": FORMAT,
            "software": header.software,
            "unit": header.unit,
            "reader": reader,
            "started": header.started,
        }
    )


def fact_line(timed: Timed, ns: int) -> bytes:
    """A fact of the reader; `ns` is the machine's time since the start of the recording, in nanoseconds."""
    cause = {"cause": timed.cause} if timed.cause else {}
    return _line({"at": timed.at, "ns": ns, "fact": timed.fact.TYPE, "data": fact_data(timed.fact), **cause})


def apdu_line(direction: str, apdu: bytes, ns: int) -> bytes:
    """A `command` to the card, or the `response` to the last one."""
    return _line({"ns": ns, direction: apdu.hex().upper()})


def end_line(at: int, ns: int) -> bytes:
    """The recording was closed."""
    return _line({"at": at, "ns": ns, "end": True})


def load_recording(path: Path) -> Recording:
    """Read a file; ReaderError says what is wrong and in which line. A last line that was cut off does not count."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ReaderError(f"cannot read the recording {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ReaderError(f"cannot read the recording {str(path)!r}: {error}") from None
    if len(data) > MAX_BYTES:
        raise ReaderError(f"{path}: a recording of more than {MAX_BYTES // 1024 // 1024} MiB")
    return parse_recording(data, str(path))


def parse_recording(data: bytes, name: str) -> Recording:
    """The same for bytes at hand; `name` is what mistakes call them."""
    *lines, cut_off = data.split(b"\n")
    # What a kill or a full disk left is no whole line, whatever stands in it.
    if not lines:
        raise ReaderError(f"{name}: no recording: {'a header that is cut off' if cut_off else 'empty'}")
    tape = _Tape(_at_line(name, 1, _header, lines[0]))
    for number, line in enumerate(lines[1:], 2):
        _at_line(name, number, tape.take, line)
    return tape.recording(is_whole=tape.ended and not cut_off)


class _Tape:
    """What the lines come to."""

    def __init__(self, header: Header) -> None:
        self.ended = False
        self._header = header
        self._facts: list[Timed] = []
        self._apdus: list[tuple[bytes, bytes | None]] = []
        self._at = 0

    def take(self, line: bytes) -> None:
        """One line behind the header; ValueError or its kin: what is wrong with it. Other kinds are passed over."""
        data = _object(line)
        if self.ended:
            raise ValueError("a line behind the end")
        if "fact" in data:
            self._move(data)
            self._facts.append(Timed(self._at, _fact(data), _text(data.get("cause", ""), "cause")))
        elif "command" in data:
            self._apdus.append((_apdu(data["command"]), None))
        elif "response" in data:
            if not self._apdus or self._apdus[-1][1] is not None:
                raise ValueError("a response without its command")
            self._apdus[-1] = self._apdus[-1][0], _apdu(data["response"])
        elif "end" in data:
            self._move(data)
            self.ended = True

    def recording(self, *, is_whole: bool) -> Recording:
        """All of it."""
        return Recording(self._header, tuple(self._facts), tuple(self._apdus), self._at, is_whole)

    def _move(self, data: Mapping[str, Any]) -> None:
        at = _offset(data.get("at"), "at")
        if at < self._at:
            raise ValueError(f"time goes back from {self._at} to {at}")
        self._at = at


def _header(line: bytes) -> Header:
    data = _object(line)
    if "cassette" not in data:
        raise ValueError("the first line of a recording has a member cassette")
    if type(data["cassette"]) is not int or data["cassette"] != FORMAT:
        raise ValueError(f"format {data['cassette']!r}; this release reads format {FORMAT}")
    reader = data.get("reader")
    if not isinstance(reader, dict):
        raise ValueError("reader is no object")  # noqa: TRY004 - one kind of mistake for the caller
    texts = (reader.get("kind"), reader.get("name"), data.get("unit"))
    kind, name, unit = (_text(value, what) for value, what in zip(texts, ("kind", "name", "unit"), strict=True))
    started, software = data.get("started"), _text(data.get("software", ""), "software")
    if type(started) is not int or not 0 <= started < 1 << 63:
        raise ValueError(f"started is no time: {started!r}")
    return Header(kind, name, unit, started, software)


def _fact(data: Mapping[str, Any]) -> Fact:
    kind, values = data["fact"], data.get("data")
    types = _FACTS.get(kind) if isinstance(kind, str) else None
    if types is None:
        raise ValueError(f"no reader says {kind!r}; there are {', '.join(_FACTS)}")
    if not isinstance(values, dict) or not values.keys() <= types.keys():
        raise ValueError(f"data is not that of {kind}")
    fact = fact_from(kind, values)
    for field in fields(fact):
        # JSON has no whole numbers of its own, but this reader of it has: True and 1.0 are none.
        value, wanted = getattr(fact, field.name), types[field.name]
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise ValueError(f"{field.name} of {kind} is {value!r}")  # noqa: TRY004 - as above
        if isinstance(value, str):
            _text(value, field.name)
    return fact


def _object(line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"no line of a recording, which is JSON: {error.msg} at character {error.pos + 1}") from None
    if not isinstance(data, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - as above
    return data


def _offset(value: object, name: str) -> int:
    if type(value) is not int or not 0 <= value < MAX_NS:
        raise ValueError(f"{name} is no offset in nanoseconds: {value!r}")
    return value


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text: {value!r}")  # noqa: TRY004 - as above
    # JSON can escape halves of characters, which no journal can hold.
    value.encode()
    return value


def _apdu(value: object) -> bytes:
    return bytes.fromhex(_text(value, "an APDU"))


def _at_line(name: str, number: int, parse: Callable[[bytes], _T], line: bytes) -> _T:
    try:
        return parse(line)
    except RecursionError:
        raise ReaderError(f"{name}:{number}: nested too deeply") from None
    except (ValueError, TypeError) as error:
        text = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise ReaderError(f"{name}:{number}: {text}") from None


def _line(data: Mapping[str, Any]) -> bytes:
    return f"{_compact(data)}\n".encode()
