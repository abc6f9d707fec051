"""Processes that are measured: started here, looked at through /proc, and ended here. Linux only."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
# Debian keeps daemons where an ordinary user's PATH does not look.
_SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"))
_START_S = 10.0
_STOP_S = 10.0
# Characters of a dead process' output that an error quotes.
_LAST_WORDS = 2_000
_BARE = Path(__file__).with_name("bare.py")
_MOSQUITTO = "listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n"


class HarnessError(Exception):
    """The figures cannot be measured here; the text says why."""


class Process:
    """A child process."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._command = shlex.join(map(str, command))
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self.started = time.perf_counter()
        self._child = subprocess.Popen(
            command, env=_environment(), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def resident_kib(self) -> int:
        """Resident memory in KiB."""
        status = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

    def cpu_s(self) -> float:
        """Seconds of processor time so far, of all threads."""
        threads = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def check(self) -> None:
        """HarnessError with what it said, if it has ended."""
        if self._child.poll() is not None:
            self._log.seek(0)
            said = self._log.read().decode(errors="replace")
            raise HarnessError(f"process {self._command} ended: {said[-_LAST_WORDS:]}")

    def stop(self) -> None:
        """End it, by force if it takes too long."""
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._log.close()


def _environment() -> dict[str, str]:
    """As users have it: Python keeps the bytecode of what it has compiled."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@contextmanager
def running(command: Sequence[str | Path]) -> Iterator[Process]:
    """A child process for the time of the block."""
    process = Process(command)
    try:
        yield process
    except HarnessError:
        process.check()  # whoever waits in vain wants to know that there is nothing to wait for
        raise
    finally:
        process.stop()


@contextmanager
def mosquitto() -> Iterator[int]:
    """A broker that knows nothing yet; its port on loopback."""
    program = mosquitto_program()
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, "mosquitto.conf")
        configuration.write_text(_MOSQUITTO.format(port=port))
        with running([program, "-c", configuration]) as process:
            _wait_for(port, process)
            yield port


def mosquitto_program() -> str:
    """Where the broker is installed; HarnessError: it is not."""
    program = shutil.which("mosquitto", path=_SEARCH_PATH)
    if program is None:
        raise HarnessError("mosquitto is not installed: `make bench` as root does it, or `apt-get install mosquitto`")
    return program


def bare(port: int, *arguments: str | Path) -> list[str | Path]:
    """The command of the reference process."""
    return [sys.executable, _BARE, str(port), *arguments]


def ipo_sim(port: int, config: Path, state_dir: Path, *arguments: str) -> list[str | Path]:
    """The command of the daemon, as users type it."""
    program = Path(sys.executable).with_name("ipo-sim")
    if not program.exists():
        raise HarnessError(f"{program} is missing: `make bench` installs it")
    broker = f"mqtt://{HOST}:{port}"
    return [program, "run", config, "--broker", broker, "--state-dir", state_dir, "--log", "json", *arguments]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: Process) -> None:
    end = time.monotonic() + _START_S
    while True:
        process.check()
        try:
            socket.create_connection((HOST, port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise HarnessError("the broker does not answer") from None
            time.sleep(0.005)
        else:
            return
