"""The thread that waits for what happens at PC/SC readers. It tells the event loop and does nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import NamedTuple

import structlog

from ipo_sim.errors import ReaderError
from ipo_sim.readers.pcsc_binding import (
    COUNT_SHIFT,
    PNP,
    STATE_EMPTY,
    STATE_PRESENT,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Context,
    State,
)
from ipo_sim.readers.pcsc_choice import Claim, matching, none_fits
from ipo_sim.readers.pcsc_errors import Code, PcscError

# Nobody says when another daemon gives a reader back.
CLAIM_RETRY_MS = 500
# A pcscd that stands still can be neither cancelled nor waited for: its thread is left behind.
STOP_S = 0.3
_CANCEL_AGAIN_S = 0.01
# The parts of a state that say something of reader or card: these bits, and the count of insertions and removals.
NEWS = STATE_EMPTY | STATE_PRESENT | STATE_UNAVAILABLE | STATE_UNKNOWN | 0xFFFF << COUNT_SHIFT

log = structlog.get_logger()


class Seen(NamedTuple):
    """The chosen reader answers; what is in it."""

    state: State


class Missing(NamedTuple):
    """No reader can be used now."""

    error: str


class Ended(NamedTuple):
    """The watch is over: pcscd is gone, or a defect."""

    error: BaseException


Report = Seen | Missing | Ended


class Watch:
    """Watches the reader that `pattern` means from `start` to `stop`, and reports in the loop that started it."""

    def __init__(self, pattern: str, report: Callable[[Report], None]) -> None:
        self._pattern = pattern
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._stopping = False
        self._context: Context | None = None
        # A daemon: a pcscd that stands still must not hold up the end of the process.
        self._thread = threading.Thread(target=self._work, name=f"pcsc watch {pattern}", daemon=True)

    def start(self) -> None:
        """Begin; reports come from now on."""
        self._thread.start()

    async def stop(self) -> None:
        """End, within `STOP_S` in any case; nothing is reported any more."""
        self._stopping = True
        canceller = threading.Thread(target=self._cancel, name="pcsc cancel", daemon=True)
        canceller.start()
        try:
            async with asyncio.timeout(STOP_S):
                await self._over.wait()
        except TimeoutError:
            log.warning("pcscd_stands_still", pattern=self._pattern)
        else:
            self._thread.join()
            canceller.join()

    def _cancel(self) -> None:
        """In a thread too, for it blocks where pcscd does; again and again, for the wait may just not have begun."""
        while self._thread.is_alive():
            if self._context is not None:
                self._context.cancel()
            self._thread.join(_CANCEL_AGAIN_S)

    def _work(self) -> None:
        try:
            with Context() as self._context:
                self._watch(self._context)
        except BaseException as error:  # noqa: BLE001 - raised where the watch was started
            self._post(Ended(error))
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._over.set)

    def _post(self, report: Report) -> None:
        if not self._stopping:
            with contextlib.suppress(RuntimeError):  # as above
                self._loop.call_soon_threadsafe(self._deliver, report)

    def _deliver(self, report: Report) -> None:
        if not self._stopping:
            self._report(report)

    def _watch(self, context: Context) -> None:
        while not self._stopping:
            names = context.readers()
            candidates = matching(self._pattern, names)
            if not candidates:
                self._post(Missing(none_fits(self._pattern, names)))
                context.wait([_listed(names)])
                continue
            if len(candidates) > 1:
                log.info("pcsc_reader_chosen", reader=candidates[0], others=candidates[1:])
            self._use(context, candidates[0], names)

    def _use(self, context: Context, reader: str, names: list[str]) -> None:
        try:
            claim = Claim(reader)
        except ReaderError as refusal:
            self._post(Missing(str(refusal)))
            context.wait([_listed(names)], CLAIM_RETRY_MS)
            return
        with claim:
            try:
                self._follow(context, reader, names)
            except PcscError as error:
                if error.result != Code.UNKNOWN_READER:
                    raise
        self._post(Missing(f"{reader} is gone"))

    def _follow(self, context: Context, reader: str, names: list[str]) -> None:
        """Report each state of the reader, until it has gone from the list."""
        known = {reader: State(reader, 0), PNP: _listed(names)}
        while not self._stopping:
            for state in context.wait(list(known.values())):
                if state.name == PNP:
                    names = context.readers()
                    if reader not in names:
                        return
                    known[PNP] = _listed(names)
                    continue
                # Whoever uses the card changes a state too, we ourselves with every reading.
                is_news = (state.bits ^ known[reader].bits) & NEWS
                known[reader] = state
                if not is_news:
                    continue
                # Looked at first: the bits of a reader that does not answer may say anything of its card.
                if state.bits & (STATE_UNAVAILABLE | STATE_UNKNOWN):
                    self._post(Missing(f"{reader} does not answer"))
                elif state.bits & (STATE_EMPTY | STATE_PRESENT):  # neither: pcscd has only just begun to look
                    self._post(Seen(state))


def _listed(names: list[str]) -> State:
    """The state of the list of readers as it is known."""
    return State(PNP, len(names) << COUNT_SHIFT)
