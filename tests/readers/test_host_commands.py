"""Commands to the reader: their order, their repeats, and who is told."""

from __future__ import annotations

import asyncio

import pytest

from ipo_sim.card.line_protocol import Ack, AskHello, AskStatus, Command, Frame, Nak, Ping
from ipo_sim.errors import ReaderError
from ipo_sim.readers.host_commands import Commands
from tests.readers.virtual_time import elapse, run, until


class Wire:
    """What was sent, and when."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, Frame]] = []

    def write(self, data: bytes) -> None:
        self.sent.append((asyncio.get_running_loop().time(), Frame.from_bytes(data)))

    @property
    def frames(self) -> list[Frame]:
        return [frame for _, frame in self.sent]


def opened(wire: Wire) -> Commands:
    commands = Commands(answer_s=0.5, attempts=3)
    commands.open(wire.write)
    return commands


def test_a_command_without_an_answer_is_repeated_and_given_up() -> None:
    async def scenario() -> None:
        wire = Wire()
        commands = opened(wire)
        commands.send(AskHello)
        await until(10)
        assert wire.sent == [(0, AskHello(1)), (0.5, AskHello(1)), (1.0, AskHello(1))]
        assert commands.counters == {"commands": 1, "resends": 2, "naks": 0, "unanswered": 1}

    run(scenario())


def test_one_command_at_a_time_in_turn() -> None:
    async def scenario() -> None:
        wire = Wire()
        commands = opened(wire)
        for command in (AskHello, AskStatus, AskStatus, Ping, AskHello):
            commands.send(command)
        assert wire.frames == [AskHello(1)]
        commands.acknowledged(Ack(0, 1))
        assert wire.frames == [AskHello(1), AskStatus(2)]
        commands.acknowledged(Ack(1, 2))
        commands.acknowledged(Ack(2, 3))
        await elapse(10)
        assert wire.frames == [AskHello(1), AskStatus(2), Ping(3)]

    run(scenario())


def test_an_answer_to_another_command_is_none() -> None:
    async def scenario() -> None:
        wire = Wire()
        commands = opened(wire)
        commands.acknowledged(Ack(0, 1))
        commands.refused(Nak(0, None, "CRC"))
        commands.send(AskHello)
        commands.acknowledged(Ack(1, 0))
        commands.refused(Nak(2, 0, "VERB"))
        await until(0.6)
        assert wire.frames == [AskHello(1), AskHello(1)]

    run(scenario())


@pytest.mark.parametrize("why", ["CRC", "FRAME", "BUSY"])
def test_a_command_that_was_not_understood_is_repeated_at_once_but_not_for_ever(why: str) -> None:
    async def scenario() -> None:
        wire = Wire()
        commands = opened(wire)
        commands.send(Ping)
        for number in range(10):
            commands.refused(Nak(number, None, why))
        assert wire.frames == [Ping(1)] * 3
        await until(0.4)
        assert commands.counters["unanswered"] == 0
        await until(0.6)
        assert commands.counters["unanswered"] == 1
        assert commands.counters["naks"] == 10

    run(scenario())


def test_what_came_unasked_needs_no_acknowledgement() -> None:
    async def scenario() -> None:
        wire = Wire()
        commands = opened(wire)
        commands.send(AskHello)
        commands.send(AskStatus)
        commands.send(Ping)
        commands.settle(AskHello)
        commands.settle(Ping)
        commands.settle(Ping)
        commands.acknowledged(Ack(0, 2))
        await elapse(10)
        assert wire.frames == [AskHello(1), AskStatus(2)]

    run(scenario())


def test_all_who_ask_are_told() -> None:
    async def scenario() -> None:
        wire = Wire()
        commands = opened(wire)
        commands.send(Ping)
        asking = [asyncio.create_task(commands.request(Ping)) for _ in range(2)]
        await asyncio.sleep(0)
        commands.acknowledged(Ack(0, 1))
        await asyncio.gather(*asking)
        assert wire.frames == [Ping(1)]

    run(scenario())


def test_who_asks_and_leaves_hinders_nobody() -> None:
    async def scenario(command: type[Command]) -> None:
        wire = Wire()
        commands = opened(wire)
        impatient = asyncio.create_task(commands.request(command))
        patient = asyncio.create_task(commands.request(command))
        await asyncio.sleep(0)
        impatient.cancel()
        with pytest.raises(ReaderError, match="does not answer"):
            await patient
        assert impatient.cancelled()
        alone = asyncio.create_task(commands.request(command))
        await asyncio.sleep(0)
        alone.cancel()
        await elapse(10)
        assert commands.counters["unanswered"] == 2

    run(scenario(Ping))


def test_a_closed_line_takes_no_commands_and_ends_those_that_wait() -> None:
    async def scenario() -> None:
        wire = Wire()
        commands = opened(wire)
        asking = [asyncio.create_task(commands.request(command)) for command in (Ping, AskStatus)]
        await asyncio.sleep(0)
        commands.close()
        for task in asking:
            with pytest.raises(ReaderError, match="lost before it answered"):
                await task
        commands.send(Ping)
        with pytest.raises(ReaderError, match="no reader is connected"):
            await commands.request(Ping)
        await elapse(10)
        assert wire.frames == [Ping(1)]

    run(scenario())


def test_the_sequence_wraps() -> None:
    async def scenario() -> None:
        wire = Wire()
        commands = opened(wire)
        for number in range(1, 258):
            commands.send(Ping)
            commands.acknowledged(Ack(0, number & 0xFF))
        assert [frame.seq for frame in wire.frames] == [*range(1, 256), 0, 1]

    run(scenario())
