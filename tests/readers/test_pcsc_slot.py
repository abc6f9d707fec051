"""What is in a PC/SC reader, from its states alone: every change is told once, and what nobody saw is counted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, FeatureKeyUnreadable
from ipo_sim.core.model import KeyReason
from ipo_sim.readers.pcsc_binding import COUNT_SHIFT, STATE_EMPTY, STATE_PRESENT, State
from ipo_sim.readers.pcsc_slot import KeyFact, Slot

CARD = FeatureKeyInserted("1234567890")
OTHER = FeatureKeyInserted("9999999999")


def state(events: int, *, card: bool) -> State:
    return State("x", (events & 0xFFFF) << COUNT_SHIFT | (STATE_PRESENT if card else STATE_EMPTY))


def numbered(fact: FeatureKeyInserted, counter: int) -> FeatureKeyInserted:
    return FeatureKeyInserted(fact.serial, counter=counter)


def test_in_and_out() -> None:
    slot = Slot()
    assert slot.take(state(7, card=False)) == (FeatureKeyRemoved(0),)
    assert slot.take(state(8, card=True)) == ()
    assert slot.insertions == 1
    assert slot.read(CARD) == (numbered(CARD, 1),)
    assert slot.take(state(8, card=True)) == (), "another program uses it now"
    assert slot.read(CARD) == ()
    assert slot.take(state(9, card=False)) == (FeatureKeyRemoved(1),)
    assert slot.missed == 0


@pytest.mark.parametrize(
    ("states", "insertions", "missed"),
    [
        ([(0, False), (2, False)], 1, 1),
        ([(0, False), (3, True)], 2, 1),
        ([(0, True), (2, True)], 2, 0),
        ([(0, True), (6, True)], 4, 2),
        ([(0, True), (3, False)], 2, 1),
        ([(0xFFFF, False), (0x0000, True)], 1, 0),
        ([(0xFFFE, True), (0x0000, True)], 2, 0),
        ([(5, True)], 1, 0),
    ],
)
def test_insertions_are_counted_by_events(states: Sequence[tuple[int, bool]], insertions: int, missed: int) -> None:
    slot = Slot()
    for events, card in states:
        slot.take(state(events, card=card))
    assert (slot.insertions, slot.missed) == (insertions, missed)


def test_a_swap_that_the_events_show() -> None:
    slot = Slot()
    slot.take(state(1, card=True))
    slot.read(CARD)
    assert slot.take(state(3, card=True)) == (FeatureKeyRemoved(1),)
    assert slot.read(CARD) == (numbered(CARD, 2),)


def test_a_swap_that_only_reading_shows() -> None:
    slot = Slot()
    slot.take(state(1, card=True))
    slot.read(CARD)
    assert slot.read(OTHER) == (FeatureKeyRemoved(1), numbered(OTHER, 2))
    assert slot.missed == 1


def test_a_card_that_cannot_be_read_now_and_then() -> None:
    slot = Slot()
    slot.take(state(1, card=True))
    assert slot.unreadable(KeyReason.NO_REGISTER_ACCESS) == (FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS),)
    assert slot.unreadable(KeyReason.NO_REGISTER_ACCESS) == ()
    assert slot.unreadable(KeyReason.INVALID_REGISTERS) == (FeatureKeyUnreadable(KeyReason.INVALID_REGISTERS),)
    assert slot.read(CARD) == (numbered(CARD, 1),)


def test_a_reader_that_comes_back_tells_its_card_anew() -> None:
    slot = Slot()
    slot.take(state(1, card=True))
    slot.read(CARD)
    slot.forget()
    assert slot.take(state(0, card=True)) == ()
    assert slot.read(CARD) == (numbered(CARD, 2),)


MOVES = st.lists(st.sampled_from(["move", "blink", "read", "read other", "fail", "lose"]), max_size=40)


@given(MOVES)
def test_facts_alternate_whatever_happens(moves: list[str]) -> None:
    """After a removal nothing is removed, and after a card only another fact of a card or its removal comes."""
    slot, events, card = Slot(), 0, False
    facts: list[KeyFact] = []
    for move in moves:
        if move == "lose":
            slot.forget()
            facts.clear()
        elif move == "move":
            events, card = events + 1, not card
        elif move == "blink":
            events += 2
        elif not slot.is_occupied:
            continue
        if move in ("move", "blink", "lose"):
            facts += slot.take(state(events, card=card))
        elif move == "fail":
            facts += slot.unreadable(KeyReason.NO_REGISTER_ACCESS)
        else:
            facts += slot.read(CARD if move == "read" else OTHER)
        for before, after in pairwise(facts):
            assert before != after
            assert not isinstance(before, FeatureKeyInserted) or not isinstance(after, FeatureKeyInserted)
        cards = [fact for fact in facts if isinstance(fact, FeatureKeyInserted)]
        assert cards == sorted(cards, key=lambda card: card.counter)
        assert len(set(cards)) == len({card.counter for card in cards}), "an insertion is that of one card"
