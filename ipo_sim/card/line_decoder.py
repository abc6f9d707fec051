"""Bytes in, frames out: finds the lines of FKC/1 in a stream that loses, alters and invents bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from ipo_sim.card.line_protocol import MAX_LINE, MAX_SEQ, READER_TAG, Frame, FrameError, Hello, Line, decode

COUNTERS = (
    "frames",
    "crc_errors",
    "frame_errors",
    "field_errors",
    "unknown_types",
    "foreign",
    "overlong",
    "junk",
    "duplicates",
    "lost_lines",
)

_START = b"$"
_LINE_ENDS = b"\r\n"
# Inside a line: its end, the start of another one, or a byte that no line holds.
_STOP = re.compile(rb"[^ -#%-~]")


class Decoder:
    """Decodes what one side says; keeps at most one line of bytes, however much comes in.

    How the bytes are cut into calls of `feed` makes no difference. `tag` is that of the side listened to. Counters:
    `frames` understood; lines dropped as `crc_errors`, `frame_errors` (no line, or one that was cut short),
    `field_errors`, `unknown_types`, `foreign` (another tag: our own echo), `overlong`, `duplicates` (the same line
    twice running); `junk` bytes outside of lines; `lost_lines` by gaps in the sequence.
    """

    __slots__ = ("_counters", "_last", "_line", "_tag")

    def __init__(self, tag: str = READER_TAG) -> None:
        self._tag = tag
        self._line: bytearray | None = None
        self._last: Line | None = None
        self._counters = dict.fromkeys(COUNTERS, 0)

    @property
    def counters(self) -> Mapping[str, int]:
        """Counts since this decoder was made, `reset` or not; a read-only view."""
        return MappingProxyType(self._counters)

    def reset(self) -> None:
        """The link begins anew: drop half a line, expect any sequence number."""
        self._line = self._last = None

    def feed(self, data: bytes) -> list[Frame]:
        """All frames that these bytes complete, in order."""
        frames: list[Frame] = []
        at = 0
        while at < len(data):
            at = self._skip(data, at) if self._line is None else self._collect(self._line, data, at, frames)
        return frames

    def _skip(self, data: bytes, at: int) -> int:
        """Pass over what is outside of a line; the position behind the next `$`."""
        start = data.find(_START, at)
        end = len(data) if start < 0 else start
        line_ends = sum(data.count(byte, at, end) for byte in _LINE_ENDS)
        self._counters["junk"] += end - at - line_ends
        if start < 0:
            return end
        self._line = bytearray(_START)
        return start + 1

    def _collect(self, line: bytearray, data: bytes, at: int, frames: list[Frame]) -> int:
        """Take bytes into the open line up to where it ends, overflows or breaks; the position to go on from."""
        stop = _STOP.search(data, at)
        end = stop.start() if stop else len(data)
        room = MAX_LINE - len(line)
        if end - at > room:
            self._drop("overlong")
            return at + room
        line += data[at:end]
        if stop is None:
            return end
        if data[end] not in _LINE_ENDS:
            self._drop("frame_errors")
            return end
        self._line = None
        self._finish(bytes(line), frames)
        return end + 1

    def _drop(self, counter: str) -> None:
        self._counters[counter] += 1
        self._line = None

    def _finish(self, text: bytes, frames: list[Frame]) -> None:
        try:
            line = Line.from_bytes(text)
            if self._accept(line):
                frames.append(decode(line))
                self._counters["frames"] += 1
        except FrameError as error:
            self._counters[error.counter] += 1

    def _accept(self, line: Line) -> bool:
        """Keep the sequence; False for a line of the other side and for one that came twice."""
        if line.tag != self._tag:
            self._counters["foreign"] += 1
            return False
        last, self._last = self._last, line
        # A reader that starts anew counts from 0 again: the lines between were never sent.
        if last is None or (line.type == Hello.TYPE and line.seq == 0):
            return True
        if line == last:
            self._counters["duplicates"] += 1
            return False
        self._counters["lost_lines"] += (line.seq - last.seq - 1) & MAX_SEQ
        return True
