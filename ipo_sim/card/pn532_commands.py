"""Commands of a PN532 and what its answers say (NXP UM0701-02, 7), as far as a reader of cards needs them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

DIAGNOSE, GET_FIRMWARE_VERSION, SAM_CONFIGURATION, RF_CONFIGURATION = 0x00, 0x02, 0x14, 0x32
IN_DATA_EXCHANGE, IN_LIST_PASSIVE_TARGET, IN_RELEASE = 0x40, 0x4A, 0x52

IC = 0x32
# No security module, no time limit, and the interrupt line as after power-up.
NORMAL_MODE = bytes((SAM_CONFIGURATION, 0x01, 0x00, 0x01))
FIRMWARE = bytes((GET_FIRMWARE_VERSION,))
# Two attempts to activate a card, not the endless ones of the power-up state.
FEW_ATTEMPTS = bytes((RF_CONFIGURATION, 0x05, 0xFF, 0x01, 0x01))
# At most one card of ISO/IEC 14443 type A at 106 kbit/s.
FIND_TYPE_A = bytes((IN_LIST_PASSIVE_TARGET, 0x01, 0x00))
RELEASE_ALL = bytes((IN_RELEASE, 0x00))
# Asks an activated card of ISO/IEC 14443-4 whether it is still there.
PRESENCE = bytes((DIAGNOSE, 0x06))

TARGET = 0x01
# In the number of the target: more of the command follows. In a status: more of the response.
MORE = 0x40
_STATUS = 0x3F
# TFI, command and number of the target take 3 of the 265 bytes of a frame.
MAX_EXCHANGE = 262

TYPE_2_READ = 0x30
TYPE_2_READ_BYTES = 16
TYPE_2_WRITE = 0xA2
TYPE_2_PAGE_BYTES = 4

_ISO_DEP = 0x20
_TYPE_2_SAK = 0x00
# PC/SC part 3: standard ISO/IEC 14443 A part 3, then the name of the card by its SAK.
_STORAGE = bytes.fromhex("804F0CA00000030603")
_STORAGE_NAMES: Mapping[int, bytes] = MappingProxyType({0x00: b"\x00\x03", 0x08: b"\x00\x01", 0x18: b"\x00\x02"})
_OTHER_STORAGE = b"\xff"
_ATR_HEAD = bytes.fromhex("8001")
_MAX_HISTORICAL = 15

_STATUS_TEXTS: Mapping[int, str] = MappingProxyType(
    {
        0x01: "the card does not answer",
        0x02: "a checksum error between card and chip",
        0x03: "a parity error between card and chip",
        0x05: "a framing error between card and chip",
        0x06: "cards collide",
        0x07: "the chip's buffer is too small",
        0x0B: "a protocol error of the card",
        0x0D: "the chip is too hot",
        0x13: "the card's data have the wrong format",
        0x14: "the card wants to be authenticated",
        0x27: "the command does not fit the card's state",
        0x2B: "the card is gone",
        0x2C: "another card is there",
    }
)


class Pn532Error(ValueError):
    """An answer that does not say what its command asks."""


class Firmware(NamedTuple):
    """Version of the chip and what is in it."""

    ic: int
    version: int
    revision: int

    def __str__(self) -> str:
        return f"PN5{self.ic:02X} {self.version}.{self.revision}"


class Target(NamedTuple):
    """A card that was found and activated. `ats` begins with its length, and is empty for tags."""

    number: int
    sens_res: int
    sel_res: int
    uid: bytes
    ats: bytes = b""

    @property
    def is_iso_dep(self) -> bool:
        """Whether it takes APDUs (ISO/IEC 14443-4)."""
        return bool(self.sel_res & _ISO_DEP)

    @property
    def is_type_2(self) -> bool:
        """Whether it can be a Type 2 Tag, which is read page by page."""
        return self.sel_res == _TYPE_2_SAK

    @property
    def atr(self) -> bytes:
        """The answer to reset that a PC/SC reader would make of it."""
        if self.is_iso_dep:
            historical = _historical(self.ats)
        else:
            name = _STORAGE_NAMES.get(self.sel_res, _OTHER_STORAGE + bytes((self.sel_res,)))
            historical = _STORAGE + name + bytes(4)
        body = bytes((0x80 | len(historical),)) + _ATR_HEAD + historical
        check = 0
        for byte in body:
            check ^= byte
        return b"\x3b" + body + bytes((check,))


def firmware_of(answer: bytes) -> Firmware:
    """What GetFirmwareVersion answers."""
    if len(answer) < 4:  # noqa: PLR2004 - IC, version, revision, what it supports
        raise Pn532Error(f"a firmware version of {len(answer)} bytes")
    return Firmware(*answer[:3])


def target_of(answer: bytes) -> Target | None:
    """The card that InListPassiveTarget found; None: none."""
    if not answer or answer[0] > 1:
        raise Pn532Error(f"a list of targets that begins with {answer[:1].hex() or 'nothing'}")
    if answer[0] == 0:
        return None
    head, size = answer[1:6], int.from_bytes(answer[5:6])
    uid, ats = answer[6 : 6 + size], answer[6 + size :]
    if len(head) < 5 or len(uid) < size or not size:  # noqa: PLR2004 - number, SENS_RES, SEL_RES, size of the UID
        raise Pn532Error("a target that is cut off")
    if ats and ats[0] != len(ats):
        raise Pn532Error("a target whose ATS is cut off")
    return Target(head[0], int.from_bytes(head[1:3]), head[3], uid, ats)


def exchange(data: bytes, *, more: bool = False) -> bytes:
    """InDataExchange with the activated card; `more` of the command follows."""
    return bytes((IN_DATA_EXCHANGE, TARGET | (MORE if more else 0))) + data


def exchanged(answer: bytes) -> tuple[int, bool, bytes]:
    """Status (0: good), whether more of the response follows, and data."""
    if not answer:
        raise Pn532Error("an exchange without a status")
    return answer[0] & _STATUS, bool(answer[0] & MORE), answer[1:]


def status_text(status: int) -> str:
    """What a status other than 0 says."""
    return _STATUS_TEXTS.get(status, f"error {status:02X} of the chip")


def _historical(ats: bytes) -> bytes:
    """ISO/IEC 14443-4, 5.2: length, format byte, up to three interface bytes that it announces, historical bytes."""
    if len(ats) < 2:  # noqa: PLR2004 - length and format byte
        return b""
    interfaces = sum(bool(ats[1] & bit) for bit in (0x10, 0x20, 0x40))
    return ats[2 + interfaces :][:_MAX_HISTORICAL]
