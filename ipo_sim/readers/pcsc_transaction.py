"""Talking with a card without waiting for it: one thread at a time, which the event loop can give up."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

from ipo_sim.card.exchange import Conversation, converse
from ipo_sim.card.reading import CardReading
from ipo_sim.readers.pcsc_binding import Context
from ipo_sim.readers.recorder import Trace

# How a card with this answer to reset is read.
Read = Callable[[bytes], Conversation[CardReading]]
Outcome = CardReading | BaseException


class Transactions:
    """Reads cards one after the other; a second one is not begun before the first has ended, however long that takes.

    `done` is called in the event loop with what came of each; `overdue` when one takes longer than `deadline_s`. It is
    `stuck` then until it ends, which only the card, the reader or pcscd can bring about. `trace` hears of every command
    and response, in the thread.
    """

    def __init__(
        self,
        read: Read,
        deadline_s: float,
        done: Callable[[Outcome], None],
        overdue: Callable[[], None],
        trace: Trace | None = None,
    ) -> None:
        self.stuck = False
        self._trace = trace
        self._read = read
        self._deadline_s = deadline_s
        self._done = done
        self._overdue = overdue
        self._thread: threading.Thread | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def busy(self) -> bool:
        """Whether one runs, stuck or not."""
        return self._thread is not None

    def start(self, reader: str, *, reset: bool) -> None:
        """Read the card in a reader, after a reset if need be. Not while `busy`."""
        assert self._thread is None
        loop = asyncio.get_running_loop()
        # A daemon: a card that never answers must not hold up the end of the process.
        self._thread = threading.Thread(
            target=self._work, args=(loop, reader, reset), name=f"pcsc card {reader}", daemon=True
        )
        self._idle.clear()
        self._timer = loop.call_later(self._deadline_s, self._give_up)
        self._thread.start()

    async def leave(self, patience_s: float) -> None:
        """Wait this long for one that runs; a card that hangs is left to its thread, and nobody hears of it."""
        self._done, self._overdue = _ignore, _nothing
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._idle.wait()
        self._stop_timer()

    def _work(self, loop: asyncio.AbstractEventLoop, reader: str, reset: bool) -> None:  # noqa: FBT001 - a thread's argument
        try:
            with Context() as context, context.connect(reader) as card:
                if reset:
                    card.reset()
                outcome: Outcome = converse(self._read(card.atr()), self._traced(card.transmit))
        except BaseException as error:  # noqa: BLE001 - judged in the event loop
            outcome = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._ended, outcome)

    def _traced(self, transmit: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        trace = self._trace
        if trace is None:
            return transmit

        def transmit_traced(command: bytes) -> bytes:
            trace.command(command)
            response = transmit(command)
            trace.response(response)
            return response

        return transmit_traced

    def _ended(self, outcome: Outcome) -> None:
        thread, self._thread = self._thread, None
        assert thread is not None
        self.stuck = False
        self._stop_timer()
        self._idle.set()
        self._done(outcome)
        thread.join()

    def _give_up(self) -> None:
        self.stuck = True
        self._overdue()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _ignore(_: Outcome) -> None:
    pass


def _nothing() -> None:
    pass
