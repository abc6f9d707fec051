"""What the daemon tells systemd: over a real datagram socket, from the service alone and from a real process."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipo_sim.cli.daemon.systemd import Systemd
from tests.cli.daemons import DEADLINE_S, Daemon
from tests.readers.links import running

SECOND_US = 1_000_000


class Listener:
    """A service manager that only listens. `address` is what NOTIFY_SOCKET says."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self.socket.settimeout(0)

    async def heard(self) -> list[str]:
        """The lines of the next datagram."""
        async with asyncio.timeout(DEADLINE_S):
            return (await asyncio.get_running_loop().sock_recv(self.socket, 4096)).decode().splitlines()

    async def until(self, line: str) -> list[str]:
        """The datagram that has this line, after any signs of life."""
        while line not in (lines := await self.heard()):
            assert lines == ["WATCHDOG=1"], lines
        return lines

    def next(self) -> list[str]:
        """The same without an event loop."""
        assert select.select([self.socket], [], [], DEADLINE_S)[0]
        return self.socket.recv(4096).decode().splitlines()


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Listener]:
    path = tmp_path / "notify"
    made = Listener(str(path) if request.param == "path" else f"@{path}")
    with made.socket:
        yield made


async def at_once() -> None:
    """Ready."""


def service(address: str, **environment: object) -> Systemd:
    given = {"NOTIFY_SOCKET": address, **{name: str(value) for name, value in environment.items()}}
    made = Systemd.of(given, at_once, "2 units")
    assert made is not None
    return made


async def test_ready_and_stopping(listener: Listener) -> None:
    async with running(service(listener.address).run()):
        assert await listener.heard() == ["READY=1", "STATUS=2 units"]
    assert await listener.heard() == ["STOPPING=1"]


async def test_ready_is_said_when_it_is_and_signs_of_life_come_all_the_time(listener: Listener) -> None:
    ready = asyncio.Event()

    async def until_ready() -> None:
        await ready.wait()

    environment = {"NOTIFY_SOCKET": listener.address, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": str(os.getpid())}
    made = Systemd.of(environment, until_ready, "1 unit")
    assert made is not None
    async with running(made.run()):
        for _ in range(3):
            assert await listener.heard() == ["WATCHDOG=1"]
        ready.set()
        await listener.until("READY=1")
        for _ in range(3):
            assert await listener.heard() == ["WATCHDOG=1"]
    await listener.until("STOPPING=1")


@pytest.mark.parametrize(
    "watchdog",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": SECOND_US, "WATCHDOG_PID": 1}],
    ids=["none", "never", "no number", "of another process"],
)
async def test_no_signs_of_life_when_nobody_wants_them(listener: Listener, watchdog: dict[str, object]) -> None:
    async with running(service(listener.address, **watchdog).run()):
        assert "READY=1" in await listener.heard()
    assert await listener.heard() == ["STOPPING=1"]


@pytest.mark.parametrize("address", ["", "vsock:2:9999", "notify"])
def test_an_address_that_nobody_listens_at_asks_for_no_service(address: str) -> None:
    assert Systemd.of({"NOTIFY_SOCKET": address}, at_once, "") is None


async def test_who_has_gone_deaf_and_hears_again_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    deaf, hearing = Listener(str(path)), None
    with deaf.socket:
        async with running(service(deaf.address, WATCHDOG_USEC=2000).run()):
            assert "READY=1" in await deaf.heard()
            deaf.socket.close()
            path.unlink()
            hearing = Listener(deaf.address)
            with hearing.socket:
                assert await hearing.heard() == ["WATCHDOG=1"]


@pytest.mark.slow
def test_a_real_daemon_is_ready_alive_and_stops(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", listener.address)
    monkeypatch.setenv("WATCHDOG_USEC", str(SECOND_US))
    with Daemon(tmp_path / "state") as daemon:
        heard = [listener.next()]
        while heard[-1][0] != "READY=1":
            heard.append(listener.next())
        assert heard[-1][1].startswith("STATUS=1 unit on mqtt://127.0.0.1:")
        assert heard[:-1] == [["WATCHDOG=1"]] * (len(heard) - 1)
        assert listener.next() == listener.next() == ["WATCHDOG=1"]
        daemon.process.send_signal(signal.SIGTERM)
        while listener.next() != ["STOPPING=1"]:
            pass
        assert daemon.wait() == 0


@pytest.mark.slow
def test_a_daemon_that_stands_still_gives_no_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", listener.address)
    monkeypatch.setenv("WATCHDOG_USEC", str(SECOND_US))
    with listener.socket, Daemon(tmp_path / "state") as daemon:
        while listener.next()[0] != "READY=1":
            pass
        daemon.process.send_signal(signal.SIGSTOP)
        while select.select([listener.socket], [], [], 0)[0]:
            listener.next()
        assert not select.select([listener.socket], [], [], 2.0)[0], "four signs are due"
        daemon.process.send_signal(signal.SIGCONT)
        assert listener.next() == ["WATCHDOG=1"]
        daemon.stop()
