"""FKC/1, the line protocol of serial card readers: frames as values, and bytes to frames and back.

The specification is docs/reference/line-protocol.md. A line is `$TAG,seq2,TYPE[,field]*CRC4` CR LF.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

from ipo_sim.errors import ReaderError

PROTOCOL = 1
READER_TAG = "FKC"
HOST_TAG = "HST"

# From `$` to the last digit of the CRC: a small microcontroller keeps a whole line in its RAM.
MAX_LINE = 120
MAX_UINT16 = 0xFFFF
MAX_UINT32 = 0xFFFF_FFFF
MAX_SEQ = 0xFF
# The host sequence number in a NAK to a line that could not be read.
UNREADABLE_SEQ = "--"

# CRC-16/CCITT-FALSE begins with all ones.
_CRC_START = 0xFFFF
_SHAPE = re.compile(rb"\$(([A-Z]{3}),([0-9A-F]{2}),([A-Z]{1,8})((?:,[ -#%-)+\--~]*)*))\*([0-9A-F]{4})")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,9}")
_HEX_BYTE = re.compile(r"[0-9A-F]{2}")
_WORD = re.compile(r"[!-#%-)+\-.-~]{1,24}")


class FrameError(ReaderError):
    """Bytes that have not the shape of a line; `counter` names what a decoder counts it as."""

    counter: ClassVar[str] = "frame_errors"


class CrcError(FrameError):
    """A line of the right shape that was altered on its way."""

    counter: ClassVar[str] = "crc_errors"


class FieldError(FrameError):
    """A sound line whose fields are not what its type wants."""

    counter: ClassVar[str] = "field_errors"


class UnknownTypeError(FrameError):
    """A sound line of a type that this version does not know."""

    counter: ClassVar[str] = "unknown_types"


class Line(NamedTuple):
    """A sound line before its fields are understood; `seq` is 0..255."""

    tag: str
    seq: int
    type: str
    fields: tuple[str, ...]

    @classmethod
    def from_bytes(cls, line: bytes) -> Self:
        """Take a line apart, line end or not; FrameError for a wrong shape or length, CrcError for a wrong CRC."""
        line = line.rstrip(b"\r\n")
        shape = _SHAPE.fullmatch(line)
        if shape is None or len(line) > MAX_LINE:
            raise FrameError(f"not a line of FKC/{PROTOCOL}: {line[:MAX_LINE]!r}")
        body, tag, seq, kind, fields, crc = shape.groups()
        if crc16(body) != int(crc, 16):
            raise CrcError(f"CRC is {crc16(body):04X}, the line says {crc.decode()}")
        return cls(tag.decode(), int(seq, 16), kind.decode(), tuple(fields.decode().split(",")[1:]))

    def to_bytes(self) -> bytes:
        """The line with its CR LF; FrameError when it does not fit, or a field holds what a line must not."""
        body = ",".join((self.tag, f"{self.seq:02X}", self.type, *self.fields)).encode("utf-8", "surrogatepass")
        line = b"$%b*%04X" % (body, crc16(body))
        shape = _SHAPE.fullmatch(line)
        if shape is None or len(line) > MAX_LINE or shape[5].count(b",") != len(self.fields):
            raise FrameError(f"cannot be sent in one line of FKC/{PROTOCOL}: {self}")
        return line + b"\r\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """One line with its meaning. `seq` is 0..255 and counts the sender's lines."""

    TAG: ClassVar[str] = READER_TAG
    TYPE: ClassVar[str] = ""
    seq: int

    @classmethod
    def from_bytes(cls, line: bytes) -> Self:
        """The frame in a line; FrameError or one of its kinds when it is not one, or not of this class."""
        frame = decode(Line.from_bytes(line))
        if not isinstance(frame, cls):
            raise FieldError(f"expected {cls.TAG} {cls.TYPE}, got {frame.TAG} {frame.TYPE}")
        return frame

    def to_bytes(self) -> bytes:
        """The line with its CR LF; FrameError for values that no line can carry."""
        line = Line(self.TAG, self.seq, self.TYPE, self.fields())
        if decode(line) != self or not 0 <= self.seq <= MAX_SEQ:
            raise FieldError(f"cannot be said in FKC/{PROTOCOL}: {self}")
        return line.to_bytes()

    @classmethod
    def read(cls, seq: int, fields: tuple[str, ...]) -> Self:
        """A frame of this class from its fields; later ones than it knows are ignored. IndexError: too few."""
        del fields
        return cls(seq)

    def fields(self) -> tuple[str, ...]:
        """What stands behind the type, in order."""
        return ()


@dataclass(frozen=True, slots=True)
class Hello(Frame):
    """The reader starts, or answers HELLO: protocol version, firmware, board, and why it was last reset (one byte)."""

    TYPE = "HELLO"
    protocol: int
    firmware: str
    board: str
    reset_cause: int

    @classmethod
    def read(cls, seq: int, fields: tuple[str, ...]) -> Self:
        """See `Frame.read`."""
        return cls(seq, _decimal(fields[0], MAX_UINT16), _word(fields[1]), _word(fields[2]), _hex_byte(fields[3]))

    def fields(self) -> tuple[str, ...]:
        """See `Frame.fields`."""
        return (str(self.protocol), self.firmware, self.board, f"{self.reset_cause:02X}")


@dataclass(frozen=True, slots=True)
class Card(Frame):
    """A card was put in and read. `counter` numbers the insertion; `law` None: the card does not say."""

    TYPE = "CARD"
    counter: int
    kind: str
    serial: str
    law: str | None = None

    @classmethod
    def read(cls, seq: int, fields: tuple[str, ...]) -> Self:
        """See `Frame.read`."""
        law = _word(fields[3]) if fields[3:] and fields[3] else None
        return cls(seq, _decimal(fields[0], MAX_UINT16), _word(fields[1]), _word(fields[2]), law)

    def fields(self) -> tuple[str, ...]:
        """See `Frame.fields`."""
        return (str(self.counter), self.kind, self.serial, *((self.law,) if self.law else ()))


@dataclass(frozen=True, slots=True)
class Gone(Frame):
    """The card of insertion `counter` was taken out."""

    TYPE = "GONE"
    counter: int

    @classmethod
    def read(cls, seq: int, fields: tuple[str, ...]) -> Self:
        """See `Frame.read`."""
        return cls(seq, _decimal(fields[0], MAX_UINT16))

    def fields(self) -> tuple[str, ...]:
        """See `Frame.fields`."""
        return (str(self.counter),)


@dataclass(frozen=True, slots=True)
class Bad(Frame):
    """The card of insertion `counter` cannot be used; `error` is one byte as the specification lists them."""

    TYPE = "BAD"
    counter: int
    error: int

    @classmethod
    def read(cls, seq: int, fields: tuple[str, ...]) -> Self:
        """See `Frame.read`."""
        return cls(seq, _decimal(fields[0], MAX_UINT16), _hex_byte(fields[1]))

    def fields(self) -> tuple[str, ...]:
        """See `Frame.fields`."""
        return (str(self.counter), f"{self.error:02X}")


@dataclass(frozen=True, slots=True)
class Beat(Frame):
    """The reader lives: milliseconds since its reset, whether a card is in, and the number of the last insertion."""

    TYPE = "BEAT"
    uptime_ms: int
    present: bool
    counter: int

    @classmethod
    def read(cls, seq: int, fields: tuple[str, ...]) -> Self:
        """See `Frame.read`."""
        return cls(seq, _decimal(fields[0], MAX_UINT32), bool(_decimal(fields[1], 1)), _decimal(fields[2], MAX_UINT16))

    def fields(self) -> tuple[str, ...]:
        """See `Frame.fields`."""
        return (str(self.uptime_ms), str(int(self.present)), str(self.counter))


@dataclass(frozen=True, slots=True)
class Ack(Frame):
    """The host's line `host_seq` arrived and is obeyed."""

    TYPE = "ACK"
    host_seq: int

    @classmethod
    def read(cls, seq: int, fields: tuple[str, ...]) -> Self:
        """See `Frame.read`."""
        return cls(seq, _hex_byte(fields[0]))

    def fields(self) -> tuple[str, ...]:
        """See `Frame.fields`."""
        return (f"{self.host_seq:02X}",)


@dataclass(frozen=True, slots=True)
class Nak(Frame):
    """The host's line is not obeyed. `host_seq` None: it could not even be read. `why` is CRC, FRAME or VERB."""

    TYPE = "NAK"
    host_seq: int | None
    why: str

    @classmethod
    def read(cls, seq: int, fields: tuple[str, ...]) -> Self:
        """See `Frame.read`."""
        return cls(seq, None if fields[0] == UNREADABLE_SEQ else _hex_byte(fields[0]), _word(fields[1]))

    def fields(self) -> tuple[str, ...]:
        """See `Frame.fields`."""
        return (UNREADABLE_SEQ if self.host_seq is None else f"{self.host_seq:02X}", self.why)


@dataclass(frozen=True, slots=True)
class Command(Frame):
    """A line of the host's; none carries fields."""

    TAG = HOST_TAG


@dataclass(frozen=True, slots=True)
class AskHello(Command):
    """Say HELLO."""

    TYPE = "HELLO"


@dataclass(frozen=True, slots=True)
class AskStatus(Command):
    """Say BEAT, and with a card in CARD or BAD, after reading the card anew."""

    TYPE = "STAT"


@dataclass(frozen=True, slots=True)
class Ping(Command):
    """Acknowledge, nothing else."""

    TYPE = "PING"


@dataclass(frozen=True, slots=True)
class Reset(Command):
    """Acknowledge, then start anew as after power-up."""

    TYPE = "RESET"


_FRAMES: dict[tuple[str, str], type[Frame]] = {
    (frame.TAG, frame.TYPE): frame
    for frame in (Hello, Card, Gone, Bad, Beat, Ack, Nak, AskHello, AskStatus, Ping, Reset)
}


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 1021, start FFFF, not reflected, no final XOR."""
    return binascii.crc_hqx(data, _CRC_START)


def decode(line: Line) -> Frame:
    """The meaning of a sound line; UnknownTypeError, or FieldError for missing or wrong fields."""
    frame = _FRAMES.get((line.tag, line.type))
    if frame is None:
        raise UnknownTypeError(f"no line {line.tag} {line.type} in FKC/{PROTOCOL}")
    try:
        return frame.read(line.seq, line.fields)
    except IndexError:
        raise FieldError(f"{line.type} has too few fields: {','.join(line.fields)!r}") from None


def _decimal(text: str, limit: int) -> int:
    if _DECIMAL.fullmatch(text) is None or int(text) > limit:
        raise FieldError(f"expected a number from 0 to {limit}, got {text!r}")
    return int(text)


def _hex_byte(text: str) -> int:
    if _HEX_BYTE.fullmatch(text) is None:
        raise FieldError(f"expected two hexadecimal digits, got {text!r}")
    return int(text, 16)


def _word(text: str) -> str:
    if _WORD.fullmatch(text) is None:
        raise FieldError(f"expected 1 to 24 printable characters, got {text!r}")
    return text
