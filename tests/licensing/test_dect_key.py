"""Licence keys of IP DECT systems: the documented vectors, and what no key can be made of."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.errors import LicenceFormatError
from ipo_sim.licensing import address, key
from ipo_sim.licensing.dect_key import is_bound, issue, recognise, verify
from ipo_sim.licensing.key import DEFAULT_SECRET
from tests.licensing import by_the_book

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
DOCUMENT = (REFERENCE / "dect-licence-key.md").read_text(encoding="utf-8")
VECTORS: dict[str, Any] = json.loads((REFERENCE / "dect-licence-key-vectors.json").read_text(encoding="utf-8"))
PARK = "1F100A4C32"
MACS = tuple(f"02:00:5e:10:00:0{n}" for n in range(1, 6))

by_name = pytest.mark.parametrize("vector", VECTORS["keys"], ids=[vector["name"] for vector in VECTORS["keys"]])
each_text = pytest.mark.parametrize("vector", VECTORS["texts"], ids=[vector["name"] for vector in VECTORS["texts"]])


@by_name
def test_the_document_gives_the_vector(vector: dict[str, Any]) -> None:
    macs = sorted(mac.replace(":", "") for mac in vector["macs"])
    head = bytes([0xD1, vector["bases"], len(macs)])
    body = head + bytes.fromhex(vector["park"]) + bytes.fromhex("".join(macs).ljust(36, "0"))
    check = hashlib.sha256(b"ipo-sim dect licence key 1 check\x00" + body).digest()[:4]
    secret = bytes.fromhex(vector["secret"])
    tag = hmac.new(secret, b"ipo-sim dect licence key 1 tag\x00" + body, hashlib.sha256).digest()[:10]
    made = {"body": body.hex(), "check": check.hex(), "tag": tag.hex(), "key": by_the_book.text_of(body + check + tag)}
    assert made == {name: vector[name] for name in made}


@by_name
def test_the_package_gives_the_vector(vector: dict[str, Any]) -> None:
    secret = bytes.fromhex(vector["secret"])
    made = issue(park=vector["park"], macs=vector["macs"], bases=vector["bases"], secret=secret)
    assert made.text == vector["key"]
    assert made.data.hex() == vector["body"] + vector["check"] + vector["tag"]
    assert recognise(vector["key"]) == made
    assert (made.park, made.macs, made.bases) == (vector["park"], tuple(sorted(vector["macs"])), vector["bases"])
    assert verify(made, vector["park"], secret)
    assert made.text[:2] in ("T4", "T5", "T6", "T7")


@each_text
def test_a_text_is_read_as_the_vector_says(vector: dict[str, Any]) -> None:
    read = recognise(vector["text"])
    assert (read.text if read else None) == vector["canonical"]
    secret = bytes.fromhex(VECTORS["texts_secret"])
    assert (read is not None and verify(read, VECTORS["texts_park"], secret)) is vector["good"]


def test_the_worked_example_is_the_first_vector() -> None:
    example = DOCUMENT.split("## Worked example")[1].split("## Test vectors")[0]
    first = VECTORS["keys"][0]
    for name in ("check", "tag", "key", "park"):
        assert first[name] in example, name
    line = next(line for line in example.splitlines() if line.strip().startswith("body"))
    assert "".join(line.split()[1:]) == first["body"]
    assert DEFAULT_SECRET.decode() in DOCUMENT


def test_no_key_is_taken_for_one_of_the_other_kind() -> None:
    """It is entered in the DECT system and not in the unit, whose keys have 32 characters."""
    text = issue(park=PARK, macs=MACS[:3], bases=3, secret=DEFAULT_SECRET).text
    assert key.recognise(text) is None
    assert key.recognise(text[:32]) is None
    assert key.recognise(text[32:]) is None
    unit = key.issue(licence_code=1, instances=1, expiry=None, serial="1234567890", secret=DEFAULT_SECRET, nonce=0)
    assert recognise(unit.text) is None


BOUND = [
    pytest.param(1, {1}, id="one base station: its MAC"),
    pytest.param(2, {1, 2}, id="two: both, or the first one"),
    pytest.param(3, {3}, id="three: all"),
    pytest.param(32, {3}, id="more: three"),
]


@pytest.mark.parametrize(("bases", "allowed"), BOUND)
def test_how_many_macs_prove_how_many_base_stations(bases: int, allowed: set[int]) -> None:
    assert {count for count in range(6) if is_bound(count, bases)} == allowed
    for count in range(1, 5):
        if count in allowed:
            assert issue(park=PARK, macs=MACS[:count], bases=bases, secret=DEFAULT_SECRET).bases == bases
        else:
            with pytest.raises(LicenceFormatError, match=f"for {bases} base stations is bound to the MACs of"):
                issue(park=PARK, macs=MACS[:count], bases=bases, secret=DEFAULT_SECRET)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"park": "1F"}, "a PARK has 10 hexadecimal digits"),
        ({"park": "0000000000"}, "not all of them 0"),
        ({"bases": 0}, "1 to 255, not 0"),
        ({"bases": 256}, "1 to 255, not 256"),
        ({"macs": ("01:00:5e:00:00:01",), "bases": 1}, "is not the MAC address of a station"),
        ({"macs": ("nonsense",), "bases": 1}, "is not the MAC address of a station"),
        ({"macs": (MACS[0], MACS[0], MACS[1])}, "of 3, not 2"),
        ({"secret": b""}, "secret that signs licence keys is empty"),
    ],
    ids=["short PARK", "no PARK", "no base", "too many", "group address", "no MAC", "a MAC twice", "no secret"],
)
def test_what_no_key_is_made_of(change: dict[str, Any], message: str) -> None:
    sound: dict[str, Any] = {"park": PARK, "macs": MACS[:3], "bases": 3, "secret": DEFAULT_SECRET}
    with pytest.raises(LicenceFormatError, match=message):
        issue(**{**sound, **change})


stations = st.integers(1, 2**48 - 1).map(lambda n: f"{n & ~(1 << 40):012x}").filter(lambda digits: int(digits, 16) > 0)
parks = st.integers(1, 2**40 - 1).map(lambda n: f"{n:010X}")


@given(parks, st.lists(stations, min_size=1, max_size=3, unique=True), st.integers(1, 255), st.binary(min_size=1))
def test_what_is_issued_is_recognised_and_good_for_its_park_alone(
    park: str, macs: list[str], bases: int, secret: bytes
) -> None:
    if not is_bound(len(macs), bases):
        return
    made = issue(park=park, macs=macs, bases=bases, secret=secret)
    assert made == issue(park=park.lower(), macs=list(reversed(macs)), bases=bases, secret=secret)
    assert recognise(made.text) == made
    assert verify(made, park, secret)
    assert not verify(made, f"{int(park, 16) ^ 1:010X}", secret)
    assert not verify(made, park, secret + b"!")


@given(st.integers(0, 63), st.sampled_from(by_the_book.DIGITS))
def test_one_wrong_digit_is_never_good(place: int, digit: str) -> None:
    made = issue(park=PARK, macs=MACS[:3], bases=3, secret=DEFAULT_SECRET).text
    changed = made[:place] + digit + made[place + 1 :]
    read = recognise(changed)
    assert changed == made or read is None or not verify(read, PARK, DEFAULT_SECRET)


@given(st.text())
def test_any_text_can_be_asked(text: str) -> None:
    assert recognise(text) is None


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1f-10-0a-4c-32", PARK),
        ("1F100A4C32", PARK),
        ("0" * 10, None),
        ("1F100A4C3", None),
        ("1F100A4C3G", None),
        ("", None),
    ],
)
def test_a_park_is_ten_digits(text: str, canonical: str | None) -> None:
    assert address.park(text) == canonical
