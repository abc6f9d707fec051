"""The answer to reset (ISO/IEC 7816-3), and what readers make of cards that have none (PC/SC part 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Self

MAX_ATR = 33
_CONVENTIONS = (0x3B, 0x3F)

# PC/SC part 3: application identifier of storage cards, then a byte for the standard and two for the card's name.
_STORAGE = bytes.fromhex("804F0CA000000306")


class AtrError(ValueError):
    """Bytes that are no answer to reset."""


class Medium(Enum):
    """How a card is talked with."""

    CHIP = "chip card"
    I2C = "memory card 24Cxx"
    SLE4442 = "memory card SLE4442"
    TAG = "contactless tag"


# The standards of PC/SC part 3 that have contacts: I2C, extended I2C, two-wire bus protocol. 10 is three-wire.
_CONTACT_STANDARDS = {0x0D: Medium.I2C, 0x0E: Medium.I2C, 0x0F: Medium.SLE4442}

# Other readers present the four bytes of a synchronous card, or what they call it, as historical bytes.
_SYNCHRONOUS = {b"I2C.": Medium.I2C, bytes.fromhex("A2131091"): Medium.SLE4442}


@dataclass(frozen=True, slots=True)
class Atr:
    """An answer to reset: the transmission protocols that it offers, its historical bytes, the check byte if any."""

    protocols: tuple[int, ...]
    historical: bytes
    check: int | None

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Take an ATR apart; AtrError when it is cut off, too long, or its check byte is wrong."""
        if not 2 <= len(raw) <= MAX_ATR:  # noqa: PLR2004 - TS and T0 are always there
            raise AtrError(f"an ATR has 2 to {MAX_ATR} bytes, not {len(raw)}")
        if raw[0] not in _CONVENTIONS:
            raise AtrError(f"an ATR begins with 3B or 3F, not {raw[0]:02X}")
        protocols, at = _interfaces(raw)
        count = raw[1] & 0x0F
        historical = raw[at : at + count]
        rest = raw[at + count :]
        if len(historical) < count:
            raise AtrError(f"an ATR with {count} historical bytes, {len(historical)} are there")
        if any(protocols):
            if len(rest) != 1 or _xor(raw[1:]):
                raise AtrError("the check byte of the ATR is missing or wrong")
        elif rest:
            raise AtrError(f"{len(rest)} bytes behind the end of the ATR")
        return cls(protocols, historical, rest[0] if rest else None)

    @property
    def medium(self) -> Medium:
        """What kind of medium it announces."""
        if self.historical.startswith(_STORAGE):
            standard = int.from_bytes(self.historical[len(_STORAGE) : len(_STORAGE) + 1])
            return _CONTACT_STANDARDS.get(standard, Medium.TAG)
        return Medium.CHIP if self.check is not None else _SYNCHRONOUS.get(self.historical, Medium.CHIP)


def medium_of(raw: bytes) -> Medium:
    """The medium behind an ATR; a chip card when the ATR is not in order, since its reader powered it all the same."""
    try:
        return Atr.from_bytes(raw).medium
    except AtrError:
        return Medium.CHIP


def _interfaces(raw: bytes) -> tuple[tuple[int, ...], int]:
    """The protocols that the TD bytes name (T=0 alone if there is none), and where the historical bytes begin."""
    protocols = []
    follows = raw[1] >> 4
    at = 2
    while True:
        at += (follows & 0b0111).bit_count()
        if not follows & 0b1000:
            break
        if at >= len(raw):
            raise AtrError("an ATR cut off within its interface bytes")
        protocols.append(raw[at] & 0x0F)
        follows = raw[at] >> 4
        at += 1
    if at > len(raw):
        raise AtrError("an ATR cut off within its interface bytes")
    return tuple(protocols) or (0,), at


def _xor(data: bytes) -> int:
    result = 0
    for byte in data:
        result ^= byte
    return result
