"""Licence keys: limits of the format, what any text does, how any damage ends."""

from __future__ import annotations

import hmac
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipo_sim.errors import LicenceFormatError
from ipo_sim.licensing.key import (
    ALPHABET,
    BODY,
    CHECK_END,
    DEFAULT_SECRET,
    KEY_LENGTH,
    TAG_LABEL,
    TAG_SIZE,
    LicenceKey,
    issue,
    normalise,
    recognise,
    verifier,
    verify,
)

CARD = "1234567890"
# A string of the length and letters of the maker's; case matters in it.
FOREIGN = "cIvJZQhvDYUzOlYbTDxjR4mHLxe0kYUx"

numbers = st.integers(1, 0xFFFF)
serials = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", min_size=1, max_size=32)
secrets = st.binary(min_size=1, max_size=100)
expiries = st.none() | st.dates(date(2000, 1, 2), date(2179, 6, 6))


def a_key(**changes: Any) -> LicenceKey:
    arguments: dict[str, Any] = {
        "licence_code": 2,
        "instances": 16,
        "expiry": date(2026, 12, 31),
        "serial": CARD,
        "secret": DEFAULT_SECRET,
        "nonce": 5,
    }
    return issue(**arguments | changes)


keys = st.builds(a_key, licence_code=numbers, instances=numbers, expiry=expiries, nonce=st.integers(0, 0xFFFF))


@given(code=numbers, instances=numbers, expiry=expiries, nonce=st.integers(0, 0xFFFF), serial=serials, secret=secrets)
def test_what_is_issued_is_read_back_and_matches_its_card(
    code: int, instances: int, expiry: date | None, nonce: int, serial: str, secret: bytes
) -> None:
    key = issue(licence_code=code, instances=instances, expiry=expiry, serial=serial, secret=secret, nonce=nonce)
    assert (key.licence_code, key.instances, key.expiry, key.nonce) == (code, instances, expiry, nonce)
    assert len(key.text) == KEY_LENGTH
    assert set(key.text) <= set(ALPHABET)
    assert recognise(key.text) == key
    assert verify(key, serial, secret)


@given(key=keys, serial=serials, secret=secrets)
def test_another_card_or_another_secret_does_not_match(key: LicenceKey, serial: str, secret: bytes) -> None:
    assert verify(key, serial, DEFAULT_SECRET) is (serial == CARD)
    # RFC 2104: zero bytes at the end of a secret make no difference.
    assert verify(key, CARD, secret) is (secret.rstrip(b"\0") == DEFAULT_SECRET)


def test_the_case_of_a_serial_matters() -> None:
    key = a_key(serial="FK0123abc")
    assert verify(key, "FK0123abc", DEFAULT_SECRET)
    assert not verify(key, "FK0123ABC", DEFAULT_SECRET)


@given(key=keys, at=st.integers(0, KEY_LENGTH - 1), digit=st.sampled_from(ALPHABET))
def test_one_changed_digit_is_never_a_valid_key(key: LicenceKey, at: int, digit: str) -> None:
    # A wrong accept has the probability 2^-88 in the body, none elsewhere.
    damaged = key.text[:at] + digit + key.text[at + 1 :]
    read = recognise(damaged)
    assert (read is not None and verify(read, CARD, DEFAULT_SECRET)) is (damaged == key.text)


def test_every_single_change_of_a_key() -> None:
    # 2^-32 for each of the changes of the body is the chance that such a key does not keep this.
    key = a_key()
    for at in range(KEY_LENGTH):
        for digit in set(ALPHABET) - {key.text[at]}:
            read = recognise(key.text[:at] + digit + key.text[at + 1 :])
            in_tag_alone = at > 20 or (at == 20 and (ALPHABET.index(digit) ^ ALPHABET.index(key.text[at])) == 1)
            assert (read is not None) is in_tag_alone, (at, digit)
            assert read is None or not verify(read, CARD, DEFAULT_SECRET)


def test_exchanged_neighbours_are_no_valid_key() -> None:
    text = a_key().text
    for at in range(KEY_LENGTH - 1):
        swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        read = recognise(swapped)
        assert swapped == text or read is None or not verify(read, CARD, DEFAULT_SECRET)


@given(text=st.text(max_size=80) | st.text(ALPHABET + "ilo-u_ ", min_size=28, max_size=40))
@example(FOREIGN)
@example("\ud800" * 32)
@example("\u0130" * 32)
def test_any_text_is_taken_and_none_that_was_not_issued_is_recognised(text: str) -> None:
    # 32 random digits are recognised with probability 2^-40.
    assert recognise(text) is None
    assert normalise(normalise(text)) == normalise(text)


@given(key=keys, data=st.data())
def test_every_spelling_of_a_key_is_the_same_key(key: LicenceKey, data: st.DataObject) -> None:
    spelling = "".join(data.draw(st.sampled_from(_spellings(digit))) for digit in key.text)
    assert recognise(spelling) == key
    assert normalise(spelling) == key.text
    assert normalise(key.text) == key.text


def _spellings(digit: str) -> list[str]:
    alike = {"0": ["O", "o"], "1": ["I", "i", "L", "l"]}.get(digit, [])
    plain = [digit, digit.lower(), *alike]
    return plain + [text for one in plain for text in (f"-{one}", f"{one} ", f"\t{one}", f"{one}\r\n", f"\u00a0{one}")]


def test_a_string_that_is_not_ours_keeps_its_letters() -> None:
    assert normalise(f" {FOREIGN[:16]}-{FOREIGN[16:]}\n") == FOREIGN


@given(serial=st.text(max_size=40))
@example("")
@example("1234567890 ")
@example("\u0661\u0662\u0663")
@example("1" * 33)
def test_verify_takes_any_serial(serial: str) -> None:
    assert verify(a_key(), serial, DEFAULT_SECRET) is (serial == CARD)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"licence_code": 0}, "the licence code is 1 to 65535, not 0"),
        ({"licence_code": 65_536}, "the licence code is 1 to 65535, not 65536"),
        ({"instances": 0}, "the number of instances is 1 to 65535, not 0"),
        ({"instances": -1}, "the number of instances is 1 to 65535, not -1"),
        ({"nonce": 65_536}, "the nonce is 0 to 65535, not 65536"),
        ({"expiry": date(2000, 1, 1)}, "a licence can end after 2000-01-01 and up to 2179-06-06, not on 2000-01-01"),
        ({"expiry": date(2179, 6, 7)}, "a licence can end after 2000-01-01 and up to 2179-06-06, not on 2179-06-07"),
        ({"serial": ""}, "a card serial is 1 to 32 letters and digits, not ''"),
        ({"serial": "1" * 33}, f"a card serial is 1 to 32 letters and digits, not '{'1' * 33}'"),
        ({"serial": "12 34"}, "a card serial is 1 to 32 letters and digits, not '12 34'"),
        ({"serial": "\u0661"}, "a card serial is 1 to 32 letters and digits, not '\u0661'"),
        ({"secret": b""}, "the secret that signs licence keys is empty"),
    ],
)
def test_what_no_key_can_hold_is_refused_with_its_limits(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(LicenceFormatError) as refusal:
        a_key(**changes)
    assert str(refusal.value) == message


def test_a_key_ends_with_the_day_that_was_asked_for() -> None:
    first = date(2000, 1, 2)
    for days in (0, 58, 1_000, 65_534):
        key = recognise(a_key(expiry=first + timedelta(days=days)).text)
        assert key is not None
        assert key.expiry == first + timedelta(days=days)


@given(serial=serials, secret=secrets)
@example(serial=CARD, secret=b"x" * 64)
@example(serial=CARD, secret=b"x" * 65)
def test_a_tag_is_the_hmac_of_the_standard_library(serial: str, secret: bytes) -> None:
    key = issue(licence_code=8, instances=20, expiry=None, serial=serial, secret=secret, nonce=0)
    message = TAG_LABEL + bytes((len(serial),)) + serial.encode() + key.data[: BODY.size]
    assert key.data[CHECK_END:] == hmac.digest(secret, message, "sha256")[:TAG_SIZE]
    verified = verifier(serial, secret)
    assert verified(key)
    assert verified(key)
    assert not verified(a_key(serial=serial, secret=secret + b"x"))


def test_tags_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    key, calls = a_key(), []

    def compare(left: bytes, right: bytes) -> bool:
        calls.append(len(left))
        return left == right

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert verify(key, CARD, DEFAULT_SECRET)
    assert calls == [TAG_SIZE]


def test_the_bytes_of_a_key_do_not_clutter_its_representation() -> None:
    assert "data" not in repr(a_key())
