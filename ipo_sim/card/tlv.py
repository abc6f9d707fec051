"""BER-TLV data objects as ISO/IEC 7816-4 codes them: definite lengths, padding of 00 and FF in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

# Tags of cards have 3 bytes at most, lengths 3 bytes behind the first (ISO/IEC 7816-4, 5.2.2).
MAX_TAG_BYTES = 3
MAX_LENGTH_BYTES = 3
# More objects than this in one file mean that it holds something else.
MAX_OBJECTS = 64

_PADDING = (0x00, 0xFF)
_LONG_TAG = 0x1F
_MORE = 0x80


class TlvError(ValueError):
    """Bytes that are no sequence of data objects."""


class Tlv(NamedTuple):
    """A data object."""

    tag: int
    value: bytes


def parse(data: bytes) -> tuple[Tlv, ...]:
    """All objects on the first level; TlvError when one is cut off or malformed."""
    found: list[Tlv] = []
    at = 0
    while at < len(data):
        if data[at] in _PADDING:
            at += 1
            continue
        tag, at = _tag(data, at)
        length, at = _length(data, at)
        if at + length > len(data):
            raise TlvError(f"object {tag:X} has {length} bytes, {len(data) - at} are there")
        if len(found) == MAX_OBJECTS:
            raise TlvError(f"more than {MAX_OBJECTS} data objects")
        found.append(Tlv(tag, data[at : at + length]))
        at += length
    return tuple(found)


def values(data: bytes, *path: int) -> Iterator[bytes]:
    """The values of all objects that stand at a path of tags; TlvError as `parse`."""
    tag, *rest = path
    for found in parse(data):
        if found.tag == tag:
            yield from values(found.value, *rest) if rest else (found.value,)


def encode(tag: int, value: bytes) -> bytes:
    """The object with the shortest form of its length; ValueError for a value that is too long."""
    name = tag.to_bytes((tag.bit_length() + 7) // 8 or 1)
    size = len(value)
    if size < _MORE:
        return name + bytes((size,)) + value
    length = size.to_bytes((size.bit_length() + 7) // 8)
    if len(length) > MAX_LENGTH_BYTES:
        raise ValueError(f"a data object holds less than 16 MiB, not {size} bytes")
    return name + bytes((_MORE | len(length),)) + length + value


def _tag(data: bytes, at: int) -> tuple[int, int]:
    tag = data[at]
    at += 1
    if tag & _LONG_TAG != _LONG_TAG:
        return tag, at
    for _ in range(MAX_TAG_BYTES - 1):
        if at == len(data):
            raise TlvError("cut off within a tag")
        tag = tag << 8 | data[at]
        at += 1
        if not data[at - 1] & _MORE:
            return tag, at
    raise TlvError(f"a tag of more than {MAX_TAG_BYTES} bytes")


def _length(data: bytes, at: int) -> tuple[int, int]:
    if at == len(data):
        raise TlvError("cut off before a length")
    first = data[at]
    at += 1
    if first < _MORE:
        return first, at
    count = first - _MORE
    if not 1 <= count <= MAX_LENGTH_BYTES:
        raise TlvError(f"a length begins with {first:02X}")
    if at + count > len(data):
        raise TlvError("cut off within a length")
    return int.from_bytes(data[at : at + count]), at + count
