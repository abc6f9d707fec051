"""The serial reader over links that split, delay, alter, lose, double and hang up: what it says is true in the end."""

from __future__ import annotations

import asyncio
import itertools
from random import Random

import pytest

from ipo_sim.core.events import Fact, FeatureKeyInserted, FeatureKeyRemoved, FeatureKeyUnreadable, ReaderAttached
from ipo_sim.readers.serial_line import SerialReader
from tests.readers.board import NO_ANSWER, WATCHDOG, Board, Chip
from tests.readers.links import CLEAN, ROUGH, Facts, MemoryLink, running
from tests.readers.virtual_time import elapse, run, until

# The longest way back: three beats to find that nothing comes, a retry, the wait for HELLO, three doubts and a beat.
RECOVERY_S = 15.0

CARDS = [Chip(), Chip("9999999999"), Chip("0000000001", law="mulaw"), Chip(error=NO_ANSWER), Chip(error=0x12)]

HAPPENINGS = ["insert"] * 5 + ["remove"] * 4 + ["plug", "speak"] * 3 + ["reset", "unplug", "mute"]


def happen(random: Random, link: MemoryLink) -> None:
    """Something that hands, cables or firmware do."""
    board = link.board
    what = random.choice(HAPPENINGS)
    if what == "insert" and board.chip is None:
        board.insert(random.choice(CARDS))
    elif what == "remove":
        board.remove()
    elif what == "reset" and link.plugged:
        board.power_on(WATCHDOG)
    elif what == "unplug":
        link.unplug()
    elif what == "plug":
        link.plug()
    elif what in ("mute", "speak"):
        board.mute = what == "mute"


def truth(board: Board) -> tuple[type[Fact], str, str]:
    """What is in the board."""
    chip = board.chip
    if chip is None:
        return FeatureKeyRemoved, "", ""
    return (FeatureKeyUnreadable, "", "") if chip.error else (FeatureKeyInserted, chip.serial, chip.law or "alaw")


def belief(facts: list[Fact]) -> tuple[type[Fact], str, str]:
    """What somebody who follows the facts takes to be in the reader."""
    last = facts[-1]
    return type(last), getattr(last, "serial", ""), getattr(last, "law", "")


def check_history(facts: list[Fact]) -> None:
    """Facts alternate: nothing is said twice, a card comes after a removal or a fresh start."""
    for before, now in itertools.pairwise(facts):
        assert now != before
        assert type(now) is not type(before) or isinstance(now, FeatureKeyUnreadable), (before, now)
    serials = {fact.serial for fact in facts if isinstance(fact, FeatureKeyInserted)}
    assert serials <= {chip.serial for chip in CARDS}


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("resets_on_open", [True, False])
def test_in_the_end_the_reader_says_what_is_there(seed: int, resets_on_open: bool) -> None:  # noqa: FBT001 - a row of the table
    async def scenario() -> None:
        random = Random(seed)
        link, facts = MemoryLink(seed, resets_on_open=resets_on_open), Facts()
        reader = SerialReader("/dev/fkc0", opener=link.open)
        link.plug()
        link.spoil(ROUGH)
        async with running(reader.run(facts.emit)):
            for _ in range(100):
                await elapse(random.choice((0.001, 0.01, 0.05, 0.5, 1.5, 4.0)))
                happen(random, link)
            link.spoil(CLEAN)
            link.board.mute = False
            if not link.plugged:
                link.plug()
            await elapse(RECOVERY_S)
            check_history(facts.all)
            assert belief(facts.all) == truth(link.board)
            assert reader.counters()["crc_errors"] > 0
            assert reader.counters()["lost_lines"] > 0
            length = len(facts.all)
            await elapse(120)
            assert len(facts.all) == length, "a link in order is quiet"

    run(scenario())


def test_a_flood_of_noise_neither_hides_nor_makes_a_card() -> None:
    async def scenario() -> None:
        random = Random(1)
        link, facts = MemoryLink(), Facts()
        reader = SerialReader("/dev/fkc0", name="fkc0", opener=link.open)
        async with running(reader.run(facts.emit)):
            for number in range(200):
                await elapse(0.02)
                assert link.port is not None
                link.port.arrive(random.randbytes(4096) + b"$FKC,00,CARD,1,I2C,6666666666*" + b"\n" * (number % 2))
                if number == 100:
                    link.board.insert(Chip())
            await elapse(1)
            assert facts.all[0] == ReaderAttached("fkc0")
            assert belief(facts.all) == truth(link.board)
            assert {getattr(fact, "serial", "") for fact in facts.all} <= {"", "1234567890"}
            assert reader.counters()["junk"] > 400_000
            assert reader.counters()["losses"] == 0

    run(scenario())


@pytest.mark.parametrize("plugged", [True, False])
def test_a_reader_can_be_ended_at_any_moment(plugged: bool) -> None:  # noqa: FBT001 - a row of the table
    async def scenario(turns: int) -> None:
        link, facts = MemoryLink(), Facts()
        link.plugged = plugged
        link.board.chip = Chip()
        task = asyncio.create_task(SerialReader("/dev/fkc0", opener=link.open).run(facts.emit))
        if turns > 30:
            await until(turns / 100)
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        said = len(facts.all)
        assert all(port.closed for port in link.ports)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await elapse(10)
        assert len(facts.all) == said, "a reader that has ended says nothing, not even that it is lost"

    for turns in range(60):
        run(scenario(turns))
