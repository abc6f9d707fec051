"""Which of the PC/SC readers of a machine a unit uses, and that no other unit does."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Sequence
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Self

from ipo_sim.errors import ReaderError

# By this pcsc-lite finds a pcscd other than the machine's own; readers of two of them are two readers.
_SERVICE_VARIABLE = "PCSCLITE_CSOCK_NAME"
# struct ucred of Linux: process, user and group.
_CREDENTIALS = struct.Struct("3i")


def matching(pattern: str, names: Sequence[str]) -> list[str]:
    """The readers that `pattern` means, by name: one that is called so, else those that contain it or fit its `*`.

    Case does not matter. Names have brackets, so only `*` and `?` stand for other characters.
    """
    if pattern in names:
        return [pattern]
    wanted = pattern.casefold()
    glob = f"*{wanted.replace('[', '[[]')}*"
    return sorted(name for name in names if fnmatchcase(name.casefold(), glob))


def none_fits(pattern: str, names: Sequence[str]) -> str:
    """Says that no reader fits, and which there are."""
    if not names:
        return "no PC/SC reader is there" + ("" if pattern == "*" else f", let alone one that fits {pattern!r}")
    return f"no PC/SC reader fits {pattern!r}; there are: {', '.join(sorted(names))}"


class Claim:
    """Holds a reader against every other unit of this machine; ReaderError names the process that has it.

    PC/SC would share it, and two units would take a card that is one. It is held by a socket without a file: it ends
    with its process, however that ends, and it works across users.
    """

    def __init__(self, reader: str) -> None:
        service = os.environ.get(_SERVICE_VARIABLE, "")
        name = sha256(f"{service}\n{reader}".encode()).hexdigest()[:32]
        self._address = f"\0ipo-sim/pcsc/{name}"
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.bind(self._address)
            self._socket.listen(1)
        except OSError as error:
            self._socket.close()
            raise ReaderError(f"{reader} serves another unit already{self._holder()}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _holder(self) -> str:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(0)
            asking.connect(self._address)
            answer = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            process, _, _ = _CREDENTIALS.unpack(answer)
            return ": this daemon's own" if process == os.getpid() else f": that of process {process}"
        return ""
