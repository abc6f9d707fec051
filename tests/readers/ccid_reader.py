"""A GemPC Twin on a pseudo terminal: a reader by another maker's driver, Debian's own for CCID on serial lines.

CCID messages (USB CCID 1.1, 6.1 and 6.2) in the frames of serial readers: 03, 06, the message, and the exclusive or of
all of that. A terminal that does not echo would have to be told so; this reader sends each command back first, as the
real one does.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shutil
import socket
import struct
import threading
import tty
from functools import reduce
from operator import xor
from typing import Self

from tests.card.emulated_cards import EmulatedCard, InPieces
from tests.readers.pcscd import Card, Entry, directory
from tests.requirements import require_library

LIBRARY = "/usr/lib/pcsc/drivers/serial/libccidtwin.so"
FIRMWARE = b"bench reader 1.0"

SYNC = 0x03
ACK = 0x06
NAK_FRAME = bytes((0x03, 0x15, 0x16))
HEADER = struct.Struct("<BIBBBBB")
HEADER_BYTES = 10

ICC_POWER_ON, ICC_POWER_OFF, GET_SLOT_STATUS, XFR_BLOCK = 0x62, 0x63, 0x65, 0x6F
GET_PARAMETERS, SET_PARAMETERS, RESET_PARAMETERS, ESCAPE = 0x6C, 0x61, 0x6D, 0x6B
DATA_BLOCK, SLOT_STATUS, PARAMETERS, ESCAPE_ANSWER = 0x80, 0x81, 0x82, 0x83

ACTIVE, INACTIVE, ABSENT, FAILED = 0, 1, 2, 0x40
ICC_MUTE = 0xFE
# Fi/Di, convention, guard time, waiting time and clock stop of T=0.
T0_PARAMETERS = bytes((0x11, 0, 0, 0x0A, 0))


def with_t0(card: EmulatedCard) -> EmulatedCard:
    """The card as one that speaks T=0 alone, with its answers in pieces."""
    historical = card.atr[4:16]
    card.atr = bytes((0x3B, len(historical))) + historical
    return InPieces(card)


class CcidReader:
    """The reader; cards go in and out as in a `SimulatedReader`."""

    def __init__(self, name: str) -> None:
        require_library(LIBRARY)
        library = directory() / "libccidtwin.so"
        if not library.exists():  # the service does not see the system's drivers
            shutil.copy(LIBRARY, library)
        self.card: Card | None = None
        self.commands: list[int] = []
        self._powered = False
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self._path = directory() / "readers" / "ccid"
        self._path.symlink_to(os.ttyname(self._slave))
        self.entry = Entry(name, f"{self._path}:GemPCTwin", library)
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name=f"ccid reader {name}")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.close()
        self._thread.join()
        self._stopped.close()
        os.close(self._slave)
        os.close(self._master)
        self._path.unlink()

    def insert(self, card: Card) -> None:
        """Put a card in, without power."""
        self._powered = False
        self.card = card

    def remove(self) -> None:
        """Pull the card."""
        self.card = None

    def _serve(self) -> None:
        with contextlib.suppress(EOFError):
            while True:
                if self._read(1)[0] == SYNC:
                    self._take_frame()

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            ready, _, _ = select.select([self._master, self._stopped.fileno()], [], [])
            if self._stopped.fileno() in ready:
                raise EOFError
            data += os.read(self._master, count - len(data))
        return data

    def _take_frame(self) -> None:
        control, header = self._read(1), self._read(HEADER_BYTES)
        _, length, *_ = HEADER.unpack(header)
        body, check = self._read(length), self._read(1)
        message = header + body
        if reduce(xor, control + message + check, SYNC):
            os.write(self._master, NAK_FRAME)
            return
        self._send(message)
        self._send(self._answer(header, body))

    def _send(self, message: bytes) -> None:
        frame = bytes((SYNC, ACK)) + message
        os.write(self._master, frame + bytes((reduce(xor, frame),)))

    def _answer(self, header: bytes, body: bytes) -> bytes:
        kind, _, slot, sequence, *_ = HEADER.unpack(header)
        self.commands.append(kind)
        card = self.card

        def answer(answered: int, data: bytes = b"", failure: int = 0) -> bytes:
            status = ABSENT if card is None else ACTIVE if self._powered else INACTIVE
            status |= FAILED if failure else 0
            return HEADER.pack(answered, len(data), slot, sequence, status, failure, 0) + data

        match kind:
            case _ if kind == ESCAPE:
                return answer(ESCAPE_ANSWER, FIRMWARE if body[:1] == b"\x02" else b"\x00")
            case _ if kind == ICC_POWER_ON and card is not None:
                self._powered = True
                card.reset()
                return answer(DATA_BLOCK, card.atr)
            case _ if kind == ICC_POWER_OFF:
                self._powered = False
                return answer(SLOT_STATUS)
            case _ if kind in (GET_PARAMETERS, SET_PARAMETERS, RESET_PARAMETERS):
                return answer(PARAMETERS, body if kind == SET_PARAMETERS else T0_PARAMETERS)
            case _ if kind == XFR_BLOCK and card is not None and self._powered:
                return answer(DATA_BLOCK, card.transmit(body))
            case _ if kind in (ICC_POWER_ON, XFR_BLOCK):
                return answer(DATA_BLOCK, failure=ICC_MUTE)
        return answer(SLOT_STATUS)
