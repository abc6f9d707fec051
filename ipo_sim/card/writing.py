"""Writing an FKC-1 card: the file of a chip card, a memory card, a tag. What another layout holds is never touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ipo_sim.card import ndef
from ipo_sim.card.apdu import CommandApdu, ResponseApdu
from ipo_sim.card.atr import Medium, medium_of
from ipo_sim.card.commands import BY_SFI, READER_CLASS, UPDATE_BINARY, read_at, select
from ipo_sim.card.exchange import Conversation, exchange
from ipo_sim.card.kinds import Kind
from ipo_sim.card.layout import AID, FILE_SFI, FkcContent, to_memory
from ipo_sim.card.memory import START, choose_card_type
from ipo_sim.card.ndef import NdefFile
from ipo_sim.errors import IpoSimError

# The largest content has 165 bytes; every card takes a half of a short APDU at once.
_PIECE = 0x80
# 24C02 and smaller write 8 bytes at once, and begin the page anew beyond its end.
_MEMORY_PAGE = 8
_BLANK = 0xFF
# A whole file as we read it.
_FILE_BYTES = 0x100

# What readers have for SLE4442's Programmable Security Code, and how they say that it was right.
_PRESENT_CODE = 0x20
CODE_BYTES = 3
_RIGHT_CODE = (0x9007, 0x9000)
_WRONG_CODE = 0x90


class CardWriteError(IpoSimError):
    """A card that cannot be written, with the reason; what was on it may be gone."""

    code: ClassVar[str] = "card-write"


def write_card(atr: bytes, content: FkcContent, security_code: bytes | None = None) -> Conversation[Kind]:
    """Write the content, and say what kind of card it has made; CardWriteError, or CardUnreadable.

    `security_code` (3 bytes) is for SLE4442 alone: a wrong one costs one of three tries. A memory card holds the serial
    and nothing else of the content.
    """
    medium = medium_of(atr)
    if medium in START:
        yield from _write_memory(medium, content, security_code)
        return Kind.FKC_MEMORY
    if medium is Medium.TAG:
        yield from _write_type_2(ndef.encode(content))
        return Kind.FKC_TAG
    if (yield from select(AID)):
        yield from _write_chip(content.to_tlv())
        return Kind.FKC
    file = yield from ndef.open_type_4()
    if file is None:
        raise CardWriteError("the card has no FKC-1 application to write to, and is no NFC tag")
    yield from _write_type_4(file, ndef.encode(content))
    return Kind.FKC_TAG


def _write_chip(data: bytes) -> Conversation[None]:
    """What is longer than the new content is made blank, so that no old object stays behind it."""
    old = yield from read_at(0, (BY_SFI | FILE_SFI) << 8, _FILE_BYTES)
    data = data.ljust(len(old or b""), bytes((_BLANK,)))
    for offset, piece in _pieces(data, _PIECE):
        yield from _update(CommandApdu(0, UPDATE_BINARY, BY_SFI | FILE_SFI, offset, piece))


def _write_memory(medium: Medium, content: FkcContent, security_code: bytes | None) -> Conversation[None]:
    if content != FkcContent(content.serial):
        raise CardWriteError("a memory card holds a serial and nothing else: no variant, no signature")
    yield from choose_card_type(medium)
    if medium is Medium.SLE4442:
        yield from _present(security_code)
    for offset, piece in _pieces(to_memory(content.serial), _MEMORY_PAGE):
        address = START[medium] + offset
        yield from _update(CommandApdu(READER_CLASS, UPDATE_BINARY, *divmod(address, 0x100), piece))


def _present(security_code: bytes | None) -> Conversation[None]:
    if security_code is None:
        raise CardWriteError("an SLE4442 is written with its security code, FFFFFF as it leaves the factory")
    response = yield from exchange(CommandApdu(READER_CLASS, _PRESENT_CODE, data=security_code))
    if response.sw in _RIGHT_CODE:
        return
    if response.sw >> 8 == _WRONG_CODE:
        left = (response.sw & 0xFF).bit_count()
        raise CardWriteError(f"the security code is wrong; the card is locked for ever after {left} more wrong ones")
    raise _refused(response)


def _write_type_2(message: bytes) -> Conversation[None]:
    area = yield from ndef.open_type_2()
    if area is None:
        raise CardWriteError("the tag is not formatted for NDEF")
    if not area.writable:
        raise CardWriteError("the tag is locked")
    place = ndef.place_for_message(area.data)
    data = area.data[:place] + ndef.data_area(message)
    if len(data) > area.size:
        raise CardWriteError(f"the tag holds {area.size} bytes, the content needs {len(data)}")
    # The first page of the message comes last: a tag that is pulled away before holds no half message.
    pages = list(_pieces(data, ndef.PAGE_BYTES))
    first = place // ndef.PAGE_BYTES
    for offset, piece in (*pages[first + 1 :], pages[first]):
        page = ndef.DATA_PAGE + offset // ndef.PAGE_BYTES
        yield from _update(CommandApdu(READER_CLASS, UPDATE_BINARY, 0, page, piece.ljust(ndef.PAGE_BYTES, b"\0")))


def _write_type_4(file: NdefFile, message: bytes) -> Conversation[None]:
    """As the NFC Forum has it: the length is 0 while the message is being written."""
    if not file.writable:
        raise CardWriteError("the tag is locked")
    if 2 + len(message) > file.size:
        raise CardWriteError(f"the tag holds {file.size} bytes, the content needs {2 + len(message)}")
    yield from _update(CommandApdu(0, UPDATE_BINARY, data=bytes(2)))
    for offset, piece in _pieces(message, file.max_write):
        yield from _update(CommandApdu(0, UPDATE_BINARY, *divmod(2 + offset, 0x100), piece))
    yield from _update(CommandApdu(0, UPDATE_BINARY, data=len(message).to_bytes(2)))


def _pieces(data: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    return ((offset, data[offset : offset + size]) for offset in range(0, len(data), size))


def _update(command: CommandApdu) -> Conversation[None]:
    response = yield from exchange(command)
    if not response.ok:
        raise _refused(response)


_REFUSALS = {
    0x6982: "it wants a key or PIN first",
    0x6985: "it is locked",
    0x6A84: "its file is too small",
    0x6D00: "it cannot be written",
}


def _refused(response: ResponseApdu) -> CardWriteError:
    why = _REFUSALS.get(response.sw, "it is locked, or not meant to be written")
    return CardWriteError(f"the card refuses to be written with {response.sw:04X}: {why}")
