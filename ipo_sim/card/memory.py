"""FKC-1 on memory cards, which a PC/SC reader reads and writes by commands of its own."""

from __future__ import annotations

from ipo_sim.card.apdu import CommandApdu
from ipo_sim.card.atr import Medium
from ipo_sim.card.commands import READER_CLASS, SELECT, read_at
from ipo_sim.card.exchange import Conversation, exchange
from ipo_sim.card.layout import MEMORY_BYTES, from_memory
from ipo_sim.card.unreadable import no_access

# Where our bytes begin: an SLE4442 has its manufacturer's data, some of them unchangeable, in the first 32.
START = {Medium.I2C: 0x00, Medium.SLE4442: 0x20}
# How readers of the ACR38 family are told which bus to speak; others find out by themselves and refuse this.
_CARD_TYPE = {Medium.I2C: b"\x01", Medium.SLE4442: b"\x06"}


def choose_card_type(medium: Medium) -> Conversation[None]:
    """Tell the reader which bus the card has; one that refuses knows it already."""
    yield from exchange(CommandApdu(READER_CLASS, SELECT, data=_CARD_TYPE[medium]))


def read_memory(medium: Medium) -> Conversation[str]:
    """The serial on a memory card; CardUnreadable when the reader cannot read it, or it holds none."""
    yield from choose_card_type(medium)
    data = yield from read_at(READER_CLASS, START[medium], MEMORY_BYTES)
    if data is None:
        raise no_access(f"the reader cannot read the {medium.value}")
    return from_memory(data)
