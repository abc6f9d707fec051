"""A feature key server on real sockets: who is answered, who is hung up on, and what it costs to be a nuisance."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from ipo_sim.core.events import FeatureKeyRemoved, FeatureKeyUnreadable, ReaderAttached, ReaderLost
from ipo_sim.core.model import KeyReason
from ipo_sim.errors import KeyServerError
from ipo_sim.key_server.connection import MAX_LINES_AT_ONCE, Limits
from ipo_sim.key_server.service import Sockets
from ipo_sim.licensing.key_server_line import MAX_LINE
from ipo_sim.licensing.key_server_messages import (
    Delay,
    Discover,
    Hello,
    Insert,
    Key,
    Message,
    Offer,
    Poll,
    Refused,
    Remove,
    State,
    Status,
    Welcome,
)
from tests.key_server.servers import (
    HOST,
    NONCE,
    OTHER_UNIT,
    PATIENCE_S,
    SERIAL,
    UNIT,
    Slot,
    connected,
    listening,
    server_with_dongle,
)

SHORT = Limits(line_s=0.05, idle_s=0.05)


async def asked_by_datagram(message: bytes, address: str, port: int) -> bytes:
    """What comes back."""
    loop = asyncio.get_running_loop()
    with datagrams() as client:
        await loop.sock_sendto(client, message, (address, port))
        async with asyncio.timeout(PATIENCE_S):
            return await loop.sock_recv(client, 2 * MAX_LINE)


@contextlib.contextmanager
def datagrams() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        yield client


async def sending_until_hung_up_on(client: socket.socket) -> None:
    while True:
        await asyncio.get_running_loop().sock_sendall(client, Hello(NONCE).to_bytes())
        await asyncio.sleep(0)


@pytest.mark.parametrize("secret", [None, b"secret"], ids=["open", "secret"])
async def test_one_unit_is_told_the_dongle_and_the_next_is_refused(secret: bytes | None) -> None:
    async with (
        listening(server_with_dongle(secret)) as sockets,
        connected(sockets, secret) as first,
        connected(sockets, secret) as second,
    ):
        key = await first.poll(UNIT)
        refused = await second.poll(OTHER_UNIT)
    assert isinstance(key, Key)
    assert (key.state, key.kind, key.serial, key.law, key.counter) == ("present", "dongle-usb", SERIAL, "mulaw", 1)
    assert isinstance(refused, Refused)
    assert (refused.code, UNIT in refused.text) == ("other-unit", True)


async def test_one_connection_serves_many_sessions_and_pieces_of_lines() -> None:
    async with listening() as sockets, connected(sockets) as client:
        assert isinstance(await client.poll(), Key)
        line = Hello(NONCE).to_bytes()
        for at in range(len(line)):
            client.send(line[at : at + 1])
            await asyncio.sleep(0)
        assert (await client.line()).startswith(b"FKS/1 WELCOME")
        client.send(line * 3)
        assert [(await client.line()).split()[1] for _ in range(3)] == [b"WELCOME"] * 3


@pytest.mark.parametrize("address", [HOST, "127.255.255.255"], ids=["itself", "broadcast"])
async def test_discovery(address: str) -> None:
    async with listening() as sockets:
        answer = await asked_by_datagram(Discover(NONCE, UNIT).to_bytes(), address, sockets.port)
        boot = sockets.server.state.boot
        assert answer == Offer(NONCE, boot, sockets.port, "yes", "test").to_bytes()


async def test_servers_at_two_addresses_both_hear_a_broadcast() -> None:
    async with listening() as one, Sockets(server_with_dongle(), "127.0.0.2", one.port) as other:
        loop = asyncio.get_running_loop()
        with datagrams() as client:
            await loop.sock_sendto(client, Discover(NONCE).to_bytes(), ("127.255.255.255", other.port))
            async with asyncio.timeout(PATIENCE_S):
                heard = [await loop.sock_recvfrom(client, MAX_LINE) for _ in range(2)]
        assert {address[0] for _, address in heard} == {HOST, "127.0.0.2"}


async def test_a_datagram_may_do_without_its_line_end() -> None:
    async with listening() as sockets:
        answer = await asked_by_datagram(Hello(NONCE).to_bytes()[:-1], HOST, sockets.port)
        assert answer.startswith(b"FKS/1 WELCOME ")


async def test_junk_gets_no_datagram_back() -> None:
    async with listening() as sockets:
        loop = asyncio.get_running_loop()
        with datagrams() as client:
            for junk in (b"", b"\n", b"x" * 2000, b"FKS/1 ", b"\xff" * MAX_LINE, Hello(NONCE).to_bytes() * 2):
                await loop.sock_sendto(client, junk, (HOST, sockets.port))
            await loop.sock_sendto(client, Hello(NONCE).to_bytes(), (HOST, sockets.port))
            async with asyncio.timeout(PATIENCE_S):
                assert (await loop.sock_recv(client, MAX_LINE)).startswith(b"FKS/1 WELCOME ")
            with pytest.raises(BlockingIOError):
                client.recv(MAX_LINE)


@pytest.mark.parametrize(
    "junk",
    [b"\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\n", b"FKS/2 HELLO\n", b"FKS/1 POLL\n"],
    ids=["empty", "http", "tls", "version", "fields"],
)
async def test_who_speaks_something_else_is_told_so_once_and_hung_up_on(junk: bytes) -> None:
    async with listening() as sockets, connected(sockets) as client:
        client.send(junk)
        assert (await client.line()).startswith(b"FKS/1 REFUSED code=")
        assert await client.line() == b""


@pytest.mark.parametrize(
    "flood",
    [b"x" * 2 * MAX_LINE, b"\n" * 10 * MAX_LINES_AT_ONCE, b"\x00" * 1_000_000],
    ids=["no-end", "lines", "much"],
)
async def test_who_sends_too_much_is_hung_up_on(flood: bytes) -> None:
    async with listening() as sockets, connected(sockets) as client:
        client.send(flood)
        assert await client.line() == b""


async def test_who_says_nothing_is_hung_up_on() -> None:
    async with listening(limits=SHORT) as sockets, connected(sockets) as client:
        assert await client.line() == b""


async def test_who_sends_byte_after_byte_is_hung_up_on() -> None:
    """Slow loris: the time for a line runs from its first byte, however many follow."""
    async with listening(limits=Limits(line_s=0.1, idle_s=60.0)) as sockets, connected(sockets) as client:
        assert isinstance(await client.poll(), Key)
        hung_up = asyncio.create_task(client.line())
        while not hung_up.done():
            client.send(b"F")
            await asyncio.wait((hung_up,), timeout=0.01)
        assert hung_up.result() == b""


async def test_who_knows_the_secret_not_is_hung_up_on() -> None:
    async with listening(server_with_dongle(b"secret")) as sockets, connected(sockets) as client:
        client.send(Hello(NONCE).to_bytes(b"guess"))
        assert b"code=authentication" in await client.line()
        assert await client.line() == b""
        assert sockets.server.counters == {"lines": 1, "malformed": 0, "unauthenticated": 1}


async def test_connections_are_bounded_and_silence_does_not_keep_a_unit_out() -> None:
    async with listening(most=4) as sockets, contextlib.AsyncExitStack() as stack:
        unit = await stack.enter_async_context(connected(sockets))
        await unit.poll()
        for _ in range(20):
            silent = await stack.enter_async_context(connected(sockets))
            silent.send(b"FKS/1 ")
        late = await stack.enter_async_context(connected(sockets))
        assert isinstance(await late.poll(), Key)
        assert isinstance(await unit.poll(), Key), "whoever talks sense stays"


async def test_a_burst_of_connections_is_bounded_too() -> None:
    async with listening(most=4) as sockets:
        burst = await asyncio.gather(*(asyncio.open_connection(HOST, sockets.port) for _ in range(40)))
        ends = [asyncio.create_task(reader.read()) for reader, _ in burst]
        async with asyncio.timeout(PATIENCE_S):
            while sum(end.done() for end in ends) < 36:
                await asyncio.wait([end for end in ends if not end.done()], return_when=asyncio.FIRST_COMPLETED)
        # Some hang up with a reset, which is as good.
        await asyncio.gather(*(end for end in ends if end.done()), return_exceptions=True)
        assert sum(not end.done() for end in ends) == 4
        async with connected(sockets) as unit:
            assert isinstance(await unit.poll(), Key)
        for _, writer in burst:
            writer.transport.abort()
        await asyncio.gather(*ends, return_exceptions=True)


async def test_a_serial_that_no_message_can_carry_is_not_told() -> None:
    async with listening(server_with_dongle(serial="1")) as sockets, connected(sockets) as client:
        challenge = await client.challenge()
        client.send(Poll(NONCE, challenge, 1, UNIT).to_bytes())
        assert isinstance(await client.ask(Hello(NONCE)), Welcome)


async def test_when_all_talk_sense_the_newcomer_is_turned_away() -> None:
    async with listening(most=2) as sockets, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connected(sockets)) for _ in range(2)]
        for client in clients:
            await client.challenge()
        late = await stack.enter_async_context(connected(sockets))
        assert await late.line() == b""
        assert isinstance(await clients[0].poll(), Key)


async def test_who_never_reads_is_hung_up_on() -> None:
    async with listening() as sockets:
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            deaf.settimeout(0)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(deaf, (HOST, sockets.port))
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(sending_until_hung_up_on(deaf), PATIENCE_S)


async def test_commands() -> None:
    slot = Slot()
    async with listening(server_with_dongle(slot=slot)) as sockets, connected(sockets) as client:
        answers: list[Message] = []
        for seq, command in enumerate((Remove, Insert), 1):
            answers.append(await client.ask(command(NONCE, await client.challenge(), seq)))
        answers.append(await client.ask(Insert(NONCE, await client.challenge(), 3, "0000000001")))
        slot.broken = True
        refused = await client.ask(Remove(NONCE, await client.challenge(), 4))
    assert slot.moves == ["remove", "insert None", "insert 0000000001"]
    assert all(isinstance(answer, State) for answer in answers)
    assert refused == Refused("impossible", "reader virtual does not run", NONCE, 4)


async def test_a_real_dongle_is_not_moved_by_commands() -> None:
    async with listening() as sockets, connected(sockets) as client:
        refused = await client.ask(Remove(NONCE, await client.challenge(), 1))
        assert isinstance(refused, Refused)
        assert (refused.code, "only hands" in refused.text) == ("impossible", True)


async def test_what_the_reader_says_is_told_on() -> None:
    server = server_with_dongle()
    async with listening(server) as sockets, connected(sockets) as client:
        told = []
        for fact in (
            FeatureKeyRemoved(1),
            FeatureKeyUnreadable(KeyReason.INVALID_REGISTERS),
            ReaderLost("no such device"),
            ReaderAttached("fkc0"),
        ):
            server.take(fact)
            key = await client.poll()
            assert isinstance(key, Key)
            told.append((key.state, key.reason, key.serial))
    # A reader that is back has yet to say what it holds.
    assert told == [("absent", None, None), ("unreadable", 4, None), ("unreadable", 9, None), ("unreadable", 9, None)]


@pytest.mark.parametrize("way", ["tcp", "udp"])
async def test_delayed_answers_come_late_and_commands_at_once(way: str) -> None:
    async with listening() as sockets, connected(sockets) as client:
        challenge = await client.challenge()
        state = await client.ask(Delay(NONCE, challenge, 1, 30))
        assert isinstance(state, State)
        assert state.delay == 30
        poll = Poll(NONCE, challenge, 1, UNIT).to_bytes()
        if way == "udp":
            assert (await asked_by_datagram(poll, HOST, sockets.port)).startswith(b"FKS/1 KEY ")
            return
        client.send(poll)
        client.send(Status(NONCE, challenge, 2).to_bytes())
        assert [(await client.line()).split()[1] for _ in range(2)] == [b"STATE", b"KEY"]


async def test_an_end_with_answers_on_their_way_leaves_nothing_behind() -> None:
    async with listening() as sockets, connected(sockets) as client:
        challenge = await client.challenge()
        await client.ask(Delay(NONCE, challenge, 1, 60_000))
        client.send(Poll(NONCE, challenge, 1, UNIT).to_bytes())
        assert isinstance(await client.ask(Status(NONCE, challenge, 2)), State)


async def test_a_taken_port_is_told() -> None:
    async with listening() as sockets:
        with pytest.raises(KeyServerError, match=f"127.0.0.1 port {sockets.port} is taken"):
            async with listening(port=sockets.port):
                pass


async def test_a_port_taken_by_datagrams_alone_is_told() -> None:
    with datagrams() as taken:
        taken.bind((HOST, 0))
        with pytest.raises(KeyServerError, match="is taken"):
            async with listening(port=taken.getsockname()[1]):
                pass


async def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(KeyServerError, match=r"192.0.2.1 is no address of this machine"):
        async with Sockets(server_with_dongle(), "192.0.2.1", 0):
            pass


async def test_the_port_is_free_again_at_once() -> None:
    async with listening() as sockets, connected(sockets) as client:
        await client.poll()
        port = sockets.port
    async with listening(port=port) as sockets, connected(sockets) as client:
        assert isinstance(await client.poll(OTHER_UNIT), Key)


async def test_the_log_tells_of_each_nuisance_once() -> None:
    server = server_with_dongle()
    with capture_logs() as logs:
        for _ in range(50):
            server.answer(b"junk", "192.0.2.7")
        server.answer(b"junk", "192.0.2.8")
    warned = [entry["host"] for entry in logs if entry["log_level"] == "warning"]
    assert warned == ["192.0.2.7", "192.0.2.8"]


async def test_changes_are_told_to_whoever_listens() -> None:
    server = server_with_dongle()
    changes = server.changes()
    assert (await anext(changes)).first is None
    async with listening(server) as sockets, connected(sockets) as client:
        await client.poll()
        assert (await anext(changes)).first == UNIT
        await client.poll()
        server.take(FeatureKeyRemoved(1))
        assert (await anext(changes)).dongle.state == "absent"
    await changes.aclose()  # type: ignore[attr-defined] # an asynchronous generator, whatever its annotation says


async def test_where_no_socket_hears_broadcasts_the_server_serves_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def unable(address: str, port: int) -> socket.socket:
        raise OSError(errno.EADDRNOTAVAIL, f"no socket at {address} port {port}")

    monkeypatch.setattr("ipo_sim.key_server.datagrams._broadcast_socket", unable)
    with capture_logs() as logs:
        async with listening() as sockets:
            assert (await asked_by_datagram(Hello(NONCE).to_bytes(), HOST, sockets.port)).startswith(b"FKS/1 WELCOME ")
    assert [entry["address"] for entry in logs if entry["event"] == "no_discovery"] == ["127.255.255.255"]
