"""The firmware as it is flashed, read by the serial reader: cards, contacts, wires and cables that misbehave."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ipo_sim.card.line_protocol import AskStatus, Ping, Reset
from ipo_sim.core.events import (
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    ReaderAttached,
    ReaderLost,
)
from ipo_sim.core.model import KeyReason
from ipo_sim.readers.serial_line import SerialReader
from tests.readers.firmware_sim import SERIAL, BoardError, FirmwareSim, firmware_sim, memory_card
from tests.readers.links import Facts, running

ATTACHED = ReaderAttached("fkc0")
GONE = ReaderLost("read failed: the device is gone")
NO_ANSWER = FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS, "the card does not answer its address (error 02)")
BUS_HELD = FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS, "the bus gives no start condition (error 01)")

# A contact that scrapes, in microseconds between its changes; with the first one at once, it ends as it began.
SCRAPES = (300, 900, 2000, 700, 4000, 1500, 9000, 600)
# Closed for less than the 20 ms that count.
SHORT_TOUCH_US = 12_000


def inserted(counter: int, serial: str = SERIAL) -> FeatureKeyInserted:
    return FeatureKeyInserted(serial, kind="i2c", identity=f"fkc:{serial}", counter=counter)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[FirmwareSim]:
    with firmware_sim(tmp_path) as made:
        yield made


class Bench:
    """A reader at the board, and what it says."""

    def __init__(self, board: FirmwareSim) -> None:
        self.board = board
        self.facts = Facts()
        self.reader = SerialReader(str(board.path), name="fkc0")

    async def until(self, *facts: Fact) -> None:
        await self.facts.until(*facts)

    def count(self, name: str) -> int:
        return self.reader.counters()[name]


@contextlib.asynccontextmanager
async def reading(board: FirmwareSim, *facts: Fact) -> AsyncIterator[Bench]:
    """A reader that has said these facts first, and whose own questions are answered."""
    bench = Bench(board)
    async with running(bench.reader.run(bench.facts.emit)):
        await bench.until(ATTACHED, *facts)
        # Commands go in turn: the question for the status was before this one.
        await bench.reader.request(Ping)
        yield bench


async def test_cards_in_and_out(board: FirmwareSim) -> None:
    async with reading(board, FeatureKeyRemoved(0)) as bench:
        board.insert()
        await bench.until(inserted(1))
        board.remove()
        await bench.until(FeatureKeyRemoved(1))
        board.insert(memory_card("9999999999"))
        await bench.until(inserted(2, "9999999999"))
        await bench.reader.request(Ping)
        assert bench.count("crc_errors") == bench.count("lost_lines") == bench.count("resends") == 0


async def test_a_card_that_was_in_before(board: FirmwareSim) -> None:
    board.insert()
    async with reading(board, inserted(1)):
        assert board.figures()["bytes_read"] > 0


async def test_bouncing_contacts_are_one_card(board: FirmwareSim) -> None:
    async with reading(board, FeatureKeyRemoved(0)) as bench:
        board.insert(bounces_us=SCRAPES)
        await bench.until(inserted(1))
        board.remove(bounces_us=SCRAPES)
        await bench.until(FeatureKeyRemoved(1))


async def test_a_short_touch_is_no_card(board: FirmwareSim) -> None:
    async with reading(board, FeatureKeyRemoved(0)) as bench:
        board.tell("touch")
        board.tell("close", SHORT_TOUCH_US)
        board.insert(bounces_us=(SHORT_TOUCH_US, SHORT_TOUCH_US))
        await bench.until(inserted(1))


async def test_cards_swapped_within_ten_milliseconds(board: FirmwareSim) -> None:
    board.insert()
    async with reading(board, inserted(1)) as bench:
        board.tell("card", memory_card("9999999999").hex())
        board.tell("open", 10_000)
        await bench.until(FeatureKeyRemoved(1), inserted(2, "9999999999"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (memory_card()[:-1] + b"\0", "the checksum on the card is wrong (error 12)"),
        (b"", "the card is blank, or holds something else than a feature key (error 10)"),
        (b"FKC1\0\xff\xff", "the length on the card is not possible (error 11)"),
        (memory_card("1234 67890"), "the serial on the card has forbidden characters (error 13)"),
        (memory_card("123456789"), "the reader names no card of ours: '123456789'"),
    ],
    ids=["checksum", "blank", "length", "characters", "no serial of ours"],
)
async def test_a_card_with_unsound_content(board: FirmwareSim, content: bytes, said: str) -> None:
    async with reading(board, FeatureKeyRemoved(0)) as bench:
        board.insert(content)
        await bench.until(FeatureKeyUnreadable(KeyReason.INVALID_REGISTERS, said))
        board.remove()
        await bench.until(FeatureKeyRemoved(1))


async def test_a_card_without_contact_is_tried_three_times(board: FirmwareSim) -> None:
    async with reading(board, FeatureKeyRemoved(0)) as bench:
        board.tell("close")
        await bench.until(NO_ANSWER)
        board.remove()
        await bench.until(FeatureKeyRemoved(1))


async def test_a_card_pulled_while_it_is_read(board: FirmwareSim) -> None:
    board.insert()
    async with reading(board, inserted(1)) as bench:
        board.tell("pull-after", 9)
        await bench.reader.request(AskStatus)
        await bench.until(FeatureKeyRemoved(1))
        board.insert()
        await bench.until(inserted(2))


async def test_a_bus_that_is_held_is_clocked_free(board: FirmwareSim) -> None:
    async with reading(board, FeatureKeyRemoved(0)) as bench:
        board.tell("hold-bus", 7)
        board.insert()
        await bench.until(inserted(1))
        board.remove()
        await bench.until(FeatureKeyRemoved(1))
        board.tell("hold-bus", 0)
        board.insert()
        await bench.until(BUS_HELD)
        board.tell("release-bus")
        board.remove()
        await bench.until(FeatureKeyRemoved(2))
        board.insert()
        await bench.until(inserted(3))


async def test_an_altered_line_is_mended_by_the_next_beat(board: FirmwareSim) -> None:
    async with reading(board, FeatureKeyRemoved(0)) as bench:
        board.tell("flip", 20)
        board.insert()
        await bench.until(inserted(1))
        board.tell("flip", 8)
        board.remove()
        await bench.until(FeatureKeyRemoved(1))
        assert bench.count("crc_errors") + bench.count("frame_errors") > 0
        assert bench.count("losses") == 0


@pytest.mark.parametrize("lost", [10, 25, 40])
async def test_half_a_line_is_mended_by_the_next_beat(board: FirmwareSim, lost: int) -> None:
    async with reading(board, FeatureKeyRemoved(0)) as bench:
        board.tell("swallow", lost)
        board.insert()
        await bench.until(inserted(1))
        assert bench.count("losses") == 0


async def test_noise_on_the_line_is_no_card(board: FirmwareSim) -> None:
    async with reading(board, FeatureKeyRemoved(0)) as bench:
        board.tell("noise-to-host", (bytes(range(256)) + b"$FKC,09,CARD,9,I2C,6666666666*").hex())
        board.tell("noise-to-host", b"0000\r\n$FKC,05".hex())
        board.insert()
        await bench.until(inserted(1))
        assert bench.count("junk") > 150


async def test_noise_in_the_commands_is_refused_and_the_next_one_obeyed(board: FirmwareSim) -> None:
    async with reading(board, FeatureKeyRemoved(0)) as bench:
        board.tell("noise-to-chip", (bytes(range(256)) * 3 + b"\r\n$HST,0").hex())
        await bench.reader.request(Ping)
        board.tell("noise-to-chip", (b"$HST,07,PING*0000\r\n" * 20).hex())
        await bench.reader.request(Ping)
        assert bench.count("naks") >= 20
        board.insert()
        await bench.until(inserted(1))


async def test_a_firmware_that_hangs_is_reset_by_its_watchdog(board: FirmwareSim) -> None:
    board.insert()
    async with reading(board, inserted(1)) as bench:
        board.tell("card", memory_card("9999999999").hex())
        board.tell("hang")
        await bench.until(FeatureKeyRemoved(1), inserted(1, "9999999999"))
        assert board.figures()["resets"] == 1
        assert bench.count("losses") == 0


async def test_a_reset_that_the_host_asks_for(board: FirmwareSim) -> None:
    board.insert()
    async with reading(board, inserted(1)) as bench:
        board.tell("card", memory_card("9999999999").hex())
        await bench.reader.request(Reset)
        await bench.until(FeatureKeyRemoved(1), inserted(1, "9999999999"))
        assert board.figures()["resets"] == 1


async def test_a_board_that_returns_under_another_terminal(board: FirmwareSim) -> None:
    board.insert()
    async with reading(board, inserted(1)) as bench:
        for card in (SERIAL, "9999999999"):
            before = board.terminal
            board.tell("unplug")
            await bench.until(GONE)
            board.tell("card", memory_card(card).hex())
            board.tell("plug")
            assert board.terminal != before
            await bench.until(ATTACHED, inserted(1, card))
        assert bench.count("losses") == bench.count("reopens") == 2


async def test_the_second_reader_on_a_board_is_refused(board: FirmwareSim) -> None:
    async with reading(board, FeatureKeyRemoved(0)) as first:
        second = Bench(board)
        async with running(second.reader.run(second.facts.emit)):
            await second.until(ReaderLost(f"cannot open {board.path}: another program uses it"))
            board.insert()
            await first.until(inserted(1))
            assert second.facts.take() == []


def test_a_command_that_the_board_does_not_know(board: FirmwareSim) -> None:
    with pytest.raises(BoardError, match="error no command dance"):
        board.tell("dance")
