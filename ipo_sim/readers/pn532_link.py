"""One command after the other to a PN532 on a port: acknowledged, answered, and asked for again when it was damaged."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping

from ipo_sim.card.pn532_frames import ACK, NACK, WAKE_UP, Frame, FrameDecoder, Signal, encode
from ipo_sim.errors import ReaderError
from ipo_sim.readers.port import Port

# The chip acknowledges within 15 ms (UM0701-02, 6.2.1.1); adapters and busy machines add to it.
ACK_S = 0.3
# From the acknowledgement to the answer of what does not wait for a card.
ANSWER_S = 1.0
ATTEMPTS = 3


class Pn532Link:
    """The conversation with the chip. One command at a time.

    Counters: those of `FrameDecoder`; `resends` of commands, `nacks`: answers that were asked for again.
    """

    def __init__(self, *, ack_s: float = ACK_S, answer_s: float = ANSWER_S, attempts: int = ATTEMPTS) -> None:
        self._ack_s = ack_s
        self._answer_s = answer_s
        self._attempts = attempts
        self._decoder = FrameDecoder()
        self._waiting: deque[Frame | Signal] = deque()
        self._counters = dict.fromkeys(("resends", "nacks"), 0)
        self._port: Port | None = None

    def counters(self) -> Mapping[str, int]:
        """See the class."""
        return {**self._decoder.counters, **self._counters}

    def open(self, port: Port) -> None:
        """Begin on a port that has just been opened: wake the chip, and end what somebody else began with it."""
        self._port = port
        self._decoder.reset()
        self._waiting.clear()
        port.write(WAKE_UP + ACK)

    async def call(self, command: bytes, answer_s: float | None = None) -> bytes:
        """The data of the chip's answer; ReaderError: it does not answer, or not to this."""
        await self._send(command)
        patience_s = self._answer_s if answer_s is None else answer_s
        for _ in range(self._attempts):
            answer = await self._answer(command[0] + 1, patience_s)
            if answer is not None:
                return answer
            # What was sent once is at hand, however long it took to make.
            patience_s = self._answer_s
            self._counters["nacks"] += 1
            self._decoder.reset()
            self._write(NACK)
        raise ReaderError(f"the chip took command {command[0]:02X} and does not answer it well")

    async def _send(self, command: bytes) -> None:
        """Until the chip has taken it."""
        frame = encode(command)
        for attempt in range(self._attempts):
            self._counters["resends"] += attempt > 0
            self._decoder.reset()
            self._waiting.clear()
            self._write(frame)
            if await self._acknowledged():
                return
        raise ReaderError(f"no answer from the chip within {self._attempts * self._ack_s:g} s")

    async def _acknowledged(self) -> bool:
        try:
            async with asyncio.timeout(self._ack_s):
                while True:
                    match await self._next():
                        case Signal.ACK:
                            return True
                        case Signal.NACK | Signal.ERROR:
                            return False
                        # What was on its way before, or is no frame: what we wait for may follow.
        except TimeoutError:
            return False

    async def _answer(self, code: int, answer_s: float) -> bytes | None:
        """The data behind the code; None: it was damaged, or half of it is missing."""
        try:
            async with asyncio.timeout(answer_s):
                while True:
                    match await self._next():
                        case Frame(data) if data[0] == code:
                            return data[1:]
                        case Signal.ERROR:
                            raise ReaderError(f"the chip does not know command {code - 1:02X}")
                        case Signal.DAMAGED:
                            return None
                        # An answer to an earlier command, or an acknowledgement twice.
        except TimeoutError:
            return None

    async def _next(self) -> Frame | Signal:
        assert self._port is not None
        while not self._waiting:
            self._waiting.extend(self._decoder.feed(await self._port.read()))
        return self._waiting.popleft()

    def _write(self, data: bytes) -> None:
        assert self._port is not None
        self._port.write(data)
