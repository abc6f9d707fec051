"""Frames of a PN532 on a serial line (NXP UM0701-02, 6.2.1): bytes in, frames out, whatever the line does to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

# Frame identifiers: who speaks.
HOST = 0xD4
CHIP = 0xD5
_APPLICATION_ERROR = b"\x7f"

# TFI and data of the longest frame that the chip takes or makes.
MAX_LENGTH = 265
_NORMAL_LENGTH = 0xFF
# The chip sleeps until it sees rising edges, and needs some time then: 55 has many, and the zeros take time.
WAKE_UP = b"\x55\x55" + bytes(14)

_START = b"\x00\xff"
_EXTENDED = b"\xff\xff"

COUNTERS = ("frames", "damaged", "foreign", "junk")


class Signal(Enum):
    """What is told without data. ERROR: the chip did not understand a command; DAMAGED: a frame that was one."""

    ACK = b"\x00\xff"
    NACK = b"\xff\x00"
    ERROR = b"error"
    DAMAGED = b"damaged"


class Frame(NamedTuple):
    """Data of the side that is listened to, the first byte its command or response code."""

    data: bytes


ACK = b"\x00" + _START + Signal.ACK.value + b"\x00"
NACK = b"\x00" + _START + Signal.NACK.value + b"\x00"


def encode(data: bytes, sender: int = HOST) -> bytes:
    """A frame with these 1 to 264 bytes; ValueError for others."""
    body = bytes((sender,)) + data
    size = len(body)
    if not 1 < size <= MAX_LENGTH:
        raise ValueError(f"a frame holds 1 to {MAX_LENGTH - 1} bytes, not {len(data)}")
    if size <= _NORMAL_LENGTH - 1:
        head = bytes((size, -size & 0xFF))
    else:
        upper, lower = divmod(size, 0x100)
        head = _EXTENDED + bytes((upper, lower, -(upper + lower) & 0xFF))
    return b"\x00" + _START + head + body + bytes((-sum(body) & 0xFF, 0x00))


class FrameDecoder:
    """Finds what `sender` says in a stream; keeps less than 300 bytes, however much comes in.

    How the bytes are cut into calls of `feed` makes no difference. Counters: `frames` understood, `damaged` ones,
    `foreign` ones of the other side (our own echo), `junk` bytes between frames that are neither 00 nor of a frame.
    """

    __slots__ = ("_buffer", "_counters", "_sender")

    def __init__(self, sender: int = CHIP) -> None:
        self._sender = sender
        self._buffer = bytearray()
        self._counters = dict.fromkeys(COUNTERS, 0)

    @property
    def counters(self) -> Mapping[str, int]:
        """Counts since this decoder was made, `reset` or not; a read-only view."""
        return MappingProxyType(self._counters)

    def reset(self) -> None:
        """Half a frame that waits for its end is none any more."""
        self._buffer.clear()

    def feed(self, data: bytes) -> Iterator[Frame | Signal]:
        """All that these bytes complete, in order. It has to be taken to its end."""
        for start in range(0, len(data), MAX_LENGTH):
            self._buffer += data[start : start + MAX_LENGTH]
            while (found := self._next()) is not None:
                if found is not _NOTHING:
                    yield found

    def _next(self) -> Frame | Signal | None:
        """The next frame, `_NOTHING` when something was passed over, None when more bytes are needed."""
        buffer = self._buffer
        start = buffer.find(_START)
        if start < 0:
            # The last byte may be the first one of a start.
            self._pass_over(len(buffer) - buffer.endswith(_START[:1]))
            return None
        self._pass_over(start)
        head = bytes(buffer[2:4])
        if len(head) < 2:  # noqa: PLR2004 - length and its checksum
            return None
        if head in (Signal.ACK.value, Signal.NACK.value):
            del buffer[:4]
            return Signal(head)
        return self._extended() if head == _EXTENDED else self._body(4, head[0], sum(head))

    def _extended(self) -> Frame | Signal | None:
        head = bytes(self._buffer[4:7])
        if len(head) < 3:  # noqa: PLR2004 - two bytes of length and their checksum
            return None
        return self._body(7, int.from_bytes(head[:2]), sum(head))

    def _body(self, at: int, size: int, checksum: int) -> Frame | Signal | None:
        if checksum & 0xFF or not 0 < size <= MAX_LENGTH:
            return self._damaged()
        body = bytes(self._buffer[at : at + size + 1])
        if len(body) <= size:
            return None
        if sum(body) & 0xFF:
            return self._damaged()
        del self._buffer[: at + size + 1]
        return self._read(body[:-1])

    def _read(self, body: bytes) -> Frame | Signal:
        if body == _APPLICATION_ERROR:
            return Signal.ERROR
        if body[0] != self._sender or len(body) == 1:
            self._counters["foreign"] += 1
            return _NOTHING
        self._counters["frames"] += 1
        return Frame(body[1:])

    def _damaged(self) -> Signal:
        """The start was damaged or none; a frame can begin in what follows it."""
        self._counters["damaged"] += 1
        del self._buffer[:1]
        return Signal.DAMAGED

    def _pass_over(self, count: int) -> None:
        self._counters["junk"] += count - self._buffer.count(0, 0, count)
        del self._buffer[:count]


# Something that was passed over; compared by identity, so that no frame is taken for it.
_NOTHING = Frame(b"")
