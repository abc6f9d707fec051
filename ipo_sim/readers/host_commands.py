"""Our half of FKC/1: commands to the reader, one at a time, repeated until it acknowledges them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ipo_sim.card.line_protocol import MAX_SEQ, Ack, Command, Nak
from ipo_sim.errors import ReaderError

# A reader answers within milliseconds; a board in its boot loader, not before that ends.
ANSWER_S = 0.5
# Together as long as a reader may stay silent before it counts as lost.
ATTEMPTS = 6

_UNKNOWN_VERB = "VERB"


class Commands:
    """Sends commands in turn; one that waits already is not queued again, so at most one of each kind waits.

    Counters: `commands` begun, `resends`, `naks` received, `unanswered` commands given up.
    """

    __slots__ = ("_answer_s", "_attempts", "_queue", "_seq", "_timer", "_tries", "_write", "counters")

    def __init__(self, answer_s: float = ANSWER_S, attempts: int = ATTEMPTS) -> None:
        self.counters = dict.fromkeys(("commands", "resends", "naks", "unanswered"), 0)
        self._answer_s = answer_s
        self._attempts = attempts
        self._queue: dict[type[Command], asyncio.Future[None] | None] = {}
        self._seq = 0
        self._tries = 0
        self._timer: asyncio.TimerHandle | None = None
        self._write: Callable[[bytes], None] | None = None

    def open(self, write: Callable[[bytes], None]) -> None:
        """A line is open; commands go there."""
        self._write = write

    def close(self) -> None:
        """The line is gone, and every command that waits with it."""
        self._write = None
        while self._queue:
            self._finish(self._current(), ReaderError("the reader was lost before it answered"))

    def send(self, command: type[Command]) -> None:
        """Have the reader obey, some time; whether it did is counted."""
        if self._write is not None and command not in self._queue:
            self._enqueue(command, None)

    async def request(self, command: type[Command]) -> None:
        """Have the reader obey; ReaderError when it refuses, does not answer, or is not there."""
        if self._write is None:
            raise ReaderError("no reader is connected")
        answer = self._queue.get(command)
        if answer is None:
            answer = asyncio.get_running_loop().create_future()
            if command in self._queue:
                self._queue[command] = answer
            else:
                self._enqueue(command, answer)
        await asyncio.shield(answer)

    def acknowledged(self, frame: Ack) -> None:
        """The reader obeys a command: the one in turn, or one given up before."""
        if self._queue and frame.host_seq == self._seq:
            self._finish(self._current(), None)

    def settle(self, command: type[Command]) -> None:
        """What this command asks for has come, acknowledged or not."""
        if command in self._queue:
            self._finish(command, None)

    def refused(self, frame: Nak) -> None:
        """The reader does not know a command, or could not read it: then it gets it again."""
        self.counters["naks"] += 1
        if not self._queue or frame.host_seq not in (None, self._seq):
            return
        if frame.why == _UNKNOWN_VERB:
            command = self._current()
            self._finish(command, ReaderError(f"the reader does not know {command.TYPE}"))
        elif self._tries < self._attempts:
            self._repeat()

    def _enqueue(self, command: type[Command], answer: asyncio.Future[None] | None) -> None:
        self._queue[command] = answer
        if len(self._queue) == 1:
            self._begin()

    def _current(self) -> type[Command]:
        return next(iter(self._queue))

    def _begin(self) -> None:
        self.counters["commands"] += 1
        self._seq = (self._seq + 1) & MAX_SEQ
        self._tries = 0
        self._transmit()

    def _repeat(self) -> None:
        self.counters["resends"] += 1
        self._transmit()

    def _transmit(self) -> None:
        assert self._write is not None
        self._stop_timer()
        self._tries += 1
        self._timer = asyncio.get_running_loop().call_later(self._answer_s, self._silent)
        self._write(self._current()(self._seq).to_bytes())

    def _silent(self) -> None:
        if self._tries < self._attempts:
            self._repeat()
        else:
            self.counters["unanswered"] += 1
            self._finish(self._current(), ReaderError("the reader does not answer"))

    def _finish(self, command: type[Command], error: ReaderError | None) -> None:
        """Drop a command with its outcome; if it was its turn, begin the next."""
        in_turn = command is self._current()
        answer = self._queue.pop(command)
        if answer is not None and not answer.done():
            self._tell(answer, error)
        if in_turn:
            self._stop_timer()
            if self._queue and self._write is not None:
                self._begin()

    @staticmethod
    def _tell(answer: asyncio.Future[None], error: ReaderError | None) -> None:
        if error is None:
            answer.set_result(None)
        else:
            answer.set_exception(error)
            answer.exception()  # who asked may be gone: then nobody retrieves it

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
