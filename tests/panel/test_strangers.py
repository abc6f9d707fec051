"""What strangers do to a port: nothing of it keeps the server from its work, and nothing piles up."""

from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipo_sim.api.requests import MAX_REQUEST_BYTES
from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved
from ipo_sim.panel import resources, server
from tests.core.bench import SERIAL
from tests.panel.served import DEADLINE_S, HOST, Served, ask, call, listen, request, serving


async def still_serves(served: Served) -> bool:
    return (await ask(served.port, "GET", "/units")).status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"GET /units HTTP/1.1\r\nHost: localhost\r\nHost\r\n\r\n",
        b"GET /units HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\n\r\n",
        b"POST /units/bench-1/commands/power HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /units HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X%d: a\r\n" % n for n in range(1_000)) + b"\r\n",
    ],
    ids=["tls", "header", "version", "method", "length", "both-lengths", "path", "field", "fields"],
)
async def test_what_is_no_http_is_told_so_and_hung_up_on(data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    async with serving() as served:
        async with await call(served.port) as caller:
            await caller.send(data)
            said = await caller.ended()
            assert said.split()[1] == b"400"
            assert b"Traceback" not in said
        assert await still_serves(served)
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err


@given(data=st.binary(max_size=300))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes(data: bytes) -> None:
    async def run() -> bool:
        async with serving(boot=False) as served:
            async with await call(served.port) as caller:
                await caller.send(data)
                caller.writer.write_eof()
            return await still_serves(served)

    assert asyncio.run(run())


async def test_a_body_that_is_said_to_be_too_large_is_not_waited_for() -> None:
    async with serving() as served, await call(served.port) as caller:
        head = request("POST", "/units/bench-1/commands/power", b"", content_length=str(10**9))
        await caller.send(head)
        answer = await caller.response()
        assert (answer.status, answer.code) == (413, "too-large")
        await caller.ended()


async def test_a_body_that_does_not_end_is_cut_off() -> None:
    async with serving() as served, await call(served.port) as caller:
        fields = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
        await caller.send(b"POST /units/bench-1/commands/power HTTP/1.1\r\nHost: localhost\r\n" + fields + b"\r\n")
        for _ in range(MAX_REQUEST_BYTES // 65_536 + 1):
            await caller.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        answer = await caller.response()
        assert (answer.status, answer.code) == (413, "too-large")
        assert await still_serves(served)


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "BODY_S", 0.02)
    monkeypatch.setattr(server, "LINGER_S", 0.02)
    async with serving() as served, await call(served.port) as caller:
        await caller.send(request("POST", "/units/bench-1/commands/power", b'{"on": ', content_length="100"))
        answer = await caller.response()
        assert (answer.status, answer.code) == (408, "timeout")
        assert await caller.ended() == b""
        assert served.registry.asked == []


@pytest.mark.parametrize("start", [b"", b"GET /units HTTP/1.1\r\nHost: loc"], ids=["silent", "half"])
async def test_a_head_that_does_not_come_is_not_waited_for(start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "IDLE_S", 0.05)
    async with serving() as served, await call(served.port) as caller:
        await caller.send(start)
        assert await caller.ended() == b""


async def test_connections_are_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    async with serving() as served:
        callers = [await call(served.port) for _ in range(3)]
        for caller in callers:
            assert (await caller.ask("GET", "/units")).status == 200
        refused = await ask(served.port, "GET", "/units")
        assert (refused.status, refused.code) == (503, "too-many")
        for caller in callers:
            await caller.__aexit__()
        async with asyncio.timeout(DEADLINE_S):
            while (await ask(served.port, "GET", "/units")).status != 200:
                pass


async def test_a_reader_that_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "STALL_S", 0.05)
    async with serving() as served:
        deaf = socket.socket()
        # As little as the system lets buffers be, so that some hundred events fill them.
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        deaf.connect((HOST, served.port))
        deaf.sendall(b"GET /units/bench-1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await served.number_of_subscriptions(2)
        async with asyncio.timeout(DEADLINE_S):
            number = 0
            while len(served.bus._subscriptions) > 1:
                number += 1
                served.units["bench-1"].apply(FeatureKeyRemoved() if number % 2 else FeatureKeyInserted(SERIAL))
                await asyncio.sleep(0)
        deaf.close()
        assert await still_serves(served)


async def test_a_reader_that_hangs_up_leaves_nothing_behind() -> None:
    async with serving() as served:
        async with await listen(served.port, "/units/bench-1/events") as stream:
            await stream.until("synchronised")
            assert len(served.bus._subscriptions) == 2
        await served.number_of_subscriptions(1)
        served.units["bench-1"].apply(FeatureKeyRemoved())
        assert await still_serves(served)


async def test_requests_in_one_go_are_answered_in_their_order() -> None:
    async with serving() as served, await call(served.port) as caller:
        bodies = [b'{"id": %d}' % number for number in range(50)]
        await caller.send(b"".join(request("POST", "/units/bench-1/commands/power", body) for body in bodies))
        assert [(await caller.response()).json["id"] for _ in bodies] == list(range(50))
