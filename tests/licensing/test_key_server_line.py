"""FKS/1 on the wire: the test vectors of the reference, and what comes of bytes that nobody meant."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.errors import KeyServerError
from ipo_sim.licensing.key_server_line import MAX_FIELDS, MAX_LINE, Line, VersionError, to_bytes
from ipo_sim.licensing.key_server_messages import ANSWERS, REQUESTS, Hello, Message, Refused, State, message_of

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
VECTORS = json.loads((REFERENCE / "key-server-vectors.json").read_text(encoding="utf-8"))
MESSAGES = {**REQUESTS, **ANSWERS}
NONCE = "00112233445566778899aabbccddeeff"


def read(data: bytes) -> Message:
    return message_of(Line.from_bytes(data), MESSAGES)


def number_of(vector: dict[str, Any]) -> int:
    return int(VECTORS["lines"].index(vector))


@pytest.mark.parametrize("vector", VECTORS["lines"], ids=number_of)
def test_lines_mean_what_the_vectors_say(vector: dict[str, Any]) -> None:
    message = read(vector["line"].encode())
    told = {field.name: getattr(message, field.name) for field in fields(message)}
    assert vector["type"] == message.TYPE
    assert {name: value for name, value in told.items() if name in vector["fields"]} == vector["fields"]


@pytest.mark.parametrize("vector", VECTORS["lines"], ids=number_of)
def test_messages_are_written_as_the_vectors_say(vector: dict[str, Any]) -> None:
    secret = vector["secret"] and vector["secret"].encode()
    message = MESSAGES[vector["type"]](**vector["fields"])
    assert message.to_bytes(secret) == vector["line"].encode() + b"\n"


@pytest.mark.parametrize("vector", VECTORS["lines"], ids=number_of)
def test_signatures_are_an_hmac_of_all_that_stands_before(vector: dict[str, Any]) -> None:
    line = Line.from_bytes(vector["line"].encode())
    if vector["secret"] is None:
        assert line.auth is None
        return
    before, _, auth = vector["line"].rpartition(" auth=")
    secret = vector["secret"].encode()
    assert hmac.new(secret, before.encode(), hashlib.sha256).hexdigest() == auth
    assert line.is_signed_with(secret)
    assert not line.is_signed_with(secret + b"x")


def test_the_vectors_have_every_type() -> None:
    assert {vector["type"] for vector in VECTORS["lines"]} == set(MESSAGES)


@pytest.mark.parametrize("text", VECTORS["malformed"], ids=VECTORS["malformed"].index)
def test_what_is_no_line_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(KeyServerError):
        read(text.encode())


def test_another_version_is_told_as_such() -> None:
    with pytest.raises(VersionError, match="FKS/2"):
        Line.from_bytes(b"FKS/2 WHATEVER \xff\n")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_line_ends(end: bytes) -> None:
    assert read(f"FKS/1 HELLO nonce={NONCE}".encode() + end) == Hello(NONCE)


def test_fields_of_later_versions_are_passed_over() -> None:
    assert read(f"FKS/1 HELLO later=%C3%BC nonce={NONCE} more=".encode()) == Hello(NONCE)


def test_a_line_is_at_most_so_long() -> None:
    head = f"FKS/1 HELLO nonce={NONCE} x="
    fits = head + "y" * (MAX_LINE - len(head) - 1)
    assert read(fits.encode() + b"\n") == Hello(NONCE)
    with pytest.raises(KeyServerError):
        read(fits.encode() + b"y\n")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("HELLO", {"x": "y" * MAX_LINE}),
        ("hello", {}),
        ("HELLO", {"auth": "0" * 64}),
        ("HELLO", {"x\n": ""}),
        ("HELLO", {"x": "\udc80"}),
        ("HELLO", {chr(ord("a") + number): "" for number in range(MAX_FIELDS + 1)}),
    ],
    ids=range(6),
)
def test_what_no_line_can_say_is_not_said(kind: str, told: dict[str, str]) -> None:
    with pytest.raises(KeyServerError):
        to_bytes(kind, told, None)


@pytest.mark.parametrize(
    "message", [Hello("x"), Refused("Code", ""), Refused("code", "x" * 121), State(NONCE, -1, "0" * 16, "x", "x", 0)]
)
def test_values_that_a_field_does_not_allow_are_not_sent(message: Message) -> None:
    with pytest.raises(KeyServerError):
        message.to_bytes()


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=30))
def test_any_text_comes_back(text: str) -> None:
    message = Refused("stale", text, nonce=NONCE, seq=7)
    assert read(message.to_bytes(b"secret")) == message


def pieces() -> st.SearchStrategy[bytes]:
    """Bytes that get past the first look more often than random ones."""
    some = [b"FKS/1 ", b"POLL", b"HELLO", b" nonce=", NONCE.encode(), b" auth=", b"0" * 64, b" seq=", b"%", b"=", b"\n"]
    return st.lists(st.one_of(st.sampled_from(some), st.binary(max_size=8)), max_size=20).map(b"".join)


@given(st.one_of(st.binary(max_size=2 * MAX_LINE), pieces()))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    try:
        message = read(data)
    except KeyServerError:
        return
    assert len(data) <= MAX_LINE
    assert read(message.to_bytes()) == message


SIGNED = Hello(NONCE).to_bytes(b"secret")


@given(st.integers(0, len(SIGNED) - 2), st.integers(1, 255))
def test_whoever_alters_a_byte_loses_the_signature(at: int, change: int) -> None:
    altered = bytearray(SIGNED)
    altered[at] ^= change
    try:
        line = Line.from_bytes(bytes(altered))
    except KeyServerError:
        return
    assert not line.is_signed_with(b"secret")
