"""Server-sent events out of bytes, however these are cut (HTML Living Standard, 9.2.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ipo_sim.errors import PayloadError

# One event of a unit: the paths of 100,000 licence keys are 2 MB.
MAX_EVENT_BYTES = 16 * 1024**2


class StreamedEvent(NamedTuple):
    """One event, `message` unless it has a name."""

    event: str
    data: str


class EventParser:
    """Takes bytes in as they come; PayloadError for an event that does not end."""

    def __init__(self) -> None:
        self._rest = b""
        self._event = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[StreamedEvent]:
        """The events that are whole by now."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            yield from self._line(line.removesuffix(b"\r").decode(errors="replace"))
        if self._size + len(self._rest) > MAX_EVENT_BYTES:
            raise PayloadError(f"an event of more than {MAX_EVENT_BYTES} bytes")

    def _line(self, line: str) -> Iterator[StreamedEvent]:
        self._size += len(line)
        if not line:
            if self._data:
                yield StreamedEvent(self._event or "message", "\n".join(self._data))
            self._event, self._data, self._size = "", [], 0
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._event = value
        elif name == "data":
            self._data.append(value)
