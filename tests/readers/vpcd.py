"""A reader by vsmartcard: its driver listens on TCP, on all interfaces, and so in a network namespace of its own.

Messages both ways are a 2-byte big-endian length and so many bytes. One byte is a word to the card: 0 power off,
1 power on, 2 reset, 4 what is your ATR; all else is a command APDU, which is answered.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import socket
import struct
import threading
from pathlib import Path

from tests.readers.pcscd import Card, Entry, Pcscd, directory
from tests.requirements import require_library

LIBRARY = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
PORT = 0x8C7B
ATR = 4

# Linux: sched.h and linux/sockios.h.
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
IFF_UP = 1


def entry(name: str) -> Entry:
    """The driver's reader; pcscd numbers its two slots."""
    require_library(LIBRARY)
    library = directory() / "libifdvpcd.so"
    if not library.exists():  # the service does not see the system's drivers
        shutil.copy(LIBRARY, library)
    return Entry(name, f"/dev/null:0x{PORT:X}", library)


class VpcdCard:
    """A card in the first slot of the driver in a service's network, from `insert` to `remove`."""

    def __init__(self, service: Pcscd) -> None:
        self._network = Path(f"/proc/{service.pid}/ns/net")
        self._connection: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def insert(self, card: Card) -> None:
        """Connect to the driver, and answer for this card."""
        self._connection = _connect_in(self._network)
        self._thread = threading.Thread(target=_serve, args=(self._connection, card), name="vpcd card")
        self._thread.start()

    def remove(self) -> None:
        """Hang up; nothing without a card."""
        if self._connection is None:
            return
        assert self._thread is not None
        with contextlib.suppress(OSError):  # the service was ended
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._connection.close()
        self._connection = None


def _serve(connection: socket.socket, card: Card) -> None:
    with connection.makefile("rb") as messages, contextlib.suppress(ConnectionError, BrokenPipeError):
        while header := messages.read(2):
            message = messages.read(int.from_bytes(header, "big"))
            if message == bytes((ATR,)):
                answer = card.atr
            elif len(message) == 1:
                card.reset()
                continue
            else:
                answer = card.transmit(message)
            connection.sendall(len(answer).to_bytes(2, "big") + answer)


def _connect_in(network: Path) -> socket.socket:
    """A connection to the driver, made by a thread that enters that network and ends; the socket stays in it."""
    made: list[socket.socket | OSError] = []

    def work() -> None:
        try:
            _enter(network)
            _switch_on("lo")
            made.append(socket.create_connection(("127.0.0.1", PORT), 10))
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=work, name="vpcd network")
    thread.start()
    thread.join()
    (found,) = made
    if isinstance(found, OSError):
        raise found
    found.settimeout(None)
    return found


def _enter(network: Path) -> None:
    with network.open("rb") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _switch_on(interface: str) -> None:
    """A new network has its loopback interface switched off."""
    request = struct.Struct("16sh")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = fcntl.ioctl(any_socket, SIOCGIFFLAGS, request.pack(interface.encode(), 0).ljust(40, b"\0"))
        flags = request.unpack_from(asked)[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request.pack(interface.encode(), flags | IFF_UP).ljust(40, b"\0"))
