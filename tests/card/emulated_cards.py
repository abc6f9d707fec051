"""Cards that answer as real ones do, written from the standards without the code under test.

Each has an `atr` and answers `transmit(command) -> response`; `reset()` is what power does. `received` keeps every
command. Anything that can carry bytes takes them for a card: a reader driver, a chip on a line, a test.
"""

from __future__ import annotations

import hashlib
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

H = bytes.fromhex

OK = H("9000")
END_OF_FILE = H("6282")
NOT_FOUND = H("6A82")
NO_SUCH_COMMAND = H("6D00")
NO_SUCH_CLASS = H("6E00")
WRONG_PARAMETERS = H("6B00")
NOT_ALLOWED = H("6986")
NOTHING_SELECTED = H("6985")
WRONG_LENGTH = H("6700")
REFUSED = H("6300")

SERIAL = "1234567890"
# Keys of tests; whoever reads this can sign with them.
ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
CARD_KEY = ec.derive_private_key(0x1234567, ec.SECP256R1())
OTHER_CARD_KEY = ec.derive_private_key(0x7654321, ec.SECP256R1())


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def tlv(tag: int, value: bytes) -> bytes:
    assert len(value) < 0x80
    return bytes((tag, len(value))) + value


def fkc_content(
    serial: str = SERIAL,
    law: str | None = "alaw",
    issuer: Ed25519PrivateKey | None = None,
    card_key: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """The data objects of an FKC-1 card, by the specification."""
    said = tlv(0xC0, serial.encode()) + tlv(0xC1, b"\x01")
    said += tlv(0xC2, law.encode()) if law else b""
    said += tlv(0xC3, hashlib.sha256(public_bytes(issuer)).digest()[:8]) if issuer else b""
    proof = tlv(0xC5, point(card_key)) if card_key else b""
    signature = tlv(0xC4, issuer.sign(said + proof)) if issuer else b""
    return said + signature + proof


class EmulatedCard:
    """What all cards share."""

    def __init__(self, atr: str) -> None:
        self.atr = H(atr)
        self.received: list[bytes] = []
        self.reset()

    def reset(self) -> None:
        """Power off and on."""
        self.selected: bytes | None = None

    def transmit(self, command: bytes) -> bytes:
        self.received.append(command)
        if len(command) < 4:
            return WRONG_LENGTH
        if len(command) > 5 and len(command) - 5 not in (command[4], command[4] + 1):
            return WRONG_LENGTH
        return self.answer(command)

    def answer(self, command: bytes) -> bytes:
        return NO_SUCH_COMMAND if command else WRONG_LENGTH


def data_of(command: bytes) -> bytes:
    return command[5 : 5 + command[4]] if len(command) > 5 else b""


def le_of(command: bytes) -> int:
    """The bytes that are wanted; 256 without Le."""
    if len(command) == 5:
        return command[4] or 256
    return command[-1] or 256 if len(command) == 6 + command[4] else 256


class FkcCard(EmulatedCard):
    """An FKC-1 chip card; with a key it answers challenges, and its file can be updated unless it is locked."""

    AID = H("F0464B432D31")

    def __init__(
        self,
        content: bytes | None = None,
        *,
        key: ec.EllipticCurvePrivateKey | None = None,
        capacity: int = 256,
        locked: bool = False,
    ) -> None:
        super().__init__("3B8C80018031C06C4107464B432D315551")
        self.file = bytearray(fkc_content() if content is None else content)
        self.key = key
        self.capacity = capacity
        self.locked = locked

    def answer(self, command: bytes) -> bytes:
        cla, ins, p1, p2 = command[:4]
        if cla != 0:
            return NO_SUCH_CLASS
        if ins == 0xA4:
            self.selected = data_of(command) if p1 == 4 and data_of(command) == self.AID else None
            return OK if self.selected else NOT_FOUND
        if self.selected is None:
            return NOTHING_SELECTED if ins in (0xB0, 0xD6, 0x88) else NO_SUCH_COMMAND
        offset = p2 if p1 == 0x81 else (p1 << 8 | p2)
        if ins == 0xB0:
            return self._read(offset, le_of(command))
        if ins == 0xD6:
            return self._update(offset, data_of(command))
        if ins == 0x88 and self.key is not None and len(data_of(command)) == 16:
            return self.key.sign(data_of(command), ec.ECDSA(SHA256())) + OK
        return NO_SUCH_COMMAND

    def _read(self, offset: int, size: int) -> bytes:
        if offset > len(self.file):
            return WRONG_PARAMETERS
        data = bytes(self.file[offset : offset + size])
        return data + (OK if len(data) == size else END_OF_FILE)

    def _update(self, offset: int, data: bytes) -> bytes:
        if self.locked:
            return H("6982")
        if offset + len(data) > self.capacity:
            return H("6A84")
        self.file.extend(bytes(max(0, offset + len(data) - len(self.file))))
        self.file[offset : offset + len(data)] = data
        return OK


def identifier_card(serial: str = SERIAL) -> FkcCard:
    """A card that only says its serial."""
    return FkcCard(fkc_content(serial))


def signed_card(serial: str = SERIAL, issuer: Ed25519PrivateKey = ISSUER) -> FkcCard:
    """A card whose serial an issuer has signed."""
    return FkcCard(fkc_content(serial, issuer=issuer))


def authenticated_card(serial: str = SERIAL) -> FkcCard:
    """A card that proves the key that its issuer signed."""
    return FkcCard(fkc_content(serial, issuer=ISSUER, card_key=CARD_KEY), key=CARD_KEY)


def copied_card(serial: str = SERIAL) -> FkcCard:
    """A copy of an authenticated card: all that can be read, and a key of its own."""
    return FkcCard(fkc_content(serial, issuer=ISSUER, card_key=CARD_KEY), key=OTHER_CARD_KEY)


class MemoryCard(EmulatedCard):
    """A memory card behind a reader that speaks for it: 24Cxx from address 0, SLE4442 from 32 on."""

    ATRS: ClassVar = {"i2c": "3B044932432E", "sle4442": "3B04A2131091"}
    CODE = H("FFFFFF")

    def __init__(self, bus: str = "i2c", content: bytes | None = None, *, chooses: bool = True) -> None:
        super().__init__(self.ATRS[bus])
        self.bus = bus
        self.start = 32 if bus == "sle4442" else 0
        self.memory = bytearray(b"\xff" * 256)
        self.tries = 3
        self._chooses = chooses
        if bus == "sle4442":
            self.memory[:4] = H("A2131091")
        body = memory_content() if content is None else content
        self.memory[self.start : self.start + len(body)] = body

    def reset(self) -> None:
        self._chosen = False
        self._open = False

    def answer(self, command: bytes) -> bytes:
        cla, ins, p1, p2 = command[:4]
        if cla != 0xFF:
            return NO_SUCH_CLASS
        if ins == 0xA4:
            self._chosen = data_of(command) == {"i2c": b"\x01", "sle4442": b"\x06"}[self.bus]
            return (OK if self._chosen else REFUSED) if self._chooses else NO_SUCH_COMMAND
        if self._chooses and not self._chosen:
            return NOTHING_SELECTED
        address = p1 << 8 | p2
        if ins == 0xB0:
            data = bytes(self.memory[address : address + le_of(command)])
            return data + OK if data else WRONG_PARAMETERS
        if ins == 0xD6:
            return self._write(address, data_of(command))
        if ins == 0x20 and self.bus == "sle4442":
            return self._present(data_of(command))
        return NO_SUCH_COMMAND

    def _write(self, address: int, data: bytes) -> bytes:
        if self.bus == "sle4442" and (not self._open or address < self.start):
            return H("6982")
        if address + len(data) > len(self.memory):
            return WRONG_PARAMETERS
        self.memory[address : address + len(data)] = data
        return OK

    def _present(self, code: bytes) -> bytes:
        """The error counter goes down before the code is compared, and is restored by the right one."""
        if self.tries == 0:
            return H("6983")
        self._open = code == self.CODE
        self.tries = 3 if self._open else self.tries - 1
        return H("9007") if self._open else H("90") + {2: b"\x03", 1: b"\x01", 0: b"\x00"}[self.tries]


def memory_content(serial: str = SERIAL) -> bytes:
    """The short form: magic, length, serial, CRC bit by bit."""
    head = b"FKC1" + bytes((len(serial),)) + serial.encode()
    crc = 0xFFFF
    for byte in head:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return head + crc.to_bytes(2, "big")


def ndef_message(content: bytes | None = None) -> bytes:
    """A message with a text record that is not ours, and one that is."""
    payload = fkc_content() if content is None else content
    text = b"\x02enfeature key"
    return bytes((0x91, 1, len(text))) + b"T" + text + bytes((0x54, 5, len(payload))) + b"fkc:1" + payload


class Type2Tag(EmulatedCard):
    """An NTAG215 in a contactless PC/SC reader: pages of 4 bytes, 504 of them user data."""

    UID = H("04A1B2C3D4E580")

    def __init__(self, message: bytes | None = None, uid: bytes = UID, *, pages: int = 130) -> None:
        super().__init__("3B8F8001804F0CA0000003060300030000000068")
        self.uid = uid
        self.memory = bytearray(4 * pages)
        self.memory[12:16] = H("E110") + bytes((0x3E, 0))
        body = ndef_message() if message is None else message
        length = bytes((len(body),)) if len(body) < 0xFF else b"\xff" + len(body).to_bytes(2, "big")
        # A lock control object first, as NTAGs leave the factory.
        area = H("0103A00C34") + b"\x03" + length + body + b"\xfe"
        self.memory[16 : 16 + len(area)] = area

    def answer(self, command: bytes) -> bytes:
        if command[0] != 0xFF:
            return NO_SUCH_CLASS
        ins, page = command[1], command[3]
        if ins == 0xCA and command[2:4] == b"\0\0":
            return self.uid + OK
        if ins == 0xB0 and 4 * page < len(self.memory):
            return bytes((self.memory + self.memory)[4 * page : 4 * page + le_of(command)]) + OK
        if ins == 0xD6 and 4 <= page < len(self.memory) // 4 and len(data_of(command)) == 4:
            self.memory[4 * page : 4 * page + 4] = data_of(command)
            return OK
        return REFUSED


class Type4Tag(EmulatedCard):
    """A tag that is a chip card, as telephones are: NDEF application, capability container, NDEF file."""

    def __init__(self, message: bytes | None = None, *, max_read: int = 0x3B, size: int = 0x0200) -> None:
        super().__init__("3B8180018080")
        body = ndef_message() if message is None else message
        container = H("000F20") + max_read.to_bytes(2, "big") + H("00340406E104") + size.to_bytes(2, "big") + b"\0\0"
        self.files = {
            H("E103"): bytearray(container),
            H("E104"): bytearray(len(body).to_bytes(2, "big") + body),
        }
        self.max_read = max_read
        self.size = size

    def reset(self) -> None:
        super().reset()
        self.file: bytearray | None = None

    def answer(self, command: bytes) -> bytes:  # noqa: PLR0911 - one answer a command
        cla, ins, p1, p2 = command[:4]
        if command[:4] == H("FFCA0000"):
            return H("08112233") + OK  # made anew each time, as privacy has it
        if cla != 0:
            return NO_SUCH_CLASS
        if ins == 0xA4 and p1 == 4:
            self.file = None
            self.selected = data_of(command) if data_of(command) == H("D2760000850101") else None
            return OK if self.selected else NOT_FOUND
        if ins == 0xA4 and self.selected:
            self.file = self.files.get(data_of(command))
            return NOT_FOUND if self.file is None else OK
        if self.file is None:
            return NOTHING_SELECTED
        offset = p1 << 8 | p2
        if ins == 0xB0:
            if le_of(command) > self.max_read:
                return WRONG_LENGTH
            return bytes(self.file[offset : offset + le_of(command)]) + OK
        if ins == 0xD6:
            data = data_of(command)
            if len(data) > 0x34 or offset + len(data) > self.size:
                return WRONG_LENGTH
            self.file.extend(bytes(max(0, offset + len(data) - len(self.file))))
            self.file[offset : offset + len(data)] = data
            return OK
        return NO_SUCH_COMMAND


class DumbCard(EmulatedCard):
    """A card that knows no command of ours."""

    def __init__(self) -> None:
        super().__init__("3B00")


class MuteCard(EmulatedCard):
    """A card that answers to reset and never again: its reader gives no bytes."""

    def __init__(self) -> None:
        super().__init__("3B00")

    def answer(self, command: bytes) -> bytes:
        return b""


class InPieces(EmulatedCard):
    """Another card behind T=0: what has more than `size` bytes is fetched by GET RESPONSE."""

    def __init__(self, card: EmulatedCard, size: int = 16) -> None:
        self._card = card
        self._size = size
        super().__init__(card.atr.hex())

    def reset(self) -> None:
        self._left = b""
        self._card.reset()

    def answer(self, command: bytes) -> bytes:
        if command[1] == 0xC0 and self._left:
            response, self._left = self._left, b""
            wanted = le_of(command)
        else:
            response, self._left = self._card.transmit(command), b""
            wanted = self._size
        data, status = response[:-2], response[-2:]
        if len(data) <= wanted:
            return response
        self._left = data[wanted:] + status
        left = len(data) - wanted
        return data[:wanted] + b"\x61" + bytes((min(left, self._size),))


class WantsLength(EmulatedCard):
    """Another card that insists on the exact Le: with 00 it says the right one."""

    def __init__(self, card: EmulatedCard) -> None:
        self._card = card
        super().__init__(card.atr.hex())

    def reset(self) -> None:
        self._card.reset()

    def answer(self, command: bytes) -> bytes:
        response = self._card.transmit(command)
        size = len(response) - 2
        return b"\x6c" + bytes((size,)) if 0 < size < le_of(command) else response
