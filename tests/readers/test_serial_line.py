"""The serial reader against a board in memory, in virtual time: attach, cards, loss and return, to the millisecond."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from ipo_sim.core.events import FeatureKeyRemoved, FeatureKeyUnreadable, ReaderLost
from ipo_sim.core.model import KeyReason
from ipo_sim.errors import ReaderError
from ipo_sim.readers.serial_line import SerialReader, Timing
from tests.readers.board import NO_ANSWER, WATCHDOG, Chip
from tests.readers.links import MemoryLink
from tests.readers.serial_bench import ATTACHED, GONE, MISSING, OTHER, UNREADABLE, bench, inserted, settled
from tests.readers.virtual_time import elapse, run, until


def test_a_reader_with_a_card() -> None:
    async def scenario() -> None:
        async with bench(Chip(law="mulaw", kind="ISO")) as b:
            await elapse(0.1)
            assert b.facts.take() == [ATTACHED, inserted(1, Chip(law="mulaw", kind="ISO"))]
            await elapse(60)
            assert b.facts.take() == []
            assert b.count("frames") > 60
            assert b.reader.last_error is None
            assert b.count("losses") == b.count("reopens") == b.count("failures") == 0

    run(scenario())


def test_an_empty_reader_is_believed_once_its_switch_is_debounced() -> None:
    async def scenario() -> None:
        async with bench() as b:
            await until(0.9)
            assert b.facts.take() == [ATTACHED]
            await until(1.1)
            assert b.facts.take() == [FeatureKeyRemoved(0)]

    run(scenario())


def test_cards_in_and_out() -> None:
    async def scenario() -> None:
        async with settled() as b:
            for counter, chip in enumerate((Chip(), OTHER, OTHER, Chip(error=NO_ANSWER)), 1):
                b.board.insert(chip)
                await elapse(0.030)
                b.board.remove()
                await elapse(0.010)
                fact = UNREADABLE if chip.error else inserted(counter, chip)
                assert b.facts.take() == [fact, FeatureKeyRemoved(counter)]
            await elapse(60)
            assert b.facts.take() == []
            assert b.count("missed_insertions") == 0

    run(scenario())


def test_a_card_that_does_not_say_its_law_has_the_configured_one() -> None:
    async def scenario() -> None:
        async with bench(Chip(), law="mulaw") as b:
            await elapse(0.1)
            assert b.facts.take()[1] == inserted(1, Chip(law="mulaw"))

    run(scenario())


@pytest.mark.parametrize(
    ("chip", "said"),
    [
        (Chip("123456789"), "'123456789'"),
        (Chip("12345678901"), "'12345678901'"),
        (Chip("123456789A"), "'123456789A'"),
        (Chip(law="other"), "'1234567890', 'other'"),
    ],
)
def test_a_card_with_foreign_content_has_invalid_registers(chip: Chip, said: str) -> None:
    async def scenario() -> None:
        async with bench(chip) as b:
            await elapse(0.1)
            assert b.facts.take() == [
                ATTACHED,
                FeatureKeyUnreadable(KeyReason.INVALID_REGISTERS, f"the reader names no card of ours: {said}"),
            ]

    run(scenario())


def test_a_board_that_runs_already_is_asked_for_hello() -> None:
    async def scenario() -> None:
        link = MemoryLink(resets_on_open=False)
        link.board.chip = Chip()
        link.board.power_on()
        await elapse(10)
        link.board.remove()
        await elapse(0.1)
        link.board.insert(OTHER)
        await elapse(0.1)
        async with bench(OTHER, link=link) as b:
            await elapse(0.1)
            assert b.facts.take() == [ATTACHED, inserted(2, OTHER)]
            assert b.board.verbs == ["HELLO", "STAT"]

    run(scenario())


def test_lines_before_hello_are_no_facts_and_make_the_host_ask_again() -> None:
    async def scenario() -> None:
        link = MemoryLink(resets_on_open=False)
        link.board.chip = Chip()
        link.board.power_on()
        await until(0.5)
        link.board.swallow["HELLO"] = 1
        async with bench(Chip(), link=link) as b:
            await until(0.9)
            assert b.facts.take() == []
            assert b.board.verbs == ["HELLO"]
            await until(1.1)
            assert b.facts.take() == [ATTACHED, inserted(1)]

    run(scenario())


def test_a_board_in_its_boot_loader_gets_its_time() -> None:
    async def scenario() -> None:
        link = MemoryLink(resets_on_open=False)
        async with bench(link=link) as b:
            await until(2.2)
            link.board.power_on()
            await until(2.21)
            assert b.facts.take() == [ATTACHED]
            assert "STAT" in b.board.verbs, "the board that says HELLO unasked is asked for its status at once"

    run(scenario())


def test_a_port_without_a_reader_is_given_up() -> None:
    async def scenario() -> None:
        async with bench(link=MemoryLink(resets_on_open=False)) as b:
            await until(2.999)
            assert b.facts.take() == []
            await until(3.001)
            assert b.facts.take() == [ReaderLost("no answer within 3 s")]
            assert b.reader.last_error == "no answer within 3 s"
            assert b.link.ports[0].closed

    run(scenario())


def test_another_version_of_the_protocol_is_refused() -> None:
    async def scenario() -> None:
        link = MemoryLink()
        link.board.protocol = 2
        async with bench(link=link) as b:
            await elapse(10)
            assert b.facts.take() == [ReaderLost("the reader speaks FKC/2, this release FKC/1")]
            link.board.protocol = 1
            await elapse(2)
            assert b.facts.take()[0] == ATTACHED

    run(scenario())


def test_a_reader_that_is_not_there_is_reported_once_and_tried_ever_more_slowly() -> None:
    async def scenario() -> None:
        link = MemoryLink()
        link.plugged = False
        async with bench(link=link) as b:
            await until(2.0)
            assert b.facts.take() == [MISSING]
            assert b.link.opened_at == pytest.approx([0, 0.05, 0.15, 0.35, 0.75, 1.25, 1.75])
            link.plug()
            await until(2.3)
            assert b.facts.take() == [ATTACHED]
            assert b.count("reopens") == 1
            assert b.count("failures") == 7

    run(scenario())


def test_an_unplugged_reader_is_lost_at_once_and_its_return_tells_the_card_anew() -> None:
    async def scenario() -> None:
        async with settled(Chip()) as b:
            lost_at = asyncio.get_running_loop().time()
            b.link.unplug()
            await elapse(5)
            assert b.facts.take() == [GONE]
            assert b.link.opened_at[1:4] == pytest.approx([lost_at + 0.05, lost_at + 0.15, lost_at + 0.35])
            assert b.link.ports[0].closed
            b.link.plug()
            await elapse(1)
            assert b.facts.take() == [ATTACHED, inserted(1)]
            assert (b.count("losses"), b.count("reopens")) == (1, 1)
            assert b.reader.last_error == "no such device"

    run(scenario())


def test_a_new_device_wakes_the_reader() -> None:
    async def scenario() -> None:
        link = MemoryLink()
        link.plugged = False
        async with bench(link=link) as b:
            await until(5.0)
            link.plug()
            await until(5.1)
            opens = len(link.opened_at)
            b.reader._supervisor.wake()
            await until(5.101)
            assert len(link.opened_at) == opens + 1
            assert b.facts.take() == [MISSING, ATTACHED]

    run(scenario())


def test_a_new_device_whose_permissions_are_still_to_come_is_tried_again_soon() -> None:
    async def scenario() -> None:
        link = MemoryLink()
        link.plugged = False
        async with bench(link=link) as b:
            await until(5.1)
            opens = len(link.opened_at)
            b.reader._supervisor.wake()
            await until(5.3)
            assert link.opened_at[opens:] == pytest.approx([5.1, 5.15, 5.25])

    run(scenario())


def test_a_reader_that_flaps_is_opened_ever_more_slowly() -> None:
    async def scenario() -> None:
        async with bench() as b:
            for _ in range(8):
                await b.facts.until_length(1)
                assert b.facts.take() == [ATTACHED]
                b.link.unplug()
                await b.facts.until_length(1)
                assert b.facts.take() == [GONE]
                b.link.plug()
            waits = [b - a for a, b in zip(b.link.opened_at, b.link.opened_at[1:], strict=False)]
            assert waits == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.5, 0.5, 0.5])
            await elapse(5)
            b.link.unplug()
            b.link.plug()
            lost_at = asyncio.get_running_loop().time()
            await elapse(1)
            assert b.link.opened_at[-1] == pytest.approx(lost_at + 0.05), "a reader that had settled is forgiven"

    run(scenario())


def test_a_new_link_does_not_end_the_last_line_of_the_old_one() -> None:
    async def scenario() -> None:
        link = MemoryLink(resets_on_open=False)
        link.board.power_on()
        async with bench(link=link) as b:
            for piece in (b"$FKC,40,GONE", b",1*0000\r\n"):
                await elapse(3.3)
                assert link.port is not None
                link.port.arrive(piece)
                link.port.fail("the bridge was restarted")
            await elapse(3.3)
            assert b.count("losses") == 2
            assert b.count("junk") == len(",1*0000")
            assert b.count("crc_errors") == b.count("frame_errors") == b.count("lost_lines") == 0

    run(scenario())


def test_a_mute_reader_is_lost_three_seconds_after_its_last_beat() -> None:
    async def scenario() -> None:
        async with settled(Chip()) as b:
            b.board.mute = True
            await until(3.999)
            assert b.facts.take() == []
            await until(4.001)
            assert b.facts.take() == [ReaderLost("no heartbeat for 3 s")]
            await until(20)
            assert b.facts.take() == []
            b.board.mute = False
            await until(25)
            assert b.facts.take() == [ATTACHED, inserted(1)]

    run(scenario())


def test_other_lines_are_no_heartbeat() -> None:
    async def scenario() -> None:
        async with settled() as b:
            b.board.beats = False
            for _ in range(4):
                b.board.insert(Chip())
                await elapse(0.4)
                b.board.remove()
                await elapse(0.4)
            assert ReaderLost("no heartbeat for 3 s") in b.facts.take()

    run(scenario())


def test_a_boot_loop_is_a_lost_reader() -> None:
    async def scenario() -> None:
        async with settled() as b:
            for _ in range(10):
                b.board.power_on(WATCHDOG)
                b.board.swallow["BEAT"] = 10
                await elapse(0.4)
            assert ReaderLost("no heartbeat for 3 s") in b.facts.take()

    run(scenario())


def test_the_first_failure_is_a_warning_and_the_rest_is_debug() -> None:
    async def scenario() -> None:
        async with bench() as b:
            await elapse(1.5)
            b.link.unplug()
            await elapse(10)
            b.link.plug()
            await elapse(1)

    with capture_logs() as logs:
        run(scenario())
    told = [(entry["log_level"], entry["event"]) for entry in logs]
    assert [entry for entry in told if entry[0] != "debug"] == [
        ("info", "reader_attached"),
        ("warning", "reader_lost"),
        ("info", "reader_attached"),
    ]
    assert told.count(("debug", "reader_still_lost")) > 10
    assert {entry["reader"] for entry in logs} == {"fkc0"}


def test_patience_is_a_setting() -> None:
    async def scenario() -> None:
        async with bench(timing=Timing(heartbeat_s=0.5)) as b:
            await until(0.52)
            assert b.facts.take() == [ATTACHED, ReaderLost("no heartbeat for 0.5 s")]

    run(scenario())


def test_an_address_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ReaderError, match="expected /dev/"):
        SerialReader("COM3")
    assert SerialReader("/dev/fkc0").name == "/dev/fkc0"
    assert SerialReader("/dev/fkc0").kind == "serial"
