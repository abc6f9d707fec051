"""Real brokers on loopback for tests: Debian's mosquitto and the embedded one, killed and hung as a test likes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ipo_sim.mqtt.broker import EmbeddedBroker
from tests.requirements import require

HOST = "127.0.0.1"

# A loaded machine may take its time; a test that waits longer has failed.
DEADLINE_S = 15.0

MOSQUITTO = """\
user root
listener {port} 127.0.0.1
set_tcp_nodelay true
max_queued_messages 0
persistence true
persistence_location {directory}/
"""


class Broker(Protocol):
    """A broker that can be ended by force and started again on the same port, with what it retained."""

    @property
    def port(self) -> int: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def kill(self) -> None: ...

    async def persisted(self, topic: str) -> None: ...

    def hang(self) -> None: ...

    def resume(self) -> None: ...


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what nobody tells of, a turn of the loop at a time."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0)


async def accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


class Mosquitto:
    """The reference broker. `extra` goes into its configuration; without it everybody may connect."""

    def __init__(self, directory: Path, extra: str = "allow_anonymous true\n") -> None:
        self.port = free_port()
        self._program = require("mosquitto")
        self._configuration = directory / "mosquitto.conf"
        self._configuration.write_text(MOSQUITTO.format(port=self.port, directory=directory) + extra)
        self._database = directory / "mosquitto.db"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        command = (str(self._program), "-c", str(self._configuration))
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=quiet, stderr=quiet)
        async with asyncio.timeout(DEADLINE_S):
            while not await accepts(self.port):
                assert self._process.returncode is None, "mosquitto ended at once"

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def persisted(self, topic: str) -> None:
        """Have a retained topic written to disk, where it outlives a killed broker."""
        self._signal(signal.SIGUSR1)
        async with asyncio.timeout(DEADLINE_S):
            while not self._database.exists() or topic.encode() not in self._database.read_bytes():
                await accepts(self.port)

    def hang(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self.resume()
            self._signal(number)
            await self._process.wait()
            self._process = None


class Nats:
    """The embedded broker, unwatched, so that a test decides when it comes back."""

    def __init__(self, directory: Path) -> None:
        self.broker = EmbeddedBroker(directory / "broker", port=free_port())

    @property
    def port(self) -> int:
        return self.broker.port

    async def start(self) -> None:
        await self.broker.start()

    async def stop(self) -> None:
        self.resume()
        await self.broker.stop()

    async def kill(self) -> None:
        process = self.broker._process
        self._signal(signal.SIGKILL)
        if process is not None:
            await process.wait()
        await self.broker.stop()

    async def persisted(self, topic: str) -> None:
        """Nothing to wait for: what it has acknowledged is in its files."""

    def hang(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.broker.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.broker.pid, number)
