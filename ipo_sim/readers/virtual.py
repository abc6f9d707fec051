"""The reader without hardware: its card is put in and taken out by commands."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, ReaderAttached
from ipo_sim.core.model import Card
from ipo_sim.errors import ReaderError
from ipo_sim.readers.reader import Emit


class VirtualReader:
    """A reader that is always attached. Nothing happens at it by itself: `start` without a task does for a fleet.

    `card` is in it at the start. `restored`: the unit has come back from its journal, which knows of the reader and of
    `card`, the `counter`-th one; nothing is emitted then. Pass it when the unit has heard of a card.
    """

    __slots__ = ("_counter", "_emit", "_restored", "card", "name")

    kind = "virtual"
    last_error: str | None = None

    def __init__(self, card: Card | None, *, name: str = "virtual", restored: bool = False, counter: int = 0) -> None:
        self.name = name
        self.card = card
        self._restored = restored
        self._counter = counter
        self._emit: Emit | None = None

    async def run(self, emit: Emit) -> None:
        """`start`, and stay until cancelled."""
        self.start(emit)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._emit = None

    def start(self, emit: Emit) -> None:
        """Take commands from now on; at the very first start, emit what is there."""
        self._emit = emit
        if self._restored:
            return
        self._restored = True
        emit(ReaderAttached(self.name))
        if self.card is None:
            emit(FeatureKeyRemoved(self._counter))
        else:
            self._put(emit, self.card)

    def counters(self) -> Mapping[str, int]:
        """How many cards were put in."""
        return {"insertions": self._counter}

    def insert(self, card: Card) -> None:
        """Put this card in, after taking out another one; nothing when it is in. ReaderError: not running."""
        emit = self._running()
        if card == self.card:
            return
        if self.card is not None:
            self.remove()
        self._put(emit, card)

    def remove(self) -> None:
        """Take the card out; nothing when none is in. ReaderError: not running."""
        emit = self._running()
        if self.card is not None:
            self.card = None
            emit(FeatureKeyRemoved(self._counter))

    def _put(self, emit: Emit, card: Card) -> None:
        self.card = card
        self._counter += 1
        emit(FeatureKeyInserted(card.serial, kind=card.kind, law=card.law, counter=self._counter))

    def _running(self) -> Emit:
        if self._emit is None:
            raise ReaderError(f"reader {self.name} does not run")
        return self._emit
