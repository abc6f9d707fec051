"""What is in a PC/SC reader, worked out from its states and from what its cards say."""

from __future__ import annotations

from dataclasses import replace

from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, FeatureKeyUnreadable
from ipo_sim.core.model import KeyReason
from ipo_sim.readers.pcsc_binding import STATE_PRESENT, State

KeyFact = FeatureKeyInserted | FeatureKeyRemoved | FeatureKeyUnreadable

_MAX_UINT16 = 0xFFFF


class Slot:
    """Turns states and readings into facts, each change once.

    `insertions` counts cards put in; `missed` those of them that nobody saw come, because they were out again before,
    or because they took another one's place unseen.
    """

    __slots__ = ("_card", "_events", "_last", "insertions", "is_occupied", "missed")

    def __init__(self) -> None:
        self.insertions = 0
        self.missed = 0
        self.forget()

    def forget(self) -> None:
        """The reader was lost: nothing is known of its card."""
        self.is_occupied = False
        self._last: KeyFact | None = None
        self._card: FeatureKeyInserted | None = None
        self._events: int | None = None

    def take(self, state: State) -> tuple[KeyFact, ...]:
        """The facts of a state. When `insertions` has changed after it with a card in, that one is to be read."""
        was_occupied, self.is_occupied = self.is_occupied, bool(state.bits & STATE_PRESENT)
        steps = 0 if self._events is None else (state.events - self._events) & _MAX_UINT16
        self._events = state.events
        # The first state of a reader has no steps, whatever is in it.
        insertions = max((steps + self.is_occupied) // 2, int(self.is_occupied and not was_occupied))
        is_told = self.is_occupied and insertions > 0
        removed = self.insertions
        self.insertions += insertions
        self.missed += insertions - is_told
        if not self.is_occupied:
            return self._empty()
        if is_told:
            self._card = None
        return self._remove(removed) if is_told and was_occupied else ()

    def read(self, fact: FeatureKeyInserted) -> tuple[KeyFact, ...]:
        """The facts of a card that was read; one that is not as before has taken the other's place."""
        before: tuple[KeyFact, ...] = ()
        if self._card not in (None, fact):
            before = self._remove(self.insertions)
            self.insertions += 1
            self.missed += 1
        self._card = fact
        now = replace(fact, counter=self.insertions)
        if self._last == now:
            return ()
        self._last = now
        return (*before, now)

    def unreadable(self, reason: KeyReason, detail: str = "") -> tuple[KeyFact, ...]:
        """The facts of a card that cannot be read; `detail` says why it is none that is wanted."""
        fact = FeatureKeyUnreadable(reason, detail)
        if self._last == fact:
            return ()
        self._last = fact
        return (fact,)

    def _empty(self) -> tuple[KeyFact, ...]:
        if isinstance(self._last, FeatureKeyRemoved):
            return ()
        return self._remove(self.insertions, always=True)

    def _remove(self, counter: int, *, always: bool = False) -> tuple[KeyFact, ...]:
        if not always and (self._last is None or isinstance(self._last, FeatureKeyRemoved)):
            return ()
        self._last = FeatureKeyRemoved(counter)
        self._card = None
        return (self._last,)
