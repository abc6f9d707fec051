"""Readers behind TCP: a bridge that drops, refuses, resets and never reads."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, ReaderAttached, ReaderLost
from ipo_sim.errors import ReaderError
from ipo_sim.readers.serial_line import SerialReader
from ipo_sim.readers.socket_port import MAX_BACKLOG, open_socket
from tests.leaks import leaks_since, take_stock
from tests.mqtt.brokers import until
from tests.readers.board import Board, Chip
from tests.readers.links import PATIENCE_S, Facts, running

LOCALHOST = "127.0.0.1"
ATTACHED = ReaderAttached("bridge")
PING = b"$HST,01,PING*0000\r\n"
HUNG_UP = ReaderLost("the peer hung up")
MANY_TURNS = 40


def card(counter: int) -> FeatureKeyInserted:
    return FeatureKeyInserted("1234567890", kind="i2c", identity="fkc:1234567890", counter=counter)


class Bridge:
    """A TCP server with a board that runs on behind it. `listens` only inside `open`."""

    def __init__(self) -> None:
        self.board = Board(self._transmit)
        self.port = 0
        self._server: asyncio.Server | None = None
        self._peers: set[asyncio.StreamWriter] = set()
        self._alone = asyncio.Event()
        self._alone.set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, LOCALHOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.drop()
        await self._server.wait_closed()

    def drop(self, *, reset: bool = False) -> None:
        """End all connections, politely or not."""
        for peer in self._peers:
            if reset:
                linger = struct.pack("ii", 1, 0)
                peer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                peer.transport.abort()
            else:
                peer.close()

    async def until_alone(self) -> None:
        """Wait until all readers have left."""
        async with asyncio.timeout(PATIENCE_S):
            await self._alone.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._peers.add(writer)
        self._alone.clear()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(4096):
                self.board.receive(data)
        self._peers.discard(writer)
        if not self._peers:
            self._alone.set()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    def _transmit(self, data: bytes) -> None:
        for peer in self._peers:
            peer.write(data)


@contextlib.asynccontextmanager
async def bridge() -> AsyncIterator[Bridge]:
    made = Bridge()
    await made.open()
    made.board.chip = Chip()
    made.board.power_on()
    try:
        yield made
    finally:
        made.board.power_off()
        await made.close()


def reader_on(made: Bridge) -> SerialReader:
    return SerialReader(f"socket://{LOCALHOST}:{made.port}", name="bridge")


@pytest.mark.parametrize("reset", [False, True])
async def test_a_bridge_that_drops_the_connection(reset: bool) -> None:  # noqa: FBT001 - a row of the table
    async with bridge() as made:
        facts, reader = Facts(), reader_on(made)
        async with running(reader.run(facts.emit)):
            await facts.until(ATTACHED, card(1))
            # A board that is asked between contact and switch says that the card does not answer.
            await until(lambda: "STAT" in made.board.verbs)
            made.board.remove()
            await facts.until(FeatureKeyRemoved(1))
            made.board.insert(Chip())
            await facts.until(card(2))
            made.drop(reset=reset)
            lost = ReaderLost("connection lost: Connection reset by peer") if reset else HUNG_UP
            await facts.until(lost, ATTACHED, card(2))
            assert made.board.resets == 1


async def test_a_bridge_that_is_not_there_at_first() -> None:
    with socket.socket() as holder:
        # Bound and not listening: nobody else gets the port.
        holder.bind((LOCALHOST, 0))
        port = holder.getsockname()[1]
        facts, reader = Facts(), SerialReader(f"socket://{LOCALHOST}:{port}", name="bridge")
        async with running(reader.run(facts.emit)):
            await facts.until_length(1)
            (lost,) = facts.take()
            assert isinstance(lost, ReaderLost)
            assert lost.error.startswith(f"cannot connect to {LOCALHOST} port {port}: ")
            holder.listen()
            holder.settimeout(0)
            async with asyncio.timeout(PATIENCE_S):
                peer, _ = await asyncio.get_running_loop().sock_accept(holder)
            board = Board(peer.send)
            board.power_on()
            await facts.until(ATTACHED)
            board.power_off()
            peer.close()
            await facts.until_length(1)
            assert isinstance(facts.take()[0], ReaderLost)


async def test_a_name_that_is_unknown_says_so() -> None:
    with pytest.raises(ReaderError, match=r"cannot connect to nowhere\.invalid port 4000: \w+"):
        await open_socket("nowhere.invalid", 4000)


async def test_a_connection_to_ourselves_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    real = asyncio.open_connection

    async def to_ourselves(host: str, port: int, *, limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        itself = socket.socket()
        itself.bind((host, 0))
        itself.connect(itself.getsockname())
        itself.settimeout(0)
        return await real(sock=itself, limit=limit)

    monkeypatch.setattr("asyncio.open_connection", to_ourselves)
    with pytest.raises(ReaderError, match="nobody listens"):
        await open_socket(LOCALHOST, 4000)


async def test_a_peer_that_never_reads_costs_no_memory() -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind((LOCALHOST, 0))
        server.listen()
        port = await open_socket(*server.getsockname())
        peer, _ = server.accept()
        port._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        for _ in range(10_000):
            port.write(PING)
        assert MAX_BACKLOG - len(PING) < port._writer.transport.get_write_buffer_size() <= MAX_BACKLOG
        await port.close()
        port.write(b"after the end")
        peer.close()


async def test_a_reader_can_be_ended_at_any_turn_of_the_loop() -> None:
    async with bridge() as made:
        for turns in range(MANY_TURNS):
            facts = Facts()
            task = asyncio.create_task(reader_on(made).run(facts.emit))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await made.until_alone()
        before = take_stock()
        facts = Facts()
        async with running(reader_on(made).run(facts.emit)):
            await facts.until(ATTACHED, card(1))
        await made.until_alone()
        await asyncio.sleep(0)
        assert leaks_since(before) == []
