"""The reader without hardware: first start, commands, and a start from the journal."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from ipo_sim.core.events import Fact, FeatureKeyInserted, FeatureKeyRemoved, ReaderAttached
from ipo_sim.core.model import Card
from ipo_sim.errors import ReaderError
from ipo_sim.readers.reader import Reader
from ipo_sim.readers.serial_line import SerialReader
from ipo_sim.readers.virtual import VirtualReader
from tests.readers.links import Facts, running

CARD = Card("1234567890", "mulaw")
OTHER = Card("9999999999")


def inserted(card: Card, counter: int) -> FeatureKeyInserted:
    return FeatureKeyInserted(card.serial, law=card.law, counter=counter)


@pytest.mark.parametrize(
    ("card", "fact"), [(CARD, inserted(CARD, 1)), (None, FeatureKeyRemoved(0))], ids=["card", "empty"]
)
async def test_the_first_start_tells_what_is_in_the_reader(card: Card | None, fact: Fact) -> None:
    facts = Facts()
    async with running(VirtualReader(card).run(facts.emit)):
        await facts.until(ReaderAttached("virtual"), fact)


async def test_cards_go_in_and_out_by_command() -> None:
    facts, reader = Facts(), VirtualReader(CARD)
    async with running(reader.run(facts.emit)):
        await facts.until_length(2)
        facts.take()
        reader.remove()
        assert facts.take() == [FeatureKeyRemoved(1)]
        reader.insert(OTHER)
        assert facts.take() == [inserted(OTHER, 2)]
        reader.insert(CARD)
        assert facts.take() == [FeatureKeyRemoved(2), inserted(CARD, 3)]
        assert reader.card == CARD
        assert reader.counters() == {"insertions": 3}


async def test_a_command_that_changes_nothing_says_nothing() -> None:
    facts, reader = Facts(), VirtualReader(CARD)
    async with running(reader.run(facts.emit)):
        await facts.until_length(2)
        facts.take()
        reader.insert(CARD)
        assert facts.take() == []
        reader.remove()
        reader.remove()
        assert facts.take() == [FeatureKeyRemoved(1)]


@pytest.mark.parametrize("card", [CARD, None], ids=["card", "empty"])
async def test_a_unit_from_its_journal_knows_its_card_already(card: Card | None) -> None:
    facts, reader = Facts(), VirtualReader(card, restored=True, counter=7)
    async with running(reader.run(facts.emit)):
        await asyncio.sleep(0)
        assert facts.all == []
        reader.insert(OTHER)
        removed = [FeatureKeyRemoved(7)] if card else []
        assert facts.take() == [*removed, inserted(OTHER, 8)]


async def test_a_second_run_does_not_insert_the_card_again() -> None:
    facts, reader = Facts(), VirtualReader(CARD)
    for expected in (2, 0):
        async with running(reader.run(facts.emit)):
            await asyncio.sleep(0)
            assert len(facts.take()) == expected


def test_a_fleet_needs_no_task_for_each_reader() -> None:
    facts, reader = Facts(), VirtualReader(CARD)
    reader.start(facts.emit)
    reader.remove()
    assert facts.take() == [ReaderAttached("virtual"), inserted(CARD, 1), FeatureKeyRemoved(1)]


async def test_a_reader_that_does_not_run_refuses_commands() -> None:
    facts, reader = Facts(), VirtualReader(None)
    with pytest.raises(ReaderError, match="does not run"):
        reader.insert(CARD)
    async with running(reader.run(facts.emit)):
        await facts.until_length(2)
    with pytest.raises(ReaderError, match="does not run"):
        reader.remove()


def test_both_readers_are_readers() -> None:
    readers: list[Reader] = [VirtualReader(None), SerialReader("socket://127.0.0.1:4000")]
    assert [(reader.kind, reader.name, reader.last_error) for reader in readers] == [
        ("virtual", "virtual", None),
        ("serial", "socket://127.0.0.1:4000", None),
    ]


@pytest.mark.parametrize("module", ["virtual", "serial_line", "tty_port"])
def test_pyserial_and_what_only_some_systems_have_are_loaded_when_a_port_is_opened(module: str) -> None:
    heavy = {"serial", "termios", "fcntl"}
    # What is loaded before the module is not its doing.
    program = (
        "import sys, asyncio, structlog; before = set(sys.modules);"
        f"import ipo_sim.readers.{module}; print(*(set(sys.modules) - before))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert f"ipo_sim.readers.{module}" in loaded
    assert not heavy & set(loaded)
