"""The bytes below a serial reader, and where they come from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from ipo_sim.errors import ReaderError

# A line of FKC/1 has at most 120 bytes; more than some lines at once come only from a flood.
CHUNK = 4096

_SOCKET_SCHEME = "socket"
_SERIAL_SCHEME = "serial"


class Port(Protocol):
    """An open line to a reader. One task at a time reads."""

    async def read(self) -> bytes:
        """Bytes as they come, 1 to `CHUNK`; ReaderError: the line is dead."""
        ...

    def write(self, data: bytes) -> None:
        """Send what there is room for. The rest is lost as on any wire, and a dead line is found by `read`."""

    async def close(self) -> None:
        """Give the line back at once, sent or not; never fails."""


Opener = Callable[[], Awaitable[Port]]


class TtyAddress(NamedTuple):
    """A serial device of this machine."""

    path: str


class SocketAddress(NamedTuple):
    """A reader, or a bridge to one, that listens on TCP."""

    host: str
    port: int


Address = TtyAddress | SocketAddress


def parse_address(text: str) -> Address:
    """`/dev/fkc0`, `serial:///dev/fkc0` or `socket://host:port`; ReaderError for anything else."""
    try:
        url = urlsplit(text)
        if url.scheme == _SOCKET_SCHEME and url.hostname and url.port and not url.path.strip("/"):
            return SocketAddress(url.hostname, url.port)
        if url.scheme in ("", _SERIAL_SCHEME) and not url.netloc and url.path.startswith("/"):
            return TtyAddress(url.path)
    except ValueError:  # a port that is no number, brackets that do not close
        pass
    raise ReaderError(f"expected /dev/..., serial:///dev/... or socket://host:port, got {text!r}")
