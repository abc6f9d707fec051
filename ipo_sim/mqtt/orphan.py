"""A server that a killed daemon left behind: found by its pid file, known by its command line, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from pathlib import Path

import structlog

from ipo_sim.errors import BrokerError

# The kernel ends a tethered server within milliseconds; an untethered one gets time to close its store.
PATIENCE_S = 5.0
_POLL_S = 0.02

log = structlog.get_logger()


async def end_orphan(pid_file: Path, mark: str) -> None:
    """End the process named in `pid_file` if `mark` is one of its arguments; BrokerError when it will not go.

    Where the command line of another process cannot be read (Windows), nothing is ended.
    """
    pid = _pid(pid_file)
    if pid is None:
        return
    for sign in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        if mark not in _arguments(pid):
            return
        log.warning("broker_orphan", pid=pid, signal=sign.name)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while mark in _arguments(pid):  # noqa: ASYNC110 - nobody tells of a process that is no child
                    await asyncio.sleep(_POLL_S)
    if mark in _arguments(pid):
        raise BrokerError(f"embedded broker: process {pid} of an earlier run does not end")


def _pid(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None


def _arguments(pid: int) -> list[str]:
    """The command line of a process; empty when it is gone, a zombie, or not to be seen."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    except OSError:
        if os.name != "posix" or Path("/proc/self").exists():
            return []
    command = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed, on PATH
    return shown.stdout.split()
