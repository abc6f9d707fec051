"""FKC-1, the open content of a feature key card: data objects, what an issuer signs, and the short memory form.

The specification is docs/reference/feature-key-card.md.
"""

from __future__ import annotations

import binascii
import hashlib
from typing import NamedTuple, Self

from ipo_sim.card import tlv
from ipo_sim.card.tlv import TlvError
from ipo_sim.card.unreadable import invalid

VERSION = 1
AID = bytes.fromhex("F0464B432D31")
FILE_SFI = 1

SERIAL_DIGITS = 10
LAWS = ("alaw", "mulaw")
CHALLENGE_BYTES = 16

KEY_ID_BYTES = 8
SIGNATURE_BYTES = 64
# X9.62 uncompressed: 04, X, Y.
PUBLIC_KEY_BYTES = 65
_UNCOMPRESSED = 0x04

TAG_SERIAL, TAG_VERSION, TAG_LAW, TAG_KEY_ID, TAG_SIGNATURE, TAG_PUBLIC_KEY = range(0xC0, 0xC6)

# Characters of a wrong value that a message repeats.
MAX_SHOWN = 20

MEMORY_MAGIC = b"FKC1"
_CRC_START = 0xFFFF
_CRC_BYTES = 2
MEMORY_BYTES = len(MEMORY_MAGIC) + 1 + SERIAL_DIGITS + _CRC_BYTES


class FkcContent(NamedTuple):
    """What a card holds. `law` None: it does not say. `key_id` names the issuer's key that made `signature`."""

    serial: str
    law: str | None = None
    key_id: bytes | None = None
    signature: bytes | None = None
    public_key: bytes | None = None

    @classmethod
    def from_tlv(cls, data: bytes) -> Self:
        """The content of a chip card or tag; CardUnreadable when it is not FKC-1. Unknown objects are passed over."""
        objects = _objects(data)
        version = objects.get(TAG_VERSION, bytes((VERSION,)))
        if version != bytes((VERSION,)):
            raise invalid(f"the card's layout is version {version.hex().upper() or 'nothing'}, known is {VERSION}")
        law = objects.get(TAG_LAW)
        return cls(
            serial=_serial(objects.get(TAG_SERIAL)),
            law=None if law is None else _law(law),
            key_id=_sized(objects, TAG_KEY_ID, KEY_ID_BYTES),
            signature=_sized(objects, TAG_SIGNATURE, SIGNATURE_BYTES),
            public_key=_public_key(objects),
        )

    def to_tlv(self) -> bytes:
        """The content as a chip card or tag holds it."""
        signature = b"" if self.signature is None else tlv.encode(TAG_SIGNATURE, self.signature)
        return self._said() + signature + self._proof()

    def signed_part(self) -> bytes:
        """What the issuer signs: the objects C0 to C3 and C5 in this order, those that are absent left out."""
        return self._said() + self._proof()

    def _said(self) -> bytes:
        objects = (
            (TAG_SERIAL, self.serial.encode()),
            (TAG_VERSION, bytes((VERSION,))),
            (TAG_LAW, None if self.law is None else self.law.encode()),
            (TAG_KEY_ID, self.key_id),
        )
        return b"".join(tlv.encode(tag, value) for tag, value in objects if value is not None)

    def _proof(self) -> bytes:
        return b"" if self.public_key is None else tlv.encode(TAG_PUBLIC_KEY, self.public_key)


def key_id(issuer: bytes) -> bytes:
    """The name of an issuer's public key: the first 8 bytes of its SHA-256."""
    return hashlib.sha256(issuer).digest()[:KEY_ID_BYTES]


def from_memory(data: bytes) -> str:
    """The serial in the first bytes of a memory card; CardUnreadable when it is none, or its checksum is wrong."""
    if not data.startswith(MEMORY_MAGIC):
        raise invalid("the memory card is blank, or holds something else than a feature key")
    end = len(MEMORY_MAGIC) + 1 + int.from_bytes(data[len(MEMORY_MAGIC) : len(MEMORY_MAGIC) + 1])
    if end + _CRC_BYTES > len(data):
        raise invalid("the memory card's serial is longer than a serial is")
    if crc16(data[:end]) != int.from_bytes(data[end : end + _CRC_BYTES]):
        raise invalid("the memory card's checksum is wrong")
    return _serial(data[len(MEMORY_MAGIC) + 1 : end])


def to_memory(serial: str) -> bytes:
    """The first bytes of a memory card with this serial."""
    head = MEMORY_MAGIC + bytes((len(serial),)) + serial.encode()
    return head + crc16(head).to_bytes(_CRC_BYTES)


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE, as on the serial line."""
    return binascii.crc_hqx(data, _CRC_START)


def is_serial(text: str) -> bool:
    """Whether this is a serial: 10 decimal digits."""
    return len(text) == SERIAL_DIGITS and text.isascii() and text.isdigit()


def _objects(data: bytes) -> dict[int, bytes]:
    try:
        found = tlv.parse(data)
    except TlvError as error:
        raise invalid(f"the card's data objects are not in order: {error}") from None
    objects = dict(found)
    if len(objects) < len(found):
        raise invalid("the card holds a data object twice")
    return objects


def _serial(value: bytes | None) -> str:
    if value is None:
        raise invalid("the card holds no serial")
    text = value.decode("latin-1")
    if not is_serial(text):
        raise invalid(f"the card's serial {_shown(text)} is not {SERIAL_DIGITS} decimal digits")
    return text


def _law(value: bytes) -> str:
    text = value.decode("latin-1")
    if text not in LAWS:
        raise invalid(f"the card's variant {_shown(text)} is none of {', '.join(LAWS)}")
    return text


def _shown(text: str) -> str:
    """What a card holds may be anything: enough of it to recognise it."""
    return repr(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}...")


def _sized(objects: dict[int, bytes], tag: int, size: int) -> bytes | None:
    value = objects.get(tag)
    if value is not None and len(value) != size:
        raise invalid(f"the card's data object {tag:X} has {len(value)} bytes instead of {size}")
    return value


def _public_key(objects: dict[int, bytes]) -> bytes | None:
    value = _sized(objects, TAG_PUBLIC_KEY, PUBLIC_KEY_BYTES)
    if value is not None and value[0] != _UNCOMPRESSED:
        raise invalid("the card's public key is not an uncompressed point")
    return value
