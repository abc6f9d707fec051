"""FKC/1 lines written without the codec under test, from the specification alone."""

from __future__ import annotations

import re

PRINTABLE = bytes(range(0x20, 0x7F))

_LINE = re.compile(rb"\$([ -#%-)+-~]*)\*([0-9A-F]{4})")


def slow_crc(data: bytes) -> int:
    """CRC-16/CCITT-FALSE bit by bit, as a microcontroller computes it."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def line(tag: str, seq: int, *fields: object) -> bytes:
    """One line with its line end."""
    body = ",".join((tag, f"{seq & 0xFF:02X}", *map(str, fields))).encode()
    return b"$%b*%04X\r\n" % (body, slow_crc(body))


def sound_lines(stream: bytes) -> list[bytes]:
    """Bodies of all lines of a stream whose shape, length, end and CRC are right, one byte after the other."""
    bodies: list[bytes] = []
    start: int | None = None
    for at, byte in enumerate(stream):
        if byte == ord("$"):
            start = at
        elif byte in b"\r\n" and start is not None:
            match = _LINE.fullmatch(stream[start:at])
            if match and at - start <= 120 and slow_crc(match[1]) == int(match[2], 16):
                bodies.append(match[1])
            start = None
        elif byte not in PRINTABLE:
            start = None
    return bodies
