"""The few commands that this room sends, by ISO/IEC 7816-4 and, for the reader itself, PC/SC part 3."""

from __future__ import annotations

from ipo_sim.card.apdu import MAX_LE, CommandApdu
from ipo_sim.card.exchange import Conversation, exchange

SELECT, INTERNAL_AUTHENTICATE, READ_BINARY, GET_DATA, GET_DATA_ODD, UPDATE_BINARY = 0xA4, 0x88, 0xB0, 0xCA, 0xCB, 0xD6
# Commands of this class are for the reader, which does with the card what its bus wants.
READER_CLASS = 0xFF
# READ BINARY and UPDATE BINARY of a file by its short name.
BY_SFI = 0x80

BY_NAME = 0x04
FIRST = 0x00
NO_DATA = 0x0C
CHILD_FILE = 0x02


def select(name: bytes) -> Conversation[bool]:
    """Select an application by its name; whether the card has it."""
    response = yield from exchange(CommandApdu(0, SELECT, BY_NAME, FIRST, name, le=MAX_LE))
    return response.ok


def read_at(cla: int, offset: int, size: int) -> Conversation[bytes | None]:
    """At most `size` bytes of the current file or memory from `offset` on; None when the card refuses."""
    response = yield from exchange(CommandApdu(cla, READ_BINARY, *divmod(offset, 0x100), le=size))
    return response.data if response.ok else None
