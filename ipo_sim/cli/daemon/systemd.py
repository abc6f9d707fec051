"""Tells systemd, or whoever else set NOTIFY_SOCKET, how the daemon is: ready, alive, stopping. See sd_notify(3)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Self

import structlog

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
ALIVE: Final = "WATCHDOG=1"

# systemd wants a sign within WATCHDOG_USEC; half of that leaves room for a busy machine.
_SIGNS_IN_TIME = 2
_MICROSECONDS = 1_000_000

log = structlog.get_logger()


class Systemd:
    """A service of the daemon that says READY once `until_ready` has returned, then lives, and says STOPPING.

    The signs of life come out of the event loop in which all units run: one that stands still is noticed.
    """

    name = "systemd"

    def __init__(
        self, address: str, watchdog_s: float | None, until_ready: Callable[[], Awaitable[None]], status: str
    ) -> None:
        # A name that begins with @ is one of Linux's abstract ones.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._pause_s = None if watchdog_s is None else watchdog_s / _SIGNS_IN_TIME
        self._until_ready = until_ready
        self._status = status

    @classmethod
    def of(cls, environment: Mapping[str, str], until_ready: Callable[[], Awaitable[None]], status: str) -> Self | None:
        """The service that the environment asks for; None: nobody listens. `status`: a line for `systemctl status`."""
        address = environment.get("NOTIFY_SOCKET", "")
        if not address:
            return None
        if address[0] not in "/@":
            log.warning("notify_socket_unusable", address=address, allowed="/PATH or @NAME")
            return None
        return cls(address, _watchdog_s(environment), until_ready, status)

    async def run(self) -> None:
        """Serve until cancelled."""
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)) as out:
            out.settimeout(0)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._live(out), name="signs of life")
                    await self._until_ready()
                    self._tell(out, f"{READY}\nSTATUS={self._status}")
            finally:
                self._tell(out, STOPPING)

    async def _live(self, out: socket.socket) -> None:
        while self._pause_s is not None:
            self._tell(out, ALIVE)
            await asyncio.sleep(self._pause_s)
        await asyncio.Event().wait()  # nobody wants signs: until cancelled

    def _tell(self, out: socket.socket, state: str) -> None:
        try:
            out.sendto(state.encode(), self._address)
        except OSError as error:  # who does not listen any more must not stop the units
            log.debug("systemd_not_told", state=state, error=str(error))


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """How soon a sign of life is wanted, in seconds; None: none is wanted, or not of this process."""
    try:
        limit = int(environment.get("WATCHDOG_USEC", "0"))
        process = int(environment.get("WATCHDOG_PID") or os.getpid())
    except ValueError:
        return None
    return limit / _MICROSECONDS if limit > 0 and process == os.getpid() else None
