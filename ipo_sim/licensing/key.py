"""Licence keys: our own open 32-character strings that bind a licence to the serial of a feature key card.

The format is written down in docs/reference/licence-key.md. It has nothing to do with the maker's keys.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Collection
from datetime import date
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from ipo_sim.errors import LicenceFormatError

KEY_LENGTH = 32
# Public, so that benches work out of the box: whoever reads this can mint keys. It protects nothing.
DEFAULT_SECRET = b"ipo-sim public bench secret"

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
VERSION = 1
# Version, licence code, instances, expiry, nonce.
BODY = Struct(">BHHHH")
_BODY_SIZE, _CHECK_SIZE = BODY.size, 4
CHECK_END = _BODY_SIZE + _CHECK_SIZE
DATA_SIZE = 20
TAG_SIZE = DATA_SIZE - CHECK_END
# The last letters of a key, of which at least one bit is the tag's: nothing tells a mistake there from another card.
TAG_LETTERS = -(-TAG_SIZE * 8 // 5)
# Labels keep the two digests apart from one another, from other uses of the secret, and from later versions.
CHECK_LABEL = b"ipo-sim licence key 1 check\0"
TAG_LABEL = b"ipo-sim licence key 1 tag\0"

# Code, instances, expiry and nonce have two bytes each.
FIELD_MAX = 0xFFFF
EXPIRY_EPOCH = date(2000, 1, 1)
EXPIRY_MAX = date.fromordinal(EXPIRY_EPOCH.toordinal() + FIELD_MAX)
# Feature key cards have 10 digits; other dongles and enrolled cards may have more.
SERIAL_MAX = 32

# What stands between the groups of a printed or pasted key.
_SEPARATORS = re.compile("[ \t\r\n\u00a0-]+")
_ASCII_SEPARATORS = b" \t\r\n-"
_LETTERS = ALPHABET.encode()
# No digit of any base: what is no letter of ours becomes it.
_FOREIGN = ord("!")
_DIGITS = "0123456789abcdefghijklmnopqrstuv"
# Of SHA-256; a longer secret is hashed first.
HMAC_BLOCK = 64
_INNER_PAD, _OUTER_PAD = bytes(byte ^ 0x36 for byte in range(256)), bytes(byte ^ 0x5C for byte in range(256))
# Takes up where the label has been hashed.
_begin_check = hashlib.sha256(CHECK_LABEL).copy
# Half the cost of a named tuple's own constructor, where a file has 100,000 of them.
_new = tuple.__new__


def _byte_table(to: str) -> bytes:
    """Translates each byte that can stand for a letter of ours; lower case and `I`, `L`, `O` are forgiven."""
    table = bytearray([_FOREIGN]) * 256
    for letters, targets in ((ALPHABET, to), (ALPHABET.lower(), to), ("IiLlOo", to[1] * 4 + to[0] * 2)):
        for letter, target in zip(letters, targets, strict=True):
            table[ord(letter)] = ord(target)
    return bytes(table)


# int() reads base 32 in the digits 0-9a-v.
_TO_DIGITS, _TO_LETTERS = _byte_table(_DIGITS), _byte_table(ALPHABET)


class LicenceKey(NamedTuple):
    """A recognised string: what it licenses and until the end of which day; None: for ever. `data` are its 20 bytes."""

    text: str
    licence_code: int
    instances: int
    expiry: date | None
    nonce: int
    data: bytes

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self._fields[:-1])})"


def normalise(text: str) -> str:
    """The string as it is kept: without blanks and hyphens, and in canonical letters if it is one of ours.

    A string that is not recognised keeps its letters: it may be the maker's, in which case matters.
    """
    if is_canonical(text):
        return text
    key = recognise(text)
    return key.text if key is not None else bare(text)


def is_canonical(text: str) -> bool:
    """Whether it has the length and the letters of a key of ours, whatever it spells."""
    return len(text) == KEY_LENGTH and not text.encode(errors="replace").translate(None, _LETTERS)


def are_canonical(texts: Collection[str]) -> bool:
    """Whether `is_canonical` is true of each: at one go, where there are thousands."""
    if any(len(text) != KEY_LENGTH for text in texts):
        return False
    return not "".join(texts).encode(errors="replace").translate(None, _LETTERS)


def bare(text: str) -> str:
    """A string without the blanks and hyphens between its groups."""
    return _SEPARATORS.sub("", text)


def key_problem(text: str) -> str | None:
    """What keeps a normalised string from being entered as a licence key, recognised or not; None: nothing.

    A CSV file has no text delimiter, so that a comma could not be written into one.
    """
    if len(text) == KEY_LENGTH and text.isascii() and text.isalnum():
        return None
    if len(text) != KEY_LENGTH:
        return f"a licence key has {KEY_LENGTH} characters, this one {len(text)}"
    if not (text.isascii() and text.isprintable()) or "," in text or '"' in text:
        return "a licence key has letters and digits, this one other characters"
    return None


def recognise(text: str) -> LicenceKey | None:
    """The key that the text spells, or None when it is none of ours; says nothing of card and secret.

    Lower case, blanks, hyphens, `I` and `L` for `1` and `O` for `0` are forgiven.
    """
    try:
        raw = text.encode("ascii")
        digits = raw.translate(_TO_DIGITS, _ASCII_SEPARATORS)
        if len(digits) != KEY_LENGTH:
            return None
        data = int(digits, 32).to_bytes(DATA_SIZE, "big")
    except UnicodeEncodeError:
        # Only no-break spaces can be forgiven.
        return recognise(text.replace("\u00a0", "")) if "\u00a0" in text else None
    except ValueError:
        return None
    version, code, instances, days, nonce = BODY.unpack_from(data)
    if version != VERSION or not code or not instances:
        return None
    check = _begin_check()
    check.update(data[:_BODY_SIZE])
    if check.digest()[:_CHECK_SIZE] != data[_BODY_SIZE:CHECK_END]:
        return None
    canonical = raw.translate(_TO_LETTERS, _ASCII_SEPARATORS).decode() if raw.translate(None, _LETTERS) else text
    return _new(LicenceKey, (canonical, code, instances, _expiry(days) if days else None, nonce, data))


def verify(key: LicenceKey, serial: str, secret: bytes) -> bool:
    """Whether the key was issued for the card of this serial with this secret; False too for what is no serial."""
    return verifier(serial, secret)(key)


def verifier(serial: str, secret: bytes) -> Callable[[LicenceKey], bool]:
    """`verify` for one card and secret, for many keys."""
    if not _is_serial(serial):
        return lambda _: False
    inner, outer = _hmac_states(secret)
    inner.update(_tag_label(serial))
    begin, finish, equal = inner.copy, outer.copy, hmac.compare_digest

    def verified(key: LicenceKey) -> bool:
        data = key[5]
        inner, outer = begin(), finish()
        inner.update(data[:_BODY_SIZE])
        outer.update(inner.digest())
        return equal(outer.digest()[:TAG_SIZE], data[CHECK_END:])

    return verified


def issue(
    *, licence_code: int, instances: int, expiry: date | None, serial: str, secret: bytes, nonce: int
) -> LicenceKey:
    """A new key; the same arguments give the same key. `nonce` tells keys apart that are equal otherwise.

    `licence_code` and `instances` 1-65535, `nonce` 0-65535, `expiry` 2000-01-02 to 2179-06-06, `serial` 1-32 ASCII
    letters and digits, `secret` not empty; LicenceFormatError names what is outside.
    """
    _require(licence_code, 1, "licence code")
    _require(instances, 1, "number of instances")
    _require(nonce, 0, "nonce")
    if expiry is not None and not EXPIRY_EPOCH < expiry <= EXPIRY_MAX:
        raise LicenceFormatError(f"a licence can end after {EXPIRY_EPOCH} and up to {EXPIRY_MAX}, not on {expiry}")
    if not _is_serial(serial):
        raise LicenceFormatError(f"a card serial is 1 to {SERIAL_MAX} letters and digits, not {serial!r}")
    if not secret:
        raise LicenceFormatError("the secret that signs licence keys is empty")
    days = expiry.toordinal() - EXPIRY_EPOCH.toordinal() if expiry is not None else 0
    body = BODY.pack(VERSION, licence_code, instances, days, nonce)
    data = body + _check(body) + _tag(body, serial, secret)
    return LicenceKey(_text(data), licence_code, instances, expiry, nonce, data)


def _check(body: bytes) -> bytes:
    return hashlib.sha256(CHECK_LABEL + body).digest()[:_CHECK_SIZE]


def _hmac_states(secret: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """HMAC-SHA-256 (RFC 2104) with the secret taken in: going on from here costs half of doing it all for each key."""
    block = (hashlib.sha256(secret).digest() if len(secret) > HMAC_BLOCK else secret).ljust(HMAC_BLOCK, b"\0")
    return hashlib.sha256(block.translate(_INNER_PAD)), hashlib.sha256(block.translate(_OUTER_PAD))


def _tag(body: bytes, serial: str, secret: bytes) -> bytes:
    return hmac.digest(secret, _tag_label(serial) + body, "sha256")[:TAG_SIZE]


def _tag_label(serial: str) -> bytes:
    """What stands before the body in a message."""
    # The length before the serial and the fixed size of the body let no two inputs give the same message.
    return TAG_LABEL + bytes((len(serial),)) + serial.encode("ascii")


@lru_cache(maxsize=1_024)
def _expiry(days: int) -> date:
    return date.fromordinal(EXPIRY_EPOCH.toordinal() + days)


def _text(data: bytes) -> str:
    number = int.from_bytes(data, "big")
    return "".join(ALPHABET[number >> shift & 31] for shift in range(8 * DATA_SIZE - 5, -1, -5))


def _is_serial(text: str) -> bool:
    return len(text) <= SERIAL_MAX and text.isascii() and text.isalnum()


def _require(value: int, low: int, what: str) -> None:
    if not low <= value <= FIELD_MAX:
        raise LicenceFormatError(f"the {what} is {low} to {FIELD_MAX}, not {value}")
