"""What is on a card that is to be written, so that nobody loses what they did not mean to."""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.card import ndef
from ipo_sim.card.atr import Medium, medium_of
from ipo_sim.card.commands import BY_SFI, READER_CLASS, read_at, select
from ipo_sim.card.exchange import Conversation
from ipo_sim.card.layout import AID, FILE_SFI, MEMORY_BYTES, FkcContent, from_memory
from ipo_sim.card.memory import START, choose_card_type
from ipo_sim.card.unreadable import CardUnreadable

_FILE_BYTES = 0x100
_BLANK = frozenset({0x00, 0xFF})


class Occupant(NamedTuple):
    """What a card holds, in words; `public_key` is the card's own, if it says one."""

    text: str
    public_key: bytes | None = None


def occupant_of(atr: bytes) -> Conversation[Occupant | None]:
    """What is where FKC-1 would be; None: nothing, or no place for it. CardUnreadable: the card does not answer."""
    medium = medium_of(atr)
    if medium in START:
        yield from choose_card_type(medium)
        data = yield from read_at(READER_CLASS, START[medium], MEMORY_BYTES)
        return _in_memory(data or b"")
    if medium is Medium.TAG:
        area = yield from ndef.open_type_2()
        message = yield from ndef.whole_message(area)
        return _in_message(message)
    if (yield from select(AID)):
        data = yield from read_at(0, (BY_SFI | FILE_SFI) << 8, _FILE_BYTES)
        return _in_file(data or b"")
    file = yield from ndef.open_type_4()
    return _in_message((yield from ndef.message_of(file)))


def _in_memory(data: bytes) -> Occupant | None:
    if set(data) <= _BLANK:
        return None
    try:
        return Occupant(f"serial {from_memory(data)}")
    except CardUnreadable:
        return Occupant("something that is no feature key")


def _in_file(data: bytes) -> Occupant | None:
    if set(data) <= _BLANK:
        return None
    try:
        return _described(FkcContent.from_tlv(data))
    except CardUnreadable as error:
        return Occupant(f"a content that is not in order ({error})")


def _in_message(message: bytes) -> Occupant | None:
    if not message:
        return None
    try:
        content = ndef.content_of(message)
    except CardUnreadable as error:
        return Occupant(f"a content that is not in order ({error})")
    return Occupant("a message that is no feature key") if content is None else _described(content)


def _described(content: FkcContent) -> Occupant:
    signed = ", signed" if content.signature else ""
    return Occupant(f"serial {content.serial}{signed}", content.public_key)
