"""FKC-1 on NFC tags: an NDEF message with a record of the external type `fkc:1`, on tags of type 2 and type 4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ipo_sim.card.apdu import CommandApdu
from ipo_sim.card.commands import NO_DATA, READER_CLASS, SELECT, read_at, select
from ipo_sim.card.exchange import Conversation, exchange
from ipo_sim.card.layout import FkcContent
from ipo_sim.card.unreadable import invalid

TYPE_NAME = b"fkc:1"

# NFC Forum NDEF 1.0, 3.2: flags and Type Name Format in the first byte of a record.
_MESSAGE_BEGIN, _MESSAGE_END, _CHUNKED, _SHORT, _HAS_ID = 0x80, 0x40, 0x20, 0x10, 0x08
_TNF = 0x07
_EXTERNAL = 4
# Our record has less than 200 bytes; a tag can carry others beside it.
MAX_MESSAGE = 1024
MAX_RECORDS = 16

# Type 2 Tag: pages of 4 bytes, the capability container in page 3, data objects from page 4 on.
PAGE_BYTES = 4
CONTAINER_PAGE = 3
DATA_PAGE = 4
_PAGES_READ = 4
_CONTAINER_MAGIC = 0xE1
_SIZE_UNIT = 8
_NULL, _NDEF, _TERMINATOR = 0x00, 0x03, 0xFE
_LONG_LENGTH = 0xFF

# Type 4 Tag: the application, its capability container, and the control object of the NDEF file in that.
_TYPE_4 = bytes.fromhex("D2760000850101")
_CONTAINER_FILE = bytes.fromhex("E103")
_CONTAINER_BYTES = 15
_FILE_CONTROL = bytes.fromhex("0406")
_MAX_READ = 0xF0


class NdefError(ValueError):
    """Bytes that are no NDEF message."""


class Record(NamedTuple):
    """One record of a message."""

    tnf: int
    type: bytes
    payload: bytes


class DataArea(NamedTuple):
    """The data area of a Type 2 Tag: its first pages, and how many bytes it has in all."""

    data: bytes
    size: int
    writable: bool


class NdefFile(NamedTuple):
    """The NDEF file of a Type 4 Tag: its name, the most bytes it holds, and the most that one command reads, writes."""

    name: bytes
    size: int
    max_read: int
    max_write: int
    writable: bool


def encode(content: FkcContent) -> bytes:
    """A message of one record with this content."""
    payload = content.to_tlv()
    head = _MESSAGE_BEGIN | _MESSAGE_END | _EXTERNAL
    if len(payload) > 0xFF:  # noqa: PLR2004 - what the one length byte of a short record holds
        return bytes((head, len(TYPE_NAME))) + len(payload).to_bytes(4) + TYPE_NAME + payload
    return bytes((head | _SHORT, len(TYPE_NAME), len(payload))) + TYPE_NAME + payload


def content_of(message: bytes) -> FkcContent | None:
    """The content in a message's record of our type; None without one, CardUnreadable when the record is not good."""
    try:
        found = [record.payload for record in records(message) if (record.tnf, record.type) == (_EXTERNAL, TYPE_NAME)]
    except NdefError:
        return None
    if len(found) > 1:
        raise invalid("the tag holds more than one record fkc:1")
    return FkcContent.from_tlv(found[0]) if found else None


def records(message: bytes) -> Iterator[Record]:
    """The records of a message; NdefError when one is cut off, or chunked, which no short message is."""
    at = 0
    for _ in range(MAX_RECORDS):
        if at >= len(message):
            return
        flags = message[at]
        if flags & _CHUNKED:
            raise NdefError("a chunked record")
        sizes = 1 if flags & _SHORT else 4
        head = message[at + 1 : at + 2 + sizes + bool(flags & _HAS_ID)]
        if len(head) < 1 + sizes + bool(flags & _HAS_ID):
            raise NdefError("a record cut off in its header")
        type_size, size = head[0], int.from_bytes(head[1 : 1 + sizes])
        type_at = at + 1 + len(head)
        payload_at = type_at + type_size + (head[-1] if flags & _HAS_ID else 0)
        at = payload_at + size
        if at > len(message):
            raise NdefError("a record cut off in its payload")
        yield Record(flags & _TNF, message[type_at : type_at + type_size], message[payload_at:at])


def read_type_2() -> Conversation[FkcContent | None]:
    """The content of a Type 2 Tag, by the reader's READ BINARY; None for another tag or without our record."""
    area = yield from open_type_2()
    message = yield from whole_message(area)
    return content_of(message)


def whole_message(area: DataArea | None) -> Conversation[bytes]:
    """The NDEF message of a Type 2 Tag; b"" when it has none."""
    if area is None:
        return b""
    data = area.data
    while (message := message_in(data)) is None and len(data) < min(area.size, MAX_MESSAGE):
        page = DATA_PAGE + len(data) // PAGE_BYTES
        more = yield from read_at(READER_CLASS, page, PAGE_BYTES * _PAGES_READ)
        if not more or len(more) % PAGE_BYTES:
            return b""
        data += more
    return message or b""


def open_type_2() -> Conversation[DataArea | None]:
    """The beginning of the data area of a Type 2 Tag; None for another tag."""
    container = yield from read_at(READER_CLASS, CONTAINER_PAGE, PAGE_BYTES * _PAGES_READ)
    if not container or len(container) != PAGE_BYTES * _PAGES_READ or container[0] != _CONTAINER_MAGIC:
        return None
    # Write access is the lower half of the last byte: 0 for everybody, F for nobody.
    return DataArea(container[PAGE_BYTES:], container[2] * _SIZE_UNIT, writable=not container[3] & 0x0F)


def message_in(data: bytes) -> bytes | None:
    """The NDEF message in the data area of a Type 2 Tag: b"" when it has none, None when more data are needed."""
    at = 0
    while at < len(data):
        tag = data[at]
        if tag == _NULL:
            at += 1
            continue
        if tag == _TERMINATOR:
            return b""
        size, start = _object_size(data, at + 1)
        if size is None or start + size > len(data):
            return None
        if tag == _NDEF:
            return data[start : start + size]
        at = start + size
    return None


def place_for_message(data: bytes) -> int:
    """Where the NDEF message of a Type 2 Tag belongs in its data area: behind the objects that describe the tag."""
    at = place = 0
    while at < len(data) and data[at] not in (_NDEF, _TERMINATOR):
        if data[at] == _NULL:
            at += 1
            continue
        size, start = _object_size(data, at + 1)
        if size is None or start + size > len(data):
            break
        at = place = start + size
    return place


def data_area(message: bytes) -> bytes:
    """A message as it stands in the data area of a Type 2 Tag, up to the terminator."""
    size = len(message)
    length = bytes((size,)) if size < _LONG_LENGTH else bytes((_LONG_LENGTH,)) + size.to_bytes(2)
    return bytes((_NDEF,)) + length + message + bytes((_TERMINATOR,))


def _object_size(data: bytes, at: int) -> tuple[int | None, int]:
    """Length and start of the value of a tag's data object; None when it is cut off."""
    if at >= len(data):
        return None, at
    if data[at] != _LONG_LENGTH:
        return data[at], at + 1
    return (int.from_bytes(data[at + 1 : at + 3]), at + 3) if at + 3 <= len(data) else (None, at)


def read_type_4() -> Conversation[FkcContent | None]:
    """The content of a Type 4 Tag; None for another card or without our record."""
    file = yield from open_type_4()
    message = yield from message_of(file)
    return content_of(message)


def message_of(file: NdefFile | None) -> Conversation[bytes]:
    """The NDEF message of a Type 4 Tag whose file is selected; b"" when it has none."""
    if file is None:
        return b""
    size = yield from read_at(0, 0, 2)
    if size is None or not 0 < (left := int.from_bytes(size)) <= MAX_MESSAGE:
        return b""
    message = b""
    while left:
        piece = yield from read_at(0, 2 + len(message), min(left, file.max_read))
        if not piece or len(piece) > left:
            return b""
        message += piece
        left -= len(piece)
    return message


def open_type_4() -> Conversation[NdefFile | None]:
    """Select the NDEF file of a Type 4 Tag; None when there is none."""
    selected = yield from select(_TYPE_4)
    if not selected:
        return None
    container = yield from _read_container()
    if len(container) < _CONTAINER_BYTES or not container[7:].startswith(_FILE_CONTROL):
        return None
    file = NdefFile(
        name=container[9:11],
        size=int.from_bytes(container[11:13]),
        max_read=max(1, min(int.from_bytes(container[3:5]), _MAX_READ)),
        max_write=max(1, min(int.from_bytes(container[5:7]), _MAX_READ)),
        writable=container[14] == 0,
    )
    response = yield from exchange(CommandApdu(0, SELECT, 0, NO_DATA, file.name))
    return file if response.ok else None


def _read_container() -> Conversation[bytes]:
    response = yield from exchange(CommandApdu(0, SELECT, 0, NO_DATA, _CONTAINER_FILE))
    data = (yield from read_at(0, 0, _CONTAINER_BYTES)) if response.ok else None
    return data or b""
