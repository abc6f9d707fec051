"""Licence keys once more, written from docs/reference/licence-key.md alone: bits as text, HMAC as RFC 2104 spells it.

Shares nothing with ipo_sim on purpose. What both agree on, the document says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, timedelta

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def body_of(code: int, instances: int, expiry: str | None, nonce: int, version: int = 1) -> bytes:
    days = 0 if expiry is None else (date.fromisoformat(expiry) - date(2000, 1, 1)).days
    two_byte_fields = (code, instances, days, nonce)
    return bytes([version]) + b"".join(field.to_bytes(2, "big") for field in two_byte_fields)


def check_of(body: bytes) -> bytes:
    return sha256(b"ipo-sim licence key 1 check" + b"\x00" + body)[0:4]


def tag_of(body: bytes, serial: str, secret: bytes) -> bytes:
    serial_bytes = serial.encode("ascii")
    message = b"ipo-sim licence key 1 tag" + b"\x00" + bytes([len(serial_bytes)]) + serial_bytes + body
    return hmac_sha256(secret, message)[0:7]


def text_of(data: bytes) -> str:
    bits = "".join(f"{byte:08b}" for byte in data)
    return "".join(DIGITS[int(bits[at : at + 5], 2)] for at in range(0, len(bits), 5))


def mint(vector: Mapping[str, object]) -> dict[str, str]:
    """What the document makes of the inputs of one test vector."""
    secret, serial, expiry = bytes.fromhex(str(vector["secret"])), str(vector["serial"]), vector["expiry"]
    numbers = {name: int(str(vector[name])) for name in ("licence_code", "instances", "nonce")}
    body = body_of(
        numbers["licence_code"], numbers["instances"], None if expiry is None else str(expiry), numbers["nonce"]
    )
    check, tag = check_of(body), tag_of(body, serial, secret)
    return {"body": body.hex(), "check": check.hex(), "tag": tag.hex(), "key": text_of(body + check + tag)}


def read(text: str) -> tuple[str, bytes] | None:
    """Canonical text and 20 bytes of a recognised string."""
    canonical = ""
    for character in text:
        if character in " \t\r\n\u00a0-":
            continue
        upper = chr(ord(character) - 32) if "a" <= character <= "z" else character
        canonical += {"I": "1", "L": "1", "O": "0"}.get(upper, upper)
    if len(canonical) != 32 or any(character not in DIGITS for character in canonical):
        return None
    bits = "".join(f"{DIGITS.index(character):05b}" for character in canonical)
    data = bytes(int(bits[at : at + 8], 2) for at in range(0, 160, 8))
    zero = b"\x00\x00"
    sound = data[0] == 1 and data[1:3] != zero and data[3:5] != zero and data[9:13] == check_of(data[0:9])
    return (canonical, data) if sound else None


def matches(data: bytes, serial: str, secret: bytes) -> bool:
    return data[13:20] == tag_of(data[0:9], serial, secret)


def expiry_of(data: bytes) -> date | None:
    days = int.from_bytes(data[5:7], "big")
    return date(2000, 1, 1) + timedelta(days=days) if days else None


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    block = (sha256(key) if len(key) > 64 else key).ljust(64, b"\x00")
    inner = bytes(byte ^ 0x36 for byte in block)
    outer = bytes(byte ^ 0x5C for byte in block)
    return sha256(outer + sha256(inner + message))


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
