"""FKC-1 by its test vectors, and against contents that were made without the code under test."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.card import ndef
from ipo_sim.card.issuer import BENCH_ISSUER, BENCH_ISSUER_SEED
from ipo_sim.card.layout import FkcContent, from_memory, key_id, to_memory
from ipo_sim.card.ndef import NdefError, content_of, message_in, records
from ipo_sim.card.reading import derived_serial
from ipo_sim.card.unreadable import CardUnreadable
from ipo_sim.core.model import KeyReason
from ipo_sim.readers.card_crypto import SignatureCheck
from tests.card import emulated_cards as cards

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
VECTORS: dict[str, Any] = json.loads((REFERENCE / "feature-key-card-vectors.json").read_text())
PAGE = (REFERENCE / "feature-key-card.md").read_text()

SERIALS = st.text("0123456789", min_size=10, max_size=10)
CONTENTS = st.builds(
    FkcContent,
    SERIALS,
    st.sampled_from([None, "alaw", "mulaw"]),
    st.none() | st.binary(min_size=8, max_size=8),
    st.none() | st.binary(min_size=64, max_size=64),
    st.none() | st.binary(min_size=64, max_size=64).map(b"\x04".__add__),
)


def octets(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


def numbered(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", VECTORS[name], ids=[f"{name}-{n}" for n in range(len(VECTORS[name]))])


@numbered("contents")
def test_contents(vector: dict[str, Any]) -> None:
    content = FkcContent.from_tlv(bytes.fromhex(vector["content"]))
    assert (content.serial, content.law) == (vector["serial"], vector["law"])
    assert content.key_id == octets(vector["key_id"])
    assert content.public_key == octets(vector["public_key"])
    assert content.signature == octets(vector["signature"])
    assert content.to_tlv().hex().upper() == vector["content"]
    if content.signature is not None:
        assert content.signed_part() == octets(vector["signed_part"])
        assert SignatureCheck().ed25519_holds(BENCH_ISSUER, content.signature, content.signed_part())


@numbered("bad_contents")
def test_bad_contents(vector: dict[str, Any]) -> None:
    with pytest.raises(CardUnreadable) as caught:
        FkcContent.from_tlv(bytes.fromhex(vector["content"]))
    assert caught.value.reason is KeyReason.INVALID_REGISTERS


@numbered("challenges")
def test_challenges(vector: dict[str, Any]) -> None:
    key, answer, challenge = (bytes.fromhex(vector[name]) for name in ("public_key", "response", "challenge"))
    assert SignatureCheck().p256_holds(key, answer, challenge) is vector["holds"]


@numbered("memory")
def test_short_forms(vector: dict[str, Any]) -> None:
    assert to_memory(vector["serial"]).hex().upper() == vector["bytes"]
    assert from_memory(bytes.fromhex(vector["bytes"]) + b"\xff") == vector["serial"]


@numbered("ndef")
def test_ndef_messages(vector: dict[str, Any]) -> None:
    content = FkcContent.from_tlv(bytes.fromhex(vector["content"]))
    assert ndef.encode(content).hex().upper() == vector["message"]
    assert content_of(bytes.fromhex(vector["message"])) == content


@numbered("derived_serials")
def test_derived_serials(vector: dict[str, Any]) -> None:
    digest = hashlib.sha256(b"ipo-sim card serial 1\0" + vector["identity"].encode()).hexdigest()
    assert str(int(digest, 16))[-10:] == vector["serial"] == derived_serial(vector["identity"])


def test_the_bench_issuer_is_who_the_page_says() -> None:
    issuer = VECTORS["issuer"]
    assert bytes.fromhex(issuer["private_key"]) == BENCH_ISSUER_SEED
    assert bytes.fromhex(issuer["public_key"]) == BENCH_ISSUER
    assert bytes.fromhex(issuer["key_id"]) == key_id(BENCH_ISSUER)
    own = Ed25519PrivateKey.from_private_bytes(BENCH_ISSUER_SEED)
    assert cards.public_bytes(own) == BENCH_ISSUER
    assert {issuer["public_key"], issuer["key_id"], BENCH_ISSUER_SEED.decode()} <= set(
        PAGE.replace("`", "\n").split("\n")
    )


@given(CONTENTS)
def test_any_content_comes_back(content: FkcContent) -> None:
    assert FkcContent.from_tlv(content.to_tlv()) == content
    assert content_of(ndef.encode(content)) == content
    assert from_memory(to_memory(content.serial)) == content.serial


@given(SERIALS, st.integers(0, 16), st.integers(1, 255))
def test_a_changed_byte_of_a_short_form_is_seen(serial: str, at: int, change: int) -> None:
    data = bytearray(to_memory(serial))
    data[at] ^= change
    with pytest.raises(CardUnreadable) as caught:
        from_memory(bytes(data))
    assert caught.value.reason is KeyReason.INVALID_REGISTERS


@given(st.binary(max_size=300))
def test_garbage_is_unreadable(data: bytes) -> None:
    for read in (FkcContent.from_tlv, from_memory):
        try:
            read(data)
        except CardUnreadable as error:
            assert error.reason is KeyReason.INVALID_REGISTERS  # noqa: PT017 - it may be right by chance


@given(st.binary(max_size=300))
def test_garbage_is_no_message(data: bytes) -> None:
    try:
        found = list(records(data))
    except NdefError:
        assert content_of(data) is None
    else:
        assert sum(len(record.payload) for record in found) <= len(data)
    assert (message_in(data) or b"") in data


def test_a_message_with_an_identifier_and_a_long_record() -> None:
    payload = cards.fkc_content()
    message = bytes((0x8C, 5)) + len(payload).to_bytes(4) + b"\2" + b"fkc:1" + b"id" + payload
    assert content_of(message) == FkcContent.from_tlv(payload)


@pytest.mark.parametrize(
    "message", [b"", b"\xd4", b"\xb4\5\0fkc:1", b"\xd4\5\2fkc:1\0", b"\xd1\5\0fkc:1", b"\xd4\5\0fkc:2"]
)
def test_messages_without_ours(message: bytes) -> None:
    assert content_of(message) is None


def test_two_records_of_ours_are_one_too_many() -> None:
    record = ndef.encode(FkcContent(cards.SERIAL))
    with pytest.raises(CardUnreadable, match="more than one"):
        content_of(record * 2)


@pytest.mark.parametrize("length", ["03C8", "03FF00C8"])
def test_a_message_in_the_data_area_of_a_tag(length: str) -> None:
    body = bytes(range(200))
    area = bytes.fromhex("000103A00C34" + length) + body + b"\xfe"
    assert message_in(area) == body
    assert message_in(area[:100]) is None
    assert message_in(b"\0\xfe" + area) == b""


@pytest.mark.parametrize(
    ("key", "signature"), [(b"", b""), (b"\1" * 32, bytes(64)), (bytes(31), bytes(64))], ids=range(3)
)
def test_keys_that_are_none_hold_nothing(key: bytes, signature: bytes) -> None:
    assert not SignatureCheck().ed25519_holds(key, signature, b"x")
    assert not SignatureCheck().p256_holds(key, signature, b"x")
    assert not SignatureCheck().p256_holds(cards.point(cards.CARD_KEY), signature, b"x")
