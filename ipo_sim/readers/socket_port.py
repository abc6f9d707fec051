"""A port over TCP."""

from __future__ import annotations

import asyncio
import contextlib

from ipo_sim.errors import ReaderError
from ipo_sim.readers.port import CHUNK

# A peer that takes nothing for this long a backlog does not listen; commands are below 30 bytes.
MAX_BACKLOG = 4096


class SocketPort:
    """An open connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """See `Port.read`."""
        try:
            data = await self._reader.read(CHUNK)
        except OSError as error:
            raise ReaderError(f"connection lost: {error.strerror or error}") from error
        if not data:
            raise ReaderError("the peer hung up")
        return data

    def write(self, data: bytes) -> None:
        """See `Port.write`."""
        if self._writer.transport.get_write_buffer_size() + len(data) <= MAX_BACKLOG:
            self._writer.write(data)

    async def close(self) -> None:
        """See `Port.close`."""
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def open_socket(host: str, port: int) -> SocketPort:
    """Connect; ReaderError when nobody listens there."""
    try:
        reader, writer = await asyncio.open_connection(host, port, limit=CHUNK)
    except OSError as error:
        raise ReaderError(f"cannot connect to {host} port {port}: {error.strerror or error}") from error
    connection = SocketPort(reader, writer)
    # Asked often enough for a local port that nobody has, TCP connects us to ourselves, and blocks the reader's port.
    if writer.get_extra_info("sockname") == writer.get_extra_info("peername"):
        await connection.close()
        raise ReaderError(f"cannot connect to {host} port {port}: nobody listens")
    return connection
