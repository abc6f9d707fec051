"""The server's life: a port that it gets or says why not, and an end that nobody is cut off by."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import pytest

from ipo_sim.api.encoder import Encoder
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import FeatureKeyRemoved
from ipo_sim.errors import HttpError
from ipo_sim.panel.server import ControlServer
from ipo_sim.panel.settings import HttpSettings
from ipo_sim.runtime.bus import Bus
from ipo_sim.runtime.supervisor import Stoppable
from tests.mqtt.world import Registry
from tests.panel.served import DEADLINE_S, HOST, TOKEN, call, listen, serving


def server_on(port: int, host: str = HOST) -> ControlServer:
    bus = Bus()
    token = None if host == HOST else TOKEN
    settings = HttpSettings(port, host, token)
    return ControlServer(settings, bus, Encoder(bus, load_catalogue()), Registry(), lambda _: 0)


async def test_a_taken_port_is_said_to_be_taken() -> None:
    async with serving() as served:
        with pytest.raises(HttpError, match=rf"http http://127\.0\.0\.1:{served.port}: Address already in use; --http"):
            await server_on(served.port).__aenter__()


async def test_an_address_of_somebody_else() -> None:
    with pytest.raises(HttpError, match=r"http http://192\.0\.2\.1:8080: Cannot assign requested address"):
        await server_on(8080, "192.0.2.1").__aenter__()


async def test_it_is_bound_before_it_serves_and_gives_the_port_back() -> None:
    server = server_on(0)
    assert isinstance(server, Stoppable)
    async with server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        with socket.create_connection((HOST, server.port)):
            pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, server.port))


async def test_streams_end_with_a_word_and_idle_connections_without() -> None:
    async with serving() as served:
        idle = await call(served.port)
        assert (await idle.ask("GET", "/units")).status == 200
        stream = await listen(served.port, "/units/bench-1/events")
        await stream.until("synchronised")
        served.units["bench-1"].apply(FeatureKeyRemoved())
    told = await stream.until("end")
    assert "event" in [item.event for item in told]  # what happened before the end is told before it
    with pytest.raises(EOFError):
        await stream.next()
    assert await idle.ended() == b""
    await stream.__aexit__()
    await idle.__aexit__()


async def test_whoever_stalls_does_not_hold_up_the_end() -> None:
    async with serving() as served:
        stalled = await call(served.port)
        await stalled.send(b"POST /units/bench-1/commands/power HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n")
        await stalled.send(b"Content-Type: application/json\r\n\r\n{")
        await asyncio.sleep(0)
    async with asyncio.timeout(DEADLINE_S):
        assert b" 200 " not in await stalled.ended()
    assert served.registry.asked == []
    await stalled.__aexit__()


async def test_cancelling_it_ends_it_too() -> None:
    async with server_on(0) as server:
        task = asyncio.create_task(server.run())
        await asyncio.sleep(0)
        async with await call(server.port) as caller:
            assert (await caller.ask("GET", "/units")).status == 200
            task.cancel()
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(outcome, asyncio.CancelledError)


def test_its_library_is_loaded_by_nobody_else() -> None:
    code = (
        "import sys, ipo_sim.cli.daemon.composition, ipo_sim.cli.daemon.control_api, ipo_sim.mqtt.plan,"
        " ipo_sim.client.asynchronous, ipo_sim.panel.schema; print('aiohttp' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.strip() == "False"
