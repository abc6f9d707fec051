"""Licence keys of IP DECT systems: an open format of our own, 64 characters that bind a number of base stations.

A key is a function of the PARK, of the MACs of up to three base stations, and of the number of base stations. The
format is written down in docs/reference/dect-licence-key.md. It has nothing to do with anybody's real keys.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from ipo_sim.errors import LicenceFormatError
from ipo_sim.licensing import address
from ipo_sim.licensing.key import ALPHABET

DECT_KEY_LENGTH = 64
# A licence key of a unit begins with version 1; the two are never taken for each other, in length nor in content.
VERSION = 0xD1
MAX_MACS = 3
MAX_BASES = 0xFF
DATA_SIZE = 40

_PARK_AT, _MACS_AT, _CHECK_AT, _TAG_AT = 3, 8, 26, 30
_MAC_SIZE = 6
_CHECK_LABEL = b"ipo-sim dect licence key 1 check\0"
_TAG_LABEL = b"ipo-sim dect licence key 1 tag\0"

_FORGIVEN = str.maketrans("abcdefghijklmnopqrstuvwxyzILO", "ABCDEFGH1JK1MN0PQRSTUVWXYZ110")
_SEPARATORS = re.compile("[ \t\r\n\u00a0-]+")
_CANONICAL = re.compile(f"[{ALPHABET}]{{{DECT_KEY_LENGTH}}}")
# int() reads base 32 in the digits 0-9a-v.
_TO_INT_DIGITS = str.maketrans(ALPHABET, "0123456789abcdefghijklmnopqrstuv")


@dataclass(frozen=True, slots=True)
class DectKey:
    """A recognised key: `bases` stations at the system with this PARK, proved by those with these MACs, ascending."""

    text: str
    park: str
    macs: tuple[str, ...]
    bases: int
    data: bytes = field(repr=False)


def recognise(text: str) -> DectKey | None:
    """The key that the text spells, or None when it is none; says nothing of the secret.

    Lower case, blanks, hyphens, `I` and `L` for `1` and `O` for `0` are forgiven.
    """
    canonical = _SEPARATORS.sub("", text).translate(_FORGIVEN)
    if not _CANONICAL.fullmatch(canonical):
        return None
    data = int(canonical.translate(_TO_INT_DIGITS), 32).to_bytes(DATA_SIZE, "big")
    body = data[:_CHECK_AT]
    if data[0] != VERSION or data[_CHECK_AT:_TAG_AT] != _check(body):
        return None
    bases, count, park = data[1], data[2], address.park(data[_PARK_AT:_MACS_AT].hex())
    if park is None or not is_bound(count, bases):
        return None
    macs = _macs(body, count)
    return None if macs is None else DectKey(canonical, park, macs, bases, data)


def verify(key: DectKey, park: str, secret: bytes) -> bool:
    """Whether the key was issued for the system with this PARK with this secret."""
    return key.park == park and hmac.compare_digest(_tag(key.data[:_CHECK_AT], secret), key.data[_TAG_AT:])


def issue(*, park: str, macs: Collection[str], bases: int, secret: bytes) -> DectKey:
    """A new key; the same arguments give the same key, whatever the order of the MACs.

    One base station is proved by its MAC, two by both or by the first of them, more by three (licensing.md 9);
    LicenceFormatError names what is wrong.
    """
    canonical_park = address.park(park)
    if canonical_park is None:
        raise LicenceFormatError(
            f"a PARK has {address.PARK_DIGITS} hexadecimal digits, not all of them 0, not {park!r}"
        )
    if not 1 <= bases <= MAX_BASES:
        raise LicenceFormatError(f"the number of base stations is 1 to {MAX_BASES}, not {bases}")
    known = tuple(sorted({_mac(text) for text in macs}))
    if not is_bound(len(known), bases):
        wanted = "1" if bases == 1 else "1 or 2" if bases == 2 else "3"  # noqa: PLR2004 - the table of licensing.md 9
        raise LicenceFormatError(f"a key for {bases} base stations is bound to the MACs of {wanted}, not {len(known)}")
    if not secret:
        raise LicenceFormatError("the secret that signs licence keys is empty")
    numbers = b"".join(bytes.fromhex(mac.replace(":", "")) for mac in known).ljust(MAX_MACS * _MAC_SIZE, b"\0")
    body = bytes((VERSION, bases, len(known))) + bytes.fromhex(canonical_park) + numbers
    data = body + _check(body) + _tag(body, secret)
    return DectKey(_text(data), canonical_park, known, bases, data)


def is_bound(macs: int, bases: int) -> bool:
    """Whether a key for so many base stations holds so many MACs."""
    return 0 < macs <= min(bases, MAX_MACS) and (macs == MAX_MACS or bases < MAX_MACS)


def _macs(body: bytes, count: int) -> tuple[str, ...] | None:
    """The MACs of a key: stations' own, each once, ascending, and nothing behind them."""
    numbers = [body[start : start + _MAC_SIZE] for start in range(_MACS_AT, _CHECK_AT, _MAC_SIZE)]
    if any(any(number) for number in numbers[count:]):
        return None
    macs = tuple(mac for mac in (address.mac_address(number.hex()) for number in numbers[:count]) if mac is not None)
    return macs if len(macs) == count and sorted(set(macs)) == list(macs) else None


def _mac(text: str) -> str:
    mac = address.mac_address(text)
    if mac is None:
        raise LicenceFormatError(f"{text!r} {address.NO_STATION}")
    return mac


def _check(body: bytes) -> bytes:
    return hashlib.sha256(_CHECK_LABEL + body).digest()[: _TAG_AT - _CHECK_AT]


def _tag(body: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, _TAG_LABEL + body, "sha256")[: DATA_SIZE - _TAG_AT]


def _text(data: bytes) -> str:
    number = int.from_bytes(data, "big")
    return "".join(ALPHABET[number >> shift & 31] for shift in range(8 * DATA_SIZE - 5, -1, -5))
