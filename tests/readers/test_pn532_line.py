"""A PN532 for real: on a terminal that dies and returns under another number, and libnfc's judgement of our chip."""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Iterator
from pathlib import Path

import pytest
from serial import Serial

from ipo_sim.card.reading import DEFAULT_POLICY
from ipo_sim.core.events import FeatureKeyRemoved, ReaderLost
from ipo_sim.readers.pn532 import Pn532Reader, Timing
from tests.card.emulated_cards import FkcCard
from tests.readers.links import PATIENCE_S, Facts, running
from tests.readers.pn532_bench import ATTACHED, EMPTY, ChipTerminal, fkc, inserted, reading_by
from tests.readers.pn532_chip import ChipCard, OnAntenna, Tag
from tests.requirements import require

GONE = ReaderLost("read failed: the device is gone")
# A busy machine answers late; it is no fault of the chip.
PATIENT = Timing(poll_s=0.02, ack_s=3.0, answer_s=3.0)


@pytest.fixture
def link(tmp_path: Path) -> Iterator[ChipTerminal]:
    made = ChipTerminal(tmp_path / "nfc")
    yield made
    assert made._ends is None, "the test has to unplug the chip"


def reader_on(link: ChipTerminal, timing: Timing = PATIENT) -> Pn532Reader:
    return Pn532Reader(str(link.path), name="nfc", read=reading_by(DEFAULT_POLICY), timing=timing)


async def test_cards_on_a_terminal(link: ChipTerminal) -> None:
    facts, reader = Facts(), reader_on(link)
    link.plug()
    async with running(reader.run(facts.emit)):
        await facts.until(ATTACHED, EMPTY)
        link.chip.card = fkc()
        await facts.until(inserted(1))
        link.chip.card = Tag()
        await facts.until(FeatureKeyRemoved(1), inserted(2, kind="fkc-tag"))
        link.chip.card = None
        await facts.until(FeatureKeyRemoved(2))
    link.unplug()


async def test_a_terminal_that_returns_under_another_number(link: ChipTerminal) -> None:
    facts, reader = Facts(), reader_on(link)
    link.chip.card = fkc()
    link.plug()
    holder = Serial(link.terminals[0])
    async with running(reader.run(facts.emit)):
        await facts.until(ATTACHED, inserted(1))
        for counter in (2, 3):
            link.unplug()
            await facts.until(GONE)
            link.plug()
            await facts.until(ATTACHED, inserted(counter))
    assert link.terminals[0] not in link.terminals[1:]
    holder.close()
    link.unplug()


async def test_a_chip_whose_power_was_cut_behind_its_adapter(link: ChipTerminal) -> None:
    facts = Facts()
    reader = reader_on(link, Timing(poll_s=0.02, ack_s=0.3, answer_s=3.0, first_retry_s=0.01))
    link.chip.card = fkc()
    link.plug()
    async with running(reader.run(facts.emit)):
        await facts.until(ATTACHED, inserted(1))
        link.chip.powered = False
        await facts.until(ReaderLost("no answer from the chip within 0.9 s"))
        link.chip.power_cycle()
        link.chip.powered = True
        await facts.until(ATTACHED, inserted(2))
    link.unplug()


async def test_the_second_reader_on_a_chip_is_refused(link: ChipTerminal) -> None:
    first, second = Facts(), Facts()
    link.chip.card = fkc()
    link.plug()
    async with running(reader_on(link).run(first.emit)):
        await first.until(ATTACHED, inserted(1))
        async with running(reader_on(link).run(second.emit)):
            await second.until(ReaderLost(f"cannot open {link.path}: another program uses it"))
        assert first.all == []
    link.unplug()


async def test_a_chip_behind_a_socket(tmp_path: Path, link: ChipTerminal) -> None:
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        link.chip.transmit = writer.write
        while data := await reader.read(4096):
            link.chip.receive(data)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    facts, reader = (
        Facts(),
        Pn532Reader(f"socket://127.0.0.1:{port}", name="nfc", read=reading_by(DEFAULT_POLICY), timing=PATIENT),
    )
    link.chip.card = fkc()
    async with running(reader.run(facts.emit)):
        await facts.until(ATTACHED, inserted(1))
    server.close()
    for writer in writers:
        await writer.wait_closed()
    await server.wait_closed()


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 13, 21, 34, 55])
async def test_a_reader_can_be_ended_at_any_turn_of_the_loop(link: ChipTerminal, turns: int) -> None:
    link.chip.card = fkc()
    link.plug()
    async with running(reader_on(link).run(Facts().emit)) as task:
        for _ in range(turns):
            await asyncio.sleep(0)
    assert task.cancelled()
    link.unplug()


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (None, []),
        (
            ChipCard(FkcCard(), "04112233445566", "8031C06C41"),
            ["UID (NFCID1): 04 11 22 33 44 55 66", "SAK (SEL_RES): 20", "ATS: 78 80 02 40 80 31 c0 6c 41"],
        ),
        (Tag(uid="04A1B2C3D4E580"), ["UID (NFCID1): 04 a1 b2 c3 d4 e5 80", "SAK (SEL_RES): 00"]),
    ],
    ids=["no card", "chip card", "tag"],
)
async def test_libnfc_sees_what_is_on_our_chip(link: ChipTerminal, card: OnAntenna | None, said: list[str]) -> None:
    program = require("nfc-list")
    link.chip.card = card
    link.plug()
    environment = {**os.environ, "LIBNFC_DEVICE": f"pn532_uart:{link.path}", "LIBNFC_LOG_LEVEL": "1"}
    async with asyncio.timeout(2 * PATIENCE_S):
        process = await asyncio.create_subprocess_exec(program, stdout=PIPE, stderr=STDOUT, env=environment)
        output, _ = await process.communicate()
    link.unplug()
    text = re.sub(r" +", " ", output.decode())
    assert process.returncode == 0, text
    assert "NFC device: user defined device opened" in text
    assert ("passive target(s) found" in text) == bool(said)
    for line in said:
        assert line in text
    assert link.chip.heard["nack"] == 0
