"""Identities of chip cards: each probe asks one kind of card for its number, and takes a refusal for an answer.

No probe changes a card: only SELECT, READ BINARY and GET DATA are sent, never VERIFY or EXTERNAL AUTHENTICATE, so that
no PIN counter is touched; and no payment application is ever selected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ipo_sim.card import tlv
from ipo_sim.card.apdu import MAX_LE, CommandApdu
from ipo_sim.card.commands import (
    BY_NAME,
    BY_SFI,
    CHILD_FILE,
    FIRST,
    GET_DATA,
    GET_DATA_ODD,
    NO_DATA,
    READ_BINARY,
    READER_CLASS,
    SELECT,
    select,
)
from ipo_sim.card.exchange import GSM_CLASS, Conversation, exchange
from ipo_sim.card.kinds import Found, Kind
from ipo_sim.card.layout import AID, FILE_SFI, FkcContent
from ipo_sim.card.ndef import read_type_4
from ipo_sim.card.tlv import TlvError

Probe = Callable[[], Conversation[Found | None]]

_GLOBALPLATFORM_CLASS = 0x80

# OpenPGP Card 3.4, 4.2.1: the application identifier holds manufacturer (2 bytes) and serial number (4).
_OPENPGP = bytes.fromhex("D27600012401")
_OPENPGP_AID_BYTES = 16
# NIST SP 800-73-4: the application, and the Card Holder Unique Identifier with its GUID.
_PIV = bytes.fromhex("A00000030800001000")
_CHUID = bytes.fromhex("5C035FC102")
_GUID_BYTES = 16
# ISO/IEC 7816-6: EF.GDO at 2F02 holds the chip's serial number under 5A.
_MASTER_FILE, _EF_GDO, _EF_ICCID = (bytes.fromhex(name) for name in ("3F00", "2F02", "2FE2"))
_ICCID_BYTES = 10
# GlobalPlatform card specification: Card Production Life Cycle data; 18 bytes hold all that makes a chip unique.
_CPLC_TAG = bytes.fromhex("9F7F")
_CPLC_BYTES = 18
# The longest is a GUID; a chip serial number has 8 to 10 bytes.
_NUMBER_BYTES = range(2, 33)
# UIDs have 4, 7 or 10 bytes (ISO/IEC 14443-3), 8 in ISO/IEC 15693 and FeliCa.
_UID_BYTES = (4, 7, 8, 10)
# ISO/IEC 14443-3, 6.5.4: a single-size UID that begins so is made anew at every activation.
_RANDOM_UID = 0x08
# Status words of SIM cards that have found the file: 9F and 61 say how much they could tell of it.
_SELECTED = (0x90, 0x9F, 0x61)


def read_fkc() -> Conversation[FkcContent | None]:
    """The content of an FKC-1 chip card; None for another card, CardUnreadable for one whose content is not good."""
    selected = yield from select(AID)
    if not selected:
        return None
    response = yield from exchange(CommandApdu(0, READ_BINARY, BY_SFI | FILE_SFI, le=MAX_LE))
    # What answers to our own name and holds nothing is ours, and blank.
    return FkcContent.from_tlv(response.data if response.ok else b"")


def _fkc() -> Conversation[Found | None]:
    content = yield from read_fkc()
    return content and Found(Kind.FKC, content.serial, content)


def _fkc_tag() -> Conversation[Found | None]:
    content = yield from read_type_4()
    return content and Found(Kind.FKC_TAG, content.serial, content)


def _openpgp() -> Conversation[Found | None]:
    selected = yield from select(_OPENPGP)
    if not selected:
        return None
    response = yield from exchange(CommandApdu(0, GET_DATA, 0x00, 0x4F, le=MAX_LE))
    if not response.ok or len(response.data) != _OPENPGP_AID_BYTES or not response.data.startswith(_OPENPGP):
        return None
    return _found(Kind.OPENPGP, response.data[8:14])


def _piv() -> Conversation[Found | None]:
    selected = yield from select(_PIV)
    if not selected:
        return None
    response = yield from exchange(CommandApdu(0, GET_DATA_ODD, 0x3F, 0xFF, _CHUID, le=MAX_LE))
    guids = _values(response.data, 0x53, 0x34) if response.ok else []
    return _found(Kind.PIV, guids[0]) if guids and len(guids[0]) == _GUID_BYTES else None


def _gdo() -> Conversation[Found | None]:
    yield from exchange(CommandApdu(0, SELECT, FIRST, NO_DATA, _MASTER_FILE))
    response = yield from exchange(CommandApdu(0, SELECT, CHILD_FILE, NO_DATA, _EF_GDO))
    if not response.ok:
        return None
    response = yield from exchange(CommandApdu(0, READ_BINARY, le=MAX_LE))
    numbers = _values(response.data, 0x5A) if response.ok else []
    return _found(Kind.GDO, numbers[0]) if numbers else None


def _iccid() -> Conversation[Found | None]:
    """As UICCs do it, and as SIM cards of old do."""
    for cla, p2 in ((0, 0x04), (GSM_CLASS, 0)):
        number = yield from _iccid_of(cla, p2)
        if number:
            return Found(Kind.ICCID, number)
    return None


def _iccid_of(cla: int, p2: int) -> Conversation[str]:
    for name in (_MASTER_FILE, _EF_ICCID):
        response = yield from exchange(CommandApdu(cla, SELECT, 0, p2, name))
        if response.sw >> 8 not in _SELECTED:
            return ""
    response = yield from exchange(CommandApdu(cla, READ_BINARY, le=_ICCID_BYTES))
    if not response.ok or len(response.data) != _ICCID_BYTES:
        return ""
    # ETSI TS 102 221, 13.2: digits with their halves swapped, F behind the last one.
    digits = "".join(f"{byte & 0x0F:X}{byte >> 4:X}" for byte in response.data).rstrip("F")
    return digits if digits.isdecimal() and digits.strip("0") else ""


def _cplc() -> Conversation[Found | None]:
    """The issuer's security domain is selected by no name; cards that know none refuse, and are asked all the same."""
    yield from exchange(CommandApdu(0, SELECT, BY_NAME, FIRST, le=MAX_LE))
    response = yield from exchange(CommandApdu(_GLOBALPLATFORM_CLASS, GET_DATA, _CPLC_TAG[0], _CPLC_TAG[1], le=MAX_LE))
    if not response.ok:
        return None
    data = response.data[3:] if response.data.startswith(_CPLC_TAG) else response.data
    # Fabricator and type of the chip; date, serial number and batch of its fabrication.
    return _found(Kind.CPLC, data[0:4] + data[10:18]) if len(data) >= _CPLC_BYTES else None


def read_uid() -> Conversation[Found | None]:
    """The UID of a contactless card, which its reader tells; one that is made anew each time is none."""
    response = yield from exchange(CommandApdu(READER_CLASS, GET_DATA, le=MAX_LE))
    uid = response.data
    if not response.ok or len(uid) not in _UID_BYTES or (len(uid) == min(_UID_BYTES) and uid[0] == _RANDOM_UID):
        return None
    return _found(Kind.UID, uid)


def _found(kind: Kind, number: bytes) -> Found | None:
    """A number of nothing but 00 or FF was never written, and one that is too long is something else."""
    if len(number) not in _NUMBER_BYTES or set(number) <= {0x00} or set(number) <= {0xFF}:
        return None
    return Found(kind, number.hex().upper())


def _values(data: bytes, *path: int) -> list[bytes]:
    try:
        return list(tlv.values(data, *path))
    except TlvError:
        return []


# In the order in which they are tried; the first that finds something ends the search.
PROBES: Mapping[Kind, Probe] = MappingProxyType(
    {
        Kind.FKC: _fkc,
        Kind.FKC_TAG: _fkc_tag,
        Kind.OPENPGP: _openpgp,
        Kind.PIV: _piv,
        Kind.GDO: _gdo,
        Kind.ICCID: _iccid,
        Kind.CPLC: _cplc,
        Kind.UID: read_uid,
    }
)
