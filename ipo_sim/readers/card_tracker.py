"""What is in a serial reader, worked out from lines of which any can be missing."""

from __future__ import annotations

from dataclasses import replace

from ipo_sim.card.line_faults import reason_of, words_of
from ipo_sim.card.line_protocol import MAX_UINT16, Bad, Beat, Card, Frame, Gone
from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, FeatureKeyUnreadable
from ipo_sim.core.model import KeyReason

KeyFact = FeatureKeyInserted | FeatureKeyRemoved | FeatureKeyUnreadable

DEFAULT_LAW = "alaw"
LAWS = (DEFAULT_LAW, "mulaw")
SERIAL_LENGTH = 10

# A reader that has just started has not debounced its switch (20 ms) nor tried a card three times yet.
SETTLE_MS = 250
# A card is in and the reader did not say which: ask this often, and after so many times take it for unreadable.
DOUBT_MS = 500
MAX_DOUBTS = 3
# As the unit polls its key: contacts fail and recover while a card is in.
RECHECK_MS = 10_000


class CardTracker:
    """Turns frames into facts, each change once, and mends what lost lines left wrong.

    After each frame `wants_status` says whether the reader should be asked for its status. `missed` counts insertions
    that nobody heard of. `law` is that of cards that do not say theirs.
    """

    __slots__ = (
        "_asked_ms",
        "_counter",
        "_doubts",
        "_guessed",
        "_last",
        "_law",
        "_uptime_ms",
        "missed",
        "wants_status",
    )

    def __init__(self, law: str = DEFAULT_LAW) -> None:
        self.missed = 0
        self._law = law
        self.forget()

    def forget(self) -> None:
        """The reader was lost: nothing is known of its card."""
        self._last: KeyFact | None = None
        self._guessed = False
        self.restarted()

    def restarted(self) -> None:
        """The reader counts time and insertions anew; the card is most likely the same."""
        self.wants_status = False
        self._counter: int | None = None
        self._asked_ms: int | None = None
        self._uptime_ms = 0
        self._doubts = 0

    def take(self, frame: Frame) -> tuple[KeyFact, ...]:
        """The facts that a frame tells, most often none."""
        self.wants_status = False
        match frame:
            case Card():
                return self._named(self._read(frame), frame.counter)
            case Bad():
                return self._named(FeatureKeyUnreadable(reason_of(frame.error), words_of(frame.error)), frame.counter)
            case Gone():
                return self._empty(frame.counter)
            case Beat():
                return self._beat(frame)
        return ()

    def _read(self, card: Card) -> KeyFact:
        law = card.law or self._law
        if len(card.serial) != SERIAL_LENGTH or not card.serial.isdecimal() or law not in LAWS:
            said = f"{card.serial!r}" if law in LAWS else f"{card.serial!r}, {law!r}"
            return FeatureKeyUnreadable(KeyReason.INVALID_REGISTERS, f"the reader names no card of ours: {said}")
        return FeatureKeyInserted(
            card.serial, kind=card.kind.lower(), identity=f"fkc:{card.serial}", law=law, counter=card.counter
        )

    def _named(self, fact: KeyFact, counter: int) -> tuple[KeyFact, ...]:
        self._guessed = False
        self._doubts = 0
        self._asked_ms = None
        return self._occupied(fact, counter)

    def _beat(self, beat: Beat) -> tuple[KeyFact, ...]:
        if beat.uptime_ms < self._uptime_ms:
            self.restarted()
        self._uptime_ms = beat.uptime_ms
        if not beat.present:
            return self._empty(beat.counter) if beat.uptime_ms >= SETTLE_MS else ()
        known = _is_card(self._last) and beat.counter == self._counter and not self._guessed
        if known and self._asked_ms is None:
            self._asked_ms = beat.uptime_ms
        pause_ms = RECHECK_MS if known else DOUBT_MS
        if self._asked_ms is not None and beat.uptime_ms - self._asked_ms < pause_ms and (known or self._doubts):
            return ()
        self._asked_ms = beat.uptime_ms
        self.wants_status = True
        return () if known else self._doubt(beat)

    def _doubt(self, beat: Beat) -> tuple[KeyFact, ...]:
        """A card that is not named however often the reader is asked is one that it cannot read."""
        self._doubts += 1
        if self._doubts <= MAX_DOUBTS:
            return ()
        self._guessed = True
        fact = FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS, "a card is in, and the reader does not say which")
        return self._occupied(fact, beat.counter)

    def _occupied(self, fact: KeyFact, counter: int) -> tuple[KeyFact, ...]:
        before, removed = self._last, counter if self._counter is None else self._counter
        insertions = self._follow(counter)
        self.missed += max(0, insertions - 1)
        self._last = fact
        if before is None or isinstance(before, FeatureKeyRemoved):
            return (fact,)
        if insertions or _is_other_card(before, fact):
            return (FeatureKeyRemoved(removed), fact)
        return () if _content(before) == _content(fact) else (fact,)

    def _empty(self, counter: int) -> tuple[KeyFact, ...]:
        self._guessed = False
        self._doubts = 0
        self.missed += self._follow(counter)
        if isinstance(self._last, FeatureKeyRemoved):
            return ()
        self._last = FeatureKeyRemoved(counter)
        return (self._last,)

    def _follow(self, counter: int) -> int:
        """How many insertions there were since the number before; a number that goes back is an unheard restart: 0."""
        steps = 0 if self._counter is None else (counter - self._counter) & MAX_UINT16
        self._counter = counter
        return steps if steps <= MAX_UINT16 // 2 else 0


def _is_card(fact: KeyFact | None) -> bool:
    return fact is not None and not isinstance(fact, FeatureKeyRemoved)


def _is_other_card(before: KeyFact, now: KeyFact) -> bool:
    if isinstance(before, FeatureKeyInserted) and isinstance(now, FeatureKeyInserted):
        return _content(before) != _content(now)
    return False


def _content(fact: KeyFact) -> KeyFact:
    """The fact without the number of the insertion, which a restart of the reader alters."""
    return replace(fact, counter=0) if isinstance(fact, FeatureKeyInserted) else fact
