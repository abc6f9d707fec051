"""Serial devices for real: pseudo terminals that die and return, two readers on one port, ends at any moment."""

from __future__ import annotations

import asyncio
import errno
import os
import select
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from serial import Serial

from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, ReaderAttached, ReaderLost
from ipo_sim.errors import ReaderError
from ipo_sim.readers import tty_port
from ipo_sim.readers.serial_line import SerialReader, Timing
from ipo_sim.readers.tty_port import open_tty
from tests.leaks import leaks_since, take_stock
from tests.readers.board import Board, Chip
from tests.readers.links import PATIENCE_S, Facts, running
from tests.readers.pty_link import PtyLink

ATTACHED = ReaderAttached("fkc0")
GONE = ReaderLost("read failed: the device is gone")
CARD = FeatureKeyInserted("1234567890", kind="i2c", identity="fkc:1234567890", counter=1)

# Any number of turns of the loop after which a reader is open and attached.
MANY_TURNS = 80


@pytest.fixture
def link(tmp_path: Path) -> Iterator[PtyLink]:
    made = PtyLink(tmp_path / "fkc0")
    yield made
    assert made._ends is None, "the test has to unplug the board"


def reader_on(link: PtyLink, **timing: float) -> SerialReader:
    return SerialReader(str(link.path), name="fkc0", timing=Timing(**timing))  # type: ignore[arg-type]  # all are seconds here


async def test_a_card_in_and_out_on_a_terminal(link: PtyLink) -> None:
    facts, reader = Facts(), reader_on(link)
    link.board.chip = Chip()
    link.plug()
    async with running(reader.run(facts.emit)):
        await facts.until(ATTACHED, CARD)
        link.board.remove()
        await facts.until(FeatureKeyRemoved(1))
        assert reader.counters()["crc_errors"] == 0
    link.unplug()


async def test_a_device_that_dies_and_returns_under_the_same_name(link: PtyLink) -> None:
    facts, reader = Facts(), reader_on(link)
    link.board.chip = Chip()
    link.plug()
    # A terminal that somebody holds keeps its number, so that the name has to turn to another one.
    holder = Serial(link.terminals[0])
    async with running(reader.run(facts.emit)):
        await facts.until(ATTACHED, CARD)
        for _ in range(3):
            link.unplug()
            await facts.until(GONE)
            link.plug()
            await facts.until(ATTACHED, CARD)
        assert reader.counters()["losses"] == reader.counters()["reopens"] == 3
    assert link.terminals[0] not in link.terminals[1:]
    holder.close()
    link.unplug()


async def test_a_device_that_is_not_there_at_first(link: PtyLink) -> None:
    facts, reader = Facts(), reader_on(link)
    async with running(reader.run(facts.emit)):
        await facts.until(ReaderLost(f"cannot open {link.path}: no such device"))
        link.plug()
        await facts.until_length(1)
        assert facts.take()[0] == ATTACHED
    link.unplug()


async def test_a_device_that_stays_open_but_goes_mute(link: PtyLink) -> None:
    facts, reader = Facts(), reader_on(link, heartbeat_s=0.8)
    link.board.chip = Chip()
    link.board.beat_s = 0.02
    link.plug()
    async with running(reader.run(facts.emit)):
        await facts.until(ATTACHED, CARD)
        link.board.mute = True
        await facts.until(ReaderLost("no heartbeat for 0.8 s"))
        link.board.mute = False
        await facts.until(ATTACHED, CARD)
    link.unplug()


async def test_half_a_line_before_the_end_and_half_a_line_at_the_start(link: PtyLink) -> None:
    facts, reader = Facts(), reader_on(link)
    link.plug()
    async with running(reader.run(facts.emit)):
        await facts.until(ATTACHED)
        link._transmit(b"$FKC,02,CARD,1,I2C,12345")
        link.unplug()
        await facts.until(GONE)
        link.plug()
        link._transmit(b"67890*0000\r\n\xff\xfe$FKC,")
        await facts.until(ATTACHED)
        link.board.insert(Chip())
        await facts.until(CARD)
    link.unplug()


async def test_the_second_reader_on_a_port_is_refused(link: PtyLink) -> None:
    first, second = Facts(), Facts()
    link.board.chip = Chip()
    link.plug()
    async with running(reader_on(link).run(first.emit)) as winner:
        await first.until(ATTACHED, CARD)
        async with running(reader_on(link).run(second.emit)):
            await second.until(ReaderLost(f"cannot open {link.path}: another program uses it"))
            assert first.take() == []
            winner.cancel()
            await second.until(ATTACHED, CARD)
    link.unplug()


async def test_a_port_that_another_program_holds_is_refused(link: PtyLink) -> None:
    link.plug()
    with Serial(link.terminals[0], exclusive=True), pytest.raises(ReaderError, match="another program uses it"):
        await open_tty(str(link.path), 115200)
    link.unplug()


@pytest.mark.parametrize(
    ("name", "error"),
    [("lost", "no such device"), ("file", "not a serial device|Inappropriate ioctl"), ("folder", "[Ii]s a directory")],
)
async def test_what_is_no_serial_device_is_refused(tmp_path: Path, name: str, error: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(ReaderError, match=f"cannot open {tmp_path / name}: .*({error})"):
        await open_tty(str(tmp_path / name), 115200)


async def test_a_rate_that_is_none_is_refused(link: PtyLink) -> None:
    link.plug()
    with pytest.raises(ReaderError, match="at -1 baud"):
        await open_tty(str(link.path), -1)
    link.unplug()


async def test_a_descriptor_is_in_the_loop_only_while_somebody_reads(link: PtyLink) -> None:
    link.plug()
    port = await open_tty(str(link.path), 115200)
    loop = asyncio.get_running_loop()
    link._transmit(b"x")
    assert (await port.read())[-1:] == b"x"
    assert not loop.remove_reader(port._fd), "nobody reads"
    reading = asyncio.create_task(port.read())
    await asyncio.sleep(0)
    link.unplug()
    with pytest.raises(ReaderError, match="the device is gone"):
        await reading
    assert not loop.remove_reader(port._fd), "a dead descriptor would wake the loop for ever"
    port.write(b"into the void")
    await port.close()


async def test_a_device_that_is_said_to_be_ready_and_then_fails(link: PtyLink, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = iter([BlockingIOError(errno.EAGAIN, "not yet"), OSError(errno.EIO, "Input/output error")])

    def read(*_: int) -> bytes:
        raise next(outcomes)

    link.plug()
    port = await open_tty(str(link.path), 115200)
    link._transmit(b"x")
    with monkeypatch.context() as patched:
        patched.setattr("os.read", read)
        with pytest.raises(ReaderError, match="the device is gone"):
            await port.read()
    assert next(outcomes, None) is None
    await port.close()
    link.unplug()


async def test_what_a_device_does_not_take_is_lost(link: PtyLink) -> None:
    link.plug()
    asyncio.get_running_loop().remove_reader(link._ends[0] if link._ends else -1)
    port = await open_tty(str(link.path), 115200)
    for _ in range(2000):
        port.write(b"$HST,01,PING*0000\r\n")
    await port.close()
    end = link._ends[0] if link._ends else -1
    # A busy kernel hands over a moment later what was written.
    assert select.select([end], [], [], 10)[0]
    assert len(os.read(end, 1 << 20)) < 40_000
    link.unplug()


async def test_a_system_without_serial_devices_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.name", "nt")
    opening = open_tty("COM3", 115200)
    with pytest.raises(ReaderError, match="socket://host:port"):
        await opening


class SlowDriver:
    """A driver that opens a port only when the test lets it; `fails` makes it fail then."""

    def __init__(self, path: str, *, fails: bool) -> None:
        self.path = path
        self.fails = fails
        self.entered = threading.Event()
        self.released = threading.Event()
        self.device: Serial | None = None

    def open(self, *_: object) -> Serial:
        self.entered.set()
        assert self.released.wait(PATIENCE_S)
        if self.fails:
            raise ReaderError("late failure")
        self.device = Serial(self.path, exclusive=True)
        return self.device


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("patient", [True, False])
async def test_an_open_that_is_given_up_leaves_nothing(
    link: PtyLink,
    monkeypatch: pytest.MonkeyPatch,
    fails: bool,  # noqa: FBT001 - a row of the table
    patient: bool,  # noqa: FBT001 - as above
) -> None:
    link.plug()
    driver = SlowDriver(str(link.path), fails=fails)
    monkeypatch.setattr(tty_port, "_open", driver.open)
    monkeypatch.setattr(tty_port, "ABANDON_S", PATIENCE_S if patient else 0.0)
    before = take_stock()
    opening = asyncio.create_task(open_tty(str(link.path), 115200))
    await asyncio.to_thread(driver.entered.wait)
    await asyncio.get_running_loop().shutdown_default_executor()
    opening.cancel()
    if patient:
        await asyncio.sleep(0)
        driver.released.set()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert patient == driver.released.is_set(), "a driver that hangs does not hold us up"
    driver.released.set()
    assert leaks_since(before) == []
    assert (driver.device is None) if fails else (driver.device and not driver.device.is_open)
    link.unplug()


async def test_an_open_that_is_given_up_when_it_has_just_succeeded(link: PtyLink) -> None:
    link.plug()
    opening = tty_port._Opening("port", lambda: Serial(str(link.path)))
    result = asyncio.create_task(opening.result())
    await asyncio.sleep(0)
    opening._thread.join()
    assert opening._device is not None
    result.cancel()
    with pytest.raises(asyncio.CancelledError):
        await result
    assert not opening._device.is_open
    link.unplug()


async def test_a_defect_in_the_thread_is_raised_where_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Serial:
        raise ZeroDivisionError

    monkeypatch.setattr(tty_port, "_open", broken)
    with pytest.raises(ZeroDivisionError):
        await open_tty("/dev/fkc0", 115200)


async def test_a_reader_can_be_ended_at_any_turn_of_the_loop(link: PtyLink) -> None:
    link.board.chip = Chip()
    link.plug()
    for turns in range(MANY_TURNS):
        before = take_stock()
        facts = Facts()
        task = asyncio.create_task(reader_on(link).run(facts.emit))
        if turns == MANY_TURNS - 1:
            await facts.until_length(2)
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert leaks_since(before) == [], f"after {turns} turns"
    link.unplug()


async def test_a_reader_can_be_ended_while_its_device_dies(link: PtyLink) -> None:
    for turns in range(12):
        link.plug()
        facts = Facts()
        task = asyncio.create_task(reader_on(link).run(facts.emit))
        await facts.until_length(1)
        before = take_stock()
        link.unplug()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not leaks_since(before)


def test_the_board_speaks_to_a_terminal_program() -> None:
    said: list[bytes] = []

    async def scenario() -> None:
        board = Board(said.append)
        board.power_on()
        board.receive(b"$HST,01,PING*")
        board.receive(b"FFFF\r\n")
        board.receive(b"what?\n")
        board.power_off()

    asyncio.run(scenario())
    assert [line.split(b"*")[0] for line in said] == [
        b"$FKC,00,HELLO,1,0.1.0,TEST,01",
        b"$FKC,01,NAK,--,CRC",
        b"$FKC,02,NAK,--,FRAME",
    ]
