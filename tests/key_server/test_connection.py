"""One connection of a key server under any bytes, in virtual time: bounded memory, bounded patience, nobody let in."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.key_server.connection import IDLE_S, LINE_S, MAX_UNREAD, PATIENT, Connection
from ipo_sim.key_server.server import Server
from ipo_sim.licensing.key_server_line import MAX_LINE, Line
from ipo_sim.licensing.key_server_messages import ANSWERS, Delay, Hello, Poll, Welcome, message_of
from tests.key_server.servers import NONCE, UNIT, server_with_dongle
from tests.readers import virtual_time

SECRET = b"secret"


class Transport(asyncio.Transport):
    """The system's end: `sent` is what the peer reads, unless it is `deaf`."""

    def __init__(self, *, deaf: bool = False) -> None:
        super().__init__()
        self.sent = bytearray()
        self.closed_at: float | None = None
        self._deaf = deaf

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else default

    def get_write_buffer_size(self) -> int:
        return len(self.sent) if self._deaf else 0

    def write(self, data: Any) -> None:
        assert self.closed_at is None
        self.sent += data

    def close(self) -> None:
        self.closed_at = self.closed_at or asyncio.get_running_loop().time()

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self.closed_at is not None


class Bench:
    """A server, one connection to it, and what the peer sends."""

    def __init__(self, secret: bytes | None = None, *, deaf: bool = False) -> None:
        self.server: Server = server_with_dongle(secret)
        self.transport = Transport(deaf=deaf)
        self.connection = Connection(self.server.answer, PATIENT, lambda _: None, lambda _: None)
        self.connection.connection_made(self.transport)

    def receive(self, data: bytes) -> None:
        """What a transport does with bytes: nothing once it is closed."""
        if not self.transport.is_closing():
            self.connection.data_received(data)

    def lose(self) -> None:
        self.connection.connection_lost(None)

    def answers(self) -> list[bytes]:
        lines, self.transport.sent = bytes(self.transport.sent).splitlines(), bytearray()
        return lines


CHUNKS = st.lists(
    st.one_of(
        st.binary(max_size=700),
        st.sampled_from([Hello(NONCE).to_bytes(SECRET), Hello(NONCE).to_bytes(), b"FKS/1 POLL ", b"\n", b" auth="]),
    ),
    max_size=20,
)


@given(CHUNKS)
def test_any_bytes_leave_it_small_and_let_nobody_in(chunks: list[bytes]) -> None:
    async def scenario() -> None:
        bench = Bench(SECRET)
        for chunk in chunks:
            bench.receive(chunk)
            assert len(bench.connection._line) < MAX_LINE
            assert len(bench.connection._delayed) == 0
        assert bench.server.state.first is None
        assert len(bench.transport.sent) <= sum(map(len, chunks)) * MAX_LINE
        bench.lose()

    virtual_time.run(scenario())


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_how_bytes_are_cut_makes_no_difference(cuts: list[int]) -> None:
    async def scenario() -> None:
        stream = Hello(NONCE).to_bytes() * 4
        bench = Bench()
        at = 0
        for cut in (*cuts, len(stream)):
            bench.receive(stream[at : at + cut])
            at += cut
        assert [line.split()[1] for line in bench.answers()] == [b"WELCOME"] * 4
        assert not bench.transport.is_closing()
        bench.lose()

    virtual_time.run(scenario())


def test_patience() -> None:
    async def scenario() -> None:
        silent = Bench()
        await virtual_time.until(20.0)
        assert silent.transport.closed_at == LINE_S
        slow = Bench()
        slow.receive(Hello(NONCE).to_bytes())
        await virtual_time.until(100.0)
        for _ in range(30):
            slow.receive(b"F")
            await virtual_time.elapse(1.0)
        assert slow.transport.closed_at == 100.0 + LINE_S
        idle = Bench()
        idle.receive(Hello(NONCE).to_bytes())
        begun = asyncio.get_running_loop().time()
        await virtual_time.elapse(IDLE_S + 1)
        assert idle.transport.closed_at == begun + IDLE_S

    virtual_time.run(scenario())


def test_who_reads_nothing_is_hung_up_on() -> None:
    async def scenario() -> None:
        bench = Bench(deaf=True)
        for _ in range(100):
            bench.receive(Hello(NONCE).to_bytes())
        assert bench.transport.is_closing()
        assert len(bench.transport.sent) <= MAX_UNREAD
        bench.lose()

    virtual_time.run(scenario())


def test_answers_that_wait_are_few_and_end_with_the_connection() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.receive(Hello(NONCE).to_bytes())
        welcome = message_of(Line.from_bytes(bench.answers()[0]), ANSWERS)
        assert isinstance(welcome, Welcome)
        bench.receive(Delay(NONCE, welcome.challenge, 1, 500).to_bytes())
        bench.answers()
        for seq in range(1, 101):
            bench.receive(Poll(NONCE, welcome.challenge, seq, UNIT).to_bytes())
        assert bench.answers() == []
        await virtual_time.elapse(0.6)
        assert len(bench.answers()) == 16
        bench.receive(Poll(NONCE, welcome.challenge, 101, UNIT).to_bytes())
        bench.lose()
        await virtual_time.elapse(1.0)
        assert bench.answers() == []

    virtual_time.run(scenario())
