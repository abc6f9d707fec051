"""The client over HTTP: what only that way has, with daemons that go, stall, refuse, or are none."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ipo_sim.client import AsyncClient
from ipo_sim.core.events import FeatureKeyRemoved
from ipo_sim.errors import BrokerError, CommandRejected
from ipo_sim.testing.place import HttpUnderTest
from ipo_sim.testing.unit import SimulatedUnit
from tests.mqtt.world import Registry
from tests.panel.served import DEADLINE_S, HOST, TOKEN, serving


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port


@asynccontextmanager
async def saying(*answers: bytes) -> AsyncIterator[str]:
    """A server that says the same to everybody, and then nothing."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        await reader.read()

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def json_answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def test_state_is_there_when_the_answer_is(ipo_unit: SimulatedUnit, ipo_http: HttpUnderTest) -> None:
    async with AsyncClient(ipo_http.url, timeout=20) as client:
        unit = await client.unit("bench-1")
        for _ in range(30):
            await unit.remove_card()
            assert unit.feature_key.presence == "absent"
            await unit.insert_card()
            assert unit.feature_key.presence == "present"
        seq = (await unit.remove_card())["seq"]
        await unit.advance("2h")
        await unit.rewind(seq=seq - 1)
        assert unit.state == "running"
        assert unit.alarm(40) is None


async def test_a_daemon_that_goes_and_comes_back() -> None:
    port = free_port()
    async with serving(port=port) as first:
        client = AsyncClient(f"http://{HOST}:{port}/", timeout=40)
        await client.__aenter__()
        unit = await client.unit("bench-1")
        assert unit.online
        first.units["bench-1"].apply(FeatureKeyRemoved())
        await unit.wait_for("alarms/40-feature-key", within=DEADLINE_S)
    await unit.wait_offline(within=DEADLINE_S)
    assert not client.connected
    asked = asyncio.create_task(client.request("bench-1", "power", {"on": True}))
    async with serving(port=port) as served:
        await unit.wait_online(within=DEADLINE_S)
        await unit.wait_gone("alarms/40-feature-key", within=DEADLINE_S)
        assert (await asked)["seq"] == 1
        assert [call[:3] for call in served.registry.asked] == [("bench-1", "power", {"on": True})]
        await client.__aexit__()


async def test_without_reconnection_it_is_told_at_once() -> None:
    async with serving() as first:
        client = AsyncClient(f"http://{HOST}:{first.port}", timeout=20, reconnect=False)
        await client.__aenter__()
        unit = await client.unit("bench-1")
    await unit.wait_offline(within=DEADLINE_S)
    outcome = await unit.attempt("power")
    assert (outcome.code, outcome.message) == ("broker", f"http://{HOST}:{first.port}: the daemon has ended")
    await client.__aexit__()


async def test_a_token() -> None:
    async with serving(token=TOKEN) as served:
        url = f"http://{HOST}:{served.port}"
        with pytest.raises(BrokerError, match="a token is wanted"):
            await AsyncClient(url).__aenter__()
        for client in (AsyncClient(url, password=TOKEN), AsyncClient(f"http://:{TOKEN}@{HOST}:{served.port}")):
            async with client:
                assert await client.units() == {"bench-1": True}
        with pytest.raises(BrokerError) as refused:
            await AsyncClient(f"http://:{TOKEN}x@{HOST}:{served.port}").__aenter__()
        assert TOKEN not in str(refused.value)


async def test_nobody_there() -> None:
    with pytest.raises(BrokerError, match=r"http://127\.0\.0\.1:1: .*\(does a daemon run\?"):
        await AsyncClient("http://127.0.0.1:1").__aenter__()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", "it says 404 Not Found, which no daemon does"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
            "it says 302 Found, which no daemon does",
        ),
        (json_answer(b"{"), "it says no JSON, which no daemon does"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "it says no HTTP, which no daemon does"),
        (b"", "no answer within 0.2 s"),
    ],
    ids=["404", "redirection", "no-json", "no-http", "nothing"],
)
async def test_somebody_else_there(answer: bytes, told: str) -> None:
    async with saying(answer) as url:
        with pytest.raises(BrokerError) as refused:
            await AsyncClient(url, timeout=0.2 if not answer else 20).__aenter__()
    assert told in str(refused.value)
    assert str(refused.value).startswith(f"{url}: ")


async def test_a_command_that_is_not_answered() -> None:
    never = asyncio.Event()

    class Silent(Registry):
        async def __call__(self, *_: object, **__: object) -> dict[str, object]:
            await never.wait()
            return {}

    async with serving(registry=Silent()) as served:
        async with AsyncClient(f"http://{HOST}:{served.port}", timeout=0.2) as client:
            with pytest.raises(CommandRejected, match=r"unit bench-1 does not answer within 0\.2 s"):
                await client.request("bench-1", "power", {})
        never.set()


async def test_units_of_more_than_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipo_sim.panel.documents.MAX_PAGE", 2)
    names = [f"unit-{number}" for number in range(5)]
    async with serving(*names, boot=False) as served, AsyncClient(f"http://{HOST}:{served.port}") as client:
        assert await client.units() == dict.fromkeys(names, True)


def test_without_the_extra_it_is_named() -> None:
    code = (
        "import sys, asyncio; sys.modules['aiohttp'] = None; from ipo_sim.client import AsyncClient\n"
        "asyncio.run(AsyncClient('http://127.0.0.1:1').__aenter__())"
    )
    said = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True).stderr
    assert said.splitlines()[-1] == (
        "ipo_sim.errors.ConfigError: http://127.0.0.1:1: HTTP needs aiohttp: install the extra `http`, "
        "pip install 'ipo-sim[http]'"
    )
