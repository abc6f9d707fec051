"""The contract of every reader, whatever it is made of: what it says, in which order, and what it never says.

`pytest tests/readers/contract --reader NAME` runs it on one of the simulated readers, `--reader serial:///dev/fkc0`,
`pn532:///dev/nfc0` or `pcsc://PATTERN` on real ones: docs/how-to/check-a-reader.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import (
    Event,
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    PowerApplied,
    ReaderAttached,
    ReaderLost,
    fact_data,
    fact_from,
)
from ipo_sim.core.model import KeyPresence, KeyReason, Nanoseconds
from ipo_sim.core.unit import new_unit, step
from tests.core.bench import NOON, definition
from tests.readers.contract.needs import needs
from tests.readers.contract.story import Step, Tell

ASSURANCES = ("identifier", "signed", "authenticated")
REASONS = set(KeyReason) - {KeyReason.NO_REASON, KeyReason.NOT_PRESENT}


def types(facts: Sequence[Fact]) -> list[type[Fact]]:
    return [type(fact) for fact in facts]


def card_of(facts: Sequence[Fact]) -> FeatureKeyInserted:
    """The one card that was told of."""
    (card,) = [fact for fact in facts if isinstance(fact, FeatureKeyInserted)]
    return card


def same_card(one: FeatureKeyInserted, other: FeatureKeyInserted) -> bool:
    return (one.serial, one.kind, one.identity, one.law) == (other.serial, other.kind, other.identity, other.law)


async def test_it_says_first_that_it_is_there_and_then_which_card_is_in(tell: Tell) -> None:
    story = await tell(Step.START)
    attached, card = story.facts
    assert attached == ReaderAttached(story.reader.name)
    assert isinstance(card, FeatureKeyInserted)
    assert story.reader.last_error is None


async def test_it_says_that_it_is_empty(tell: Tell) -> None:
    story = await tell(Step.START_EMPTY)
    assert types(story.facts) == [ReaderAttached, FeatureKeyRemoved]


async def test_a_card_is_told_once_when_it_comes_and_once_when_it_goes(tell: Tell) -> None:
    _, inserted, removed = (await tell(Step.START_EMPTY, Step.INSERT, Step.REMOVE)).chapters
    assert types(inserted.facts) == [FeatureKeyInserted]
    assert removed.facts == [FeatureKeyRemoved(card_of(inserted.facts).counter)]


async def test_what_is_said_of_a_card_is_well_formed(tell: Tell) -> None:
    card = card_of((await tell(Step.START)).facts)
    assert card.serial.isascii()
    assert card.serial.isdecimal()
    assert len(card.serial) == 10
    assert card.law in ("alaw", "mulaw")
    assert card.assurance in ASSURANCES
    assert card.kind
    assert not card.identity or card.identity.partition(":")[2]
    assert card.counter >= 0


async def test_a_card_that_comes_back_is_the_same_one_and_counted(tell: Tell) -> None:
    story = await tell(Step.START_EMPTY, *(Step.INSERT, Step.REMOVE) * 3)
    cards = [fact for fact in story.facts if isinstance(fact, FeatureKeyInserted)]
    assert len(cards) == 3
    for before, after in pairwise(cards):
        assert same_card(before, after)
        assert after.counter == before.counter + 1


@needs(Step.INSERT_OTHER)
async def test_another_card_is_another_one(tell: Tell) -> None:
    start, _, other = (await tell(Step.START, Step.REMOVE, Step.INSERT_OTHER)).chapters
    assert types(other.facts) == [FeatureKeyInserted]
    assert card_of(other.facts).serial != card_of(start.facts).serial


@needs(Step.INSERT_BAD)
async def test_a_card_that_cannot_be_read_is_told_with_a_reason(tell: Tell) -> None:
    _, bad, removed, good = (await tell(Step.START_EMPTY, Step.INSERT_BAD, Step.REMOVE, Step.INSERT)).chapters
    (fact,) = bad.facts
    assert isinstance(fact, FeatureKeyUnreadable)
    assert fact.reason in REASONS
    assert types(removed.facts) == [FeatureKeyRemoved]
    assert types(good.facts) == [FeatureKeyInserted]


@needs(Step.LOSE)
async def test_a_lost_reader_is_no_removed_card(tell: Tell) -> None:
    story = await tell(Step.START, Step.LOSE, Step.FIND)
    start, lost, found = story.chapters
    (fact,) = lost.facts
    assert isinstance(fact, ReaderLost)
    assert fact.error
    attached, card = found.facts
    assert attached == start.facts[0]
    assert isinstance(card, FeatureKeyInserted)
    assert same_card(card, card_of(start.facts))


@needs(Step.LOSE)
async def test_a_reader_that_was_lost_while_it_was_empty(tell: Tell) -> None:
    story = await tell(Step.START, Step.REMOVE, Step.LOSE, Step.FIND, Step.INSERT)
    assert [types(chapter.facts) for chapter in story.chapters[2:]] == [
        [ReaderLost],
        [ReaderAttached, FeatureKeyRemoved],
        [FeatureKeyInserted],
    ]


@needs(Step.LOSE, Step.SWAP_UNSEEN)
async def test_a_card_that_was_exchanged_while_nobody_saw_it(tell: Tell) -> None:
    start, _, unseen, found = (await tell(Step.START, Step.LOSE, Step.SWAP_UNSEEN, Step.FIND)).chapters
    assert unseen.facts == []
    assert types(found.facts) == [ReaderAttached, FeatureKeyInserted]
    assert card_of(found.facts).serial != card_of(start.facts).serial


async def test_its_counters_are_numbers(tell: Tell) -> None:
    counters = (await tell(Step.START_EMPTY, Step.INSERT, Step.REMOVE)).reader.counters()
    assert counters
    assert all(type(value) is int and value >= 0 for value in counters.values())
    assert all(name.replace("_", "").isalpha() for name in counters)


async def test_a_journal_holds_what_it_says(tell: Tell) -> None:
    for fact in (await tell(Step.START_EMPTY, Step.INSERT, Step.REMOVE, Step.INSERT)).facts:
        assert fact_from(fact.TYPE, fact_data(fact)) == fact


@pytest.mark.parametrize("last", [Step.REMOVE, Step.INSERT], ids=["removed", "inserted"])
async def test_a_unit_takes_all_that_it_says(tell: Tell, last: Step) -> None:
    steps = [Step.START, Step.REMOVE, Step.INSERT, Step.REMOVE]
    story = await tell(*(steps if last is Step.REMOVE else [*steps, Step.INSERT]))
    unit, at = new_unit(definition(), load_catalogue()), NOON
    for fact in [PowerApplied(), *story.facts]:
        at = Nanoseconds(at + 1)
        unit, _ = step(unit, Event(at, fact, "contract"))
    assert unit.reader.attached
    assert unit.key.presence is (KeyPresence.ABSENT if last is Step.REMOVE else KeyPresence.PRESENT)
