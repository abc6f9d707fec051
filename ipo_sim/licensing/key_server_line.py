"""FKS/1, the protocol between control units and a feature key server: one line of bytes, taken apart and signed.

The specification is docs/reference/key-server.md. A line is `FKS/1 TYPE[ name=value]...[ auth=HMAC]` LF.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import NamedTuple, Self

from ipo_sim.errors import KeyServerError

PROTOCOL = 1
# With its LF: a line fits into one datagram of any network, and into the memory of a small machine.
MAX_LINE = 512
MAX_FIELDS = 16

_HEAD = re.compile(rb"FKS/([1-9][0-9]{0,2}) ")
_SHAPE = re.compile(rb"FKS/[0-9]+ ([A-Z]{1,12})((?: [a-z]{1,12}=[!-~]*)*)")
_AUTH = re.compile(rb"(.*) auth=([0-9a-f]{64})", re.DOTALL)
_TYPE = re.compile(r"[A-Z]{1,12}")
_NAME = re.compile(r"(?!auth$)[a-z]{1,12}")
_ESCAPE = re.compile(rb"%([0-9A-F]{2}|)")
# The blank ends a value, the per cent sign begins an escape, and what is not printable ASCII needs one.
_SPECIAL = re.compile(rb"[^!-$&-~]")


class VersionError(KeyServerError):
    """A line of another version of the protocol: nothing else in it can be understood."""


class Line(NamedTuple):
    """A line before its fields are understood. `signed` are the bytes that `auth`, if there, was made of."""

    type: str
    fields: Mapping[str, str]
    signed: bytes
    auth: bytes | None = None

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Take a line apart, line end or not; KeyServerError when it is none, VersionError when of another version."""
        text = data.removesuffix(b"\n").removesuffix(b"\r")
        head = _HEAD.match(text)
        if head is None or len(text) >= MAX_LINE:
            raise KeyServerError("not a line of FKS")
        if int(head[1]) != PROTOCOL:
            raise VersionError(f"FKS/{int(head[1])} is not spoken here, only FKS/{PROTOCOL}")
        mark = _AUTH.fullmatch(text)
        signed, auth = (mark[1], bytes.fromhex(mark[2].decode())) if mark else (text, None)
        shape = _SHAPE.fullmatch(signed)
        if shape is None:
            raise KeyServerError(f"not a line of FKS/{PROTOCOL}")
        return cls(shape[1].decode(), _fields(shape[2].split()), signed, auth)

    def is_signed_with(self, secret: bytes) -> bool:
        """Whether who sent it knows the secret."""
        return self.auth is not None and hmac.compare_digest(self.auth, sign(self.signed, secret))


def to_bytes(kind: str, fields: Mapping[str, str], secret: bytes | None) -> bytes:
    """The line with its LF, signed when there is a secret; KeyServerError for what no line can carry."""
    if not _TYPE.fullmatch(kind) or len(fields) > MAX_FIELDS or not all(map(_NAME.fullmatch, fields)):
        raise KeyServerError(f"cannot be said in FKS/{PROTOCOL}: {kind} with {', '.join(fields)}")
    words = [f"FKS/{PROTOCOL}", kind, *(f"{name}={_escape(value)}" for name, value in fields.items())]
    signed = " ".join(words).encode("ascii")
    auth = b" auth=" + sign(signed, secret).hex().encode("ascii") if secret else b""
    line = signed + auth + b"\n"
    if len(line) > MAX_LINE:
        raise KeyServerError(f"a line of {len(line)} bytes; FKS/{PROTOCOL} has {MAX_LINE} at most")
    return line


def sign(text: bytes, secret: bytes) -> bytes:
    """The 32 bytes of `auth` for everything that stands before its blank."""
    return hmac.digest(secret, text, "sha256")


def _fields(words: list[bytes]) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    for word in words:
        name, _, value = word.partition(b"=")
        if name == b"auth" or name.decode() in fields or len(fields) == MAX_FIELDS:
            raise KeyServerError(f"{name.decode()}= stands in a wrong place, twice, or is one field too many")
        fields[name.decode()] = _unescape(value)
    return fields


def _escape(value: str) -> str:
    try:
        return _SPECIAL.sub(lambda found: f"%{found[0][0]:02X}".encode(), value.encode("utf-8")).decode("ascii")
    except UnicodeEncodeError:
        raise KeyServerError("a value that is no text") from None


def _unescape(value: bytes) -> str:
    try:
        return _ESCAPE.sub(_byte, value).decode("utf-8")
    except UnicodeDecodeError:
        raise KeyServerError("a value that is no UTF-8") from None


def _byte(escape: re.Match[bytes]) -> bytes:
    if not escape[1]:
        raise KeyServerError("a per cent sign without two hexadecimal digits")
    return bytes.fromhex(escape[1].decode())
