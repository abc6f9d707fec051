"""A card in QEMU's card reader: the far end of `ccid-card-passthru`, which speaks libcacard's vscard protocol."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path
from typing import Self

from tests.readers.pcscd import Card

# Kind, reader, length of what follows; all in network byte order.
_HEADER = struct.Struct(">III")
_INIT, _READER_ADD, _ATR, _CARD_REMOVE, _APDU = 1, 3, 5, 6, 7
_ANY_READER = 0xFFFFFFFF
_MAGIC, _VERSION = b"VSCD", 2


class CardEdge:
    """The slot of a reader. Commands to the card are answered in a thread of its own."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._card: Card | None = None
        self._thread = threading.Thread(target=self._serve, name="card edge")
        self._thread.start()
        self._send(_INIT, _ANY_READER, _MAGIC + struct.pack(">II", _VERSION, 0))
        self._send(_READER_ADD, _ANY_READER, b"slot\0")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def insert(self, card: Card) -> None:
        """Put a card in."""
        card.reset()
        self._card = card
        self._send(_ATR, 0, card.atr)

    def remove(self) -> None:
        """Take it out."""
        self._send(_CARD_REMOVE, 0)
        self._card = None

    def _serve(self) -> None:
        while header := self._receive(_HEADER.size):
            kind, reader, length = _HEADER.unpack(header)
            content = self._receive(length)
            if kind == _APDU and self._card is not None:
                self._send(_APDU, reader, self._card.transmit(content))

    def _receive(self, length: int) -> bytes:
        """So many bytes; none when the reader is gone."""
        try:
            return self._socket.recv(length, socket.MSG_WAITALL) if length else b""
        except OSError:
            return b""

    def _send(self, kind: int, reader: int, content: bytes = b"") -> None:
        self._socket.sendall(_HEADER.pack(kind, reader, len(content)) + content)
