"""What the error bytes of BAD mean, docs/reference/line-protocol.md: the maker's reason, and the words for it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ipo_sim.core.words import KeyReason

_BUS_ERRORS = (*range(0x01, 0x10), 0xFF)
_CONTENT_ERRORS = range(0x10, 0x20)

_MEANINGS: Mapping[int, str] = MappingProxyType(
    {
        0x01: "the bus gives no start condition",
        0x02: "the card does not answer its address",
        0x03: "the card takes no data address",
        0x04: "the bus gives no repeated start",
        0x05: "the card does not answer its address",
        0x06: "the card stops in the middle of its data",
        0x10: "the card is blank, or holds something else than a feature key",
        0x11: "the length on the card is not possible",
        0x12: "the checksum on the card is wrong",
        0x13: "the serial on the card has forbidden characters",
        0xFF: "the bus comes to no end",
    }
)
_BY_REASON: Mapping[KeyReason, str] = MappingProxyType(
    {
        KeyReason.NO_REGISTER_ACCESS: "the bus fails",
        KeyReason.INVALID_REGISTERS: "the content of the card is not in order",
        KeyReason.NON_SPECIFIC_ERROR: "the reader cannot use the card",
    }
)


def reason_of(error: int) -> KeyReason:
    """The maker's reason."""
    if error in _BUS_ERRORS:
        return KeyReason.NO_REGISTER_ACCESS
    return KeyReason.INVALID_REGISTERS if error in _CONTENT_ERRORS else KeyReason.NON_SPECIFIC_ERROR


def words_of(error: int) -> str:
    """What is wrong, with the byte by which the bench guide knows it."""
    meaning = _MEANINGS.get(error) or _BY_REASON[reason_of(error)]
    return f"{meaning} (error {error:02X})"
