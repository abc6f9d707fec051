"""Lost lines and what mends them, resets of the reader, and commands to it; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from ipo_sim.card.line_protocol import Ping, Reset
from ipo_sim.core.events import FeatureKeyRemoved
from ipo_sim.errors import ReaderError
from tests.readers.board import NO_ANSWER, WATCHDOG, Chip
from tests.readers.serial_bench import NAMELESS, OTHER, UNREADABLE, Bench, inserted, settled
from tests.readers.virtual_time import elapse, run, until


def test_a_lost_card_line_is_mended_by_the_next_beat() -> None:
    async def scenario() -> None:
        async with settled() as b:
            b.board.swallow["CARD"] = 1
            b.board.insert(Chip())
            await until(1.9)
            assert b.facts.take() == []
            await until(2.1)
            assert b.facts.take() == [inserted(1)]

    run(scenario())


def test_a_lost_gone_line_is_mended_by_the_next_beat() -> None:
    async def scenario() -> None:
        async with settled(Chip()) as b:
            b.board.swallow["GONE"] = 1
            b.board.remove()
            await until(1.9)
            assert b.facts.take() == []
            await until(2.1)
            assert b.facts.take() == [FeatureKeyRemoved(1)]

    run(scenario())


@pytest.mark.parametrize("chip", [Chip(), OTHER, Chip(error=NO_ANSWER)])
def test_an_exchange_whose_lines_were_lost_is_a_removal_and_an_insertion(chip: Chip) -> None:
    async def scenario() -> None:
        async with settled(Chip()) as b:
            b.board.swallow.update(GONE=1, CARD=1, BAD=1)
            b.board.remove()
            await elapse(0.01)
            b.board.insert(chip)
            await elapse(0.03)
            b.board.swallow.clear()
            await until(2.1)
            assert b.facts.take() == [FeatureKeyRemoved(1), UNREADABLE if chip.error else inserted(2, chip)]
            await elapse(30)
            assert b.facts.take() == []

    run(scenario())


def test_the_same_card_with_another_number_was_out_and_in() -> None:
    async def scenario() -> None:
        async with settled(Chip()) as b:
            b.board.swallow["GONE"] = 1
            b.board.remove()
            await elapse(0.01)
            b.board.insert(Chip())
            await elapse(0.03)
            assert b.facts.take() == [FeatureKeyRemoved(1), inserted(2)]

    run(scenario())


def test_cards_that_came_and_went_unheard_are_counted() -> None:
    async def scenario() -> None:
        async with settled() as b:
            b.board.swallow.update(GONE=3, CARD=3)
            for _ in range(3):
                b.board.insert(Chip())
                await elapse(0.03)
                b.board.remove()
                await elapse(0.01)
            await elapse(2)
            assert b.facts.take() == []
            assert b.count("missed_insertions") == 3

    run(scenario())


def test_a_card_that_is_never_named_is_unreadable_until_it_is() -> None:
    async def scenario() -> None:
        async with settled() as b:
            b.board.nameless = True
            b.board.swallow["CARD"] = 1
            b.board.insert(Chip())
            await until(4.9)
            assert b.facts.take() == []
            await until(8)
            assert b.facts.take() == [NAMELESS]
            assert b.board.verbs.count("STAT") < 12, "a reader that cannot answer is not flooded"
            b.board.nameless = False
            await elapse(2)
            assert b.facts.take() == [inserted(1)]

    run(scenario())


def test_a_card_whose_contacts_fail_and_recover_is_seen_at_the_next_check() -> None:
    async def scenario() -> None:
        async with settled(Chip()) as b:
            b.board.chip = Chip(error=NO_ANSWER)
            await elapse(11)
            assert b.facts.take() == [UNREADABLE]
            b.board.chip = Chip()
            await elapse(11)
            assert b.facts.take() == [inserted(1)]
            assert b.board.verbs.count("STAT") == 3

    run(scenario())


@pytest.mark.parametrize("heard", [True, False])
def test_a_reset_of_the_reader_is_no_news_of_the_card(heard: bool) -> None:  # noqa: FBT001 - a row of the table
    async def scenario() -> None:
        async with settled() as b:
            for _ in range(2):
                b.board.remove()
                await elapse(0.01)
                b.board.insert(Chip())
                await elapse(0.03)
            assert b.facts.take() == [inserted(1), FeatureKeyRemoved(1), inserted(2)]
            b.board.swallow["BEAT" if heard else "HELLO"] = 1
            b.board.power_on(WATCHDOG)
            await elapse(30)
            assert b.facts.take() == []
            b.board.remove()
            await elapse(0.01)
            assert b.facts.take() == [FeatureKeyRemoved(1)]

    run(scenario())


# Uptime shows a reset when it goes back; in a reader that ran for a second only, lost beats hide that.
@pytest.mark.parametrize(
    ("ran_s", "lost"), [(5, {"HELLO": 1, "CARD": 1}), (1, {"BEAT": 2, "CARD": 1})], ids=["uptime", "hello"]
)
def test_a_card_exchanged_during_a_reset_is_found_by_any_sign_of_it(ran_s: int, lost: dict[str, int]) -> None:
    async def scenario() -> None:
        async with settled(Chip()) as b:
            await until(ran_s + 0.5)
            b.board.swallow.update(lost)
            b.board.chip = OTHER
            b.board.power_on(WATCHDOG)
            await elapse(3)
            assert b.facts.take() == [FeatureKeyRemoved(1), inserted(1, OTHER)], "both are number 1"

    run(scenario())


def test_a_card_that_goes_while_the_reader_resets_is_missed_no_longer_than_a_beat() -> None:
    async def scenario() -> None:
        async with settled(Chip()) as b:
            b.board.chip = None
            b.board.power_on(WATCHDOG)
            await elapse(1.1)
            assert b.facts.take() == [FeatureKeyRemoved(0)]
            b.board.chip = OTHER
            b.board.power_on(WATCHDOG)
            await elapse(1.1)
            assert b.facts.take() == [inserted(1, OTHER)]

    run(scenario())


def test_a_command_that_is_obeyed() -> None:
    async def scenario() -> None:
        async with settled() as b:
            await b.reader.request(Ping)
            assert b.board.verbs[-1] == "PING"
            resets = b.board.resets
            await b.reader.request(Reset)
            await elapse(2)
            assert b.board.resets == resets + 1
            assert b.facts.take() == []

    run(scenario())


def refuse(b: Bench) -> None:
    b.board.known.clear()


def deafen(b: Bench) -> None:
    b.board.deaf = True


@pytest.mark.parametrize(
    ("spoil", "error", "counter"),
    [(refuse, "does not know PING", "naks"), (deafen, "does not answer", "unanswered")],
)
def test_a_command_that_is_not_obeyed(spoil: Callable[[Bench], None], error: str, counter: str) -> None:
    async def scenario() -> None:
        async with settled() as b:
            spoil(b)
            before = b.count(counter)
            with pytest.raises(ReaderError, match=error):
                await b.reader.request(Ping)
            assert b.count(counter) == before + 1
            assert b.facts.take() == [], "a reader that beats is there, whatever it hears"

    run(scenario())


def test_a_command_to_a_reader_that_is_lost() -> None:
    async def scenario() -> None:
        async with settled() as b:
            deafen(b)
            waiting = asyncio.create_task(b.reader.request(Ping))
            await elapse(0.1)
            b.link.unplug()
            with pytest.raises(ReaderError, match="lost before it answered"):
                await waiting
            with pytest.raises(ReaderError, match="no reader is connected"):
                await b.reader.request(Ping)

    run(scenario())
