"""One TCP connection to a feature key server: lines in, answers out, and no room for whoever wastes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from ipo_sim.key_server.server import Answer
from ipo_sim.licensing.key_server_line import MAX_LINE

# From connecting to the first line that is understood, and from the first byte of a line to its end.
LINE_S = 10.0
# A unit polls far more often; one that is gone without a word must not hold its place for ever.
IDLE_S = 300.0
# Who sends so many lines without waiting for answers is no unit.
MAX_LINES_AT_ONCE = 16
# Answers that wait because nobody reads them, or because they are delayed.
MAX_UNREAD = 8 * MAX_LINE
MAX_DELAYED = 16

Ask = Callable[[bytes, str], Answer]


class Limits(NamedTuple):
    """How patient a server is, in seconds; see the constants."""

    line_s: float = LINE_S
    idle_s: float = IDLE_S


PATIENT = Limits()


class Connection(asyncio.Protocol):
    """`ask` answers lines; `on_made` and `on_lost` are told of the connection's life.

    `trusted`: it has sent a line that was understood. At most one line of bytes is kept, however much comes.
    """

    def __init__(
        self,
        ask: Ask,
        limits: Limits,
        on_made: Callable[[Connection], None],
        on_lost: Callable[[Connection], None],
    ) -> None:
        self.trusted = False
        self._ask = ask
        self._limits = limits
        self._on_made = on_made
        self._on_lost = on_lost
        self._host = ""
        self._line = bytearray()
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._delayed: list[asyncio.TimerHandle] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._host = peer[0] if peer else ""
        self._wait(self._limits.line_s)
        self._on_made(self)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        *lines, rest = (bytes(self._line) + data).split(b"\n")
        if len(lines) > MAX_LINES_AT_ONCE or len(rest) >= MAX_LINE:
            self.abort()
            return
        was_begun = bool(self._line)
        self._line = bytearray(rest)
        for line in lines:
            self._take(line)
        if rest and (lines or not was_begun):
            self._wait(self._limits.line_s)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """See asyncio.Protocol."""
        self._stop_timers()
        self._on_lost(self)

    def abort(self) -> None:
        """Hang up at once."""
        self._stop_timers()
        if self._transport is not None:
            self._transport.abort()

    def _take(self, line: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        answer = self._ask(line, self._host)
        self.trusted = self.trusted or answer.understood
        if answer.understood:
            self._wait(self._limits.idle_s)
        if answer.data is not None:
            self._send(answer.data, answer.delay_s)
        if not answer.understood:
            # What came of a stream that does not speak the protocol will not get better.
            self._transport.close()

    def _send(self, data: bytes, delay_s: float) -> None:
        if not delay_s:
            self._write(data)
            return
        now = asyncio.get_running_loop().time()
        self._delayed = [handle for handle in self._delayed if handle.when() > now]
        if len(self._delayed) < MAX_DELAYED:
            self._delayed.append(asyncio.get_running_loop().call_later(delay_s, self._write, data))

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        if self._transport.get_write_buffer_size() + len(data) > MAX_UNREAD:
            self.abort()
        else:
            self._transport.write(data)

    def _wait(self, seconds: float) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = asyncio.get_running_loop().call_later(seconds, self.abort)

    def _stop_timers(self) -> None:
        for handle in (self._patience, *self._delayed):
            if handle is not None:
                handle.cancel()
        self._delayed.clear()
