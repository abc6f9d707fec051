"""A command's connection to the daemon of a unit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ipo_sim.cli.discovery import Target
from ipo_sim.cli.failure import UsageError
from ipo_sim.client.connecting import connection_to
from ipo_sim.client.connection import Connection


@asynccontextmanager
async def connected(target: Target) -> AsyncIterator[Connection]:
    """A connection for the time of the block; BrokerError says what may be wrong."""
    connection = connection_to(target.address, target.timeout_s, program="ctl")
    await connection.open(target.hint)
    try:
        yield connection
    finally:
        await connection.close()


def check_unit(name: str) -> None:
    """UsageError for what can be the name of no unit, and would be somebody else's topic."""
    if not name or any(mark in name for mark in "/+#"):
        raise UsageError(f"{name!r} is no name of a unit")
