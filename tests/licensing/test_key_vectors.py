"""The documented vectors, against the package and against an implementation made from the document alone."""

from __future__ import annotations

import json
import random
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.licensing.key import DEFAULT_SECRET, issue, normalise, recognise, verify
from tests.licensing import by_the_book

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
DOCUMENT = (REFERENCE / "licence-key.md").read_text(encoding="utf-8")
VECTORS: dict[str, Any] = json.loads((REFERENCE / "licence-key-vectors.json").read_text(encoding="utf-8"))
KEYS: list[dict[str, Any]] = VECTORS["keys"]
TEXTS: list[dict[str, Any]] = VECTORS["texts"]
CARD: str = VECTORS["texts_card"]
SECRET = bytes.fromhex(VECTORS["texts_secret"])

by_name = pytest.mark.parametrize("vector", KEYS, ids=[vector["name"] for vector in KEYS])
each_text = pytest.mark.parametrize("vector", TEXTS, ids=[vector["name"] for vector in TEXTS])


def test_there_are_vectors_of_both_kinds_and_no_two_are_the_same() -> None:
    assert len(KEYS) >= 12
    assert len({vector["key"] for vector in KEYS}) == len(KEYS)
    assert {vector["canonical"] is None for vector in TEXTS} == {True, False}


@by_name
def test_the_document_gives_the_vector(vector: dict[str, Any]) -> None:
    made = by_the_book.mint(vector)
    assert made == {name: vector[name] for name in made}


@by_name
def test_the_package_gives_the_vector(vector: dict[str, Any]) -> None:
    secret = bytes.fromhex(vector["secret"])
    expiry = date.fromisoformat(vector["expiry"]) if vector["expiry"] else None
    key = issue(
        licence_code=vector["licence_code"],
        instances=vector["instances"],
        expiry=expiry,
        serial=vector["serial"],
        secret=secret,
        nonce=vector["nonce"],
    )
    assert key.text == vector["key"]
    assert key.data.hex() == vector["body"] + vector["check"] + vector["tag"]
    assert recognise(vector["key"]) == key
    assert verify(key, vector["serial"], secret)


@each_text
def test_a_text_is_read_as_the_vector_says(vector: dict[str, Any]) -> None:
    read = by_the_book.read(vector["text"])
    assert (read[0] if read else None) == vector["canonical"]
    assert (read is not None and by_the_book.matches(read[1], CARD, SECRET)) is vector["matches"]
    key = recognise(vector["text"])
    assert (key.text if key else None) == vector["canonical"]
    assert (key is not None and verify(key, CARD, SECRET)) is vector["matches"]
    assert key is None or normalise(vector["text"]) == vector["canonical"]


def test_package_and_document_agree_beyond_the_vectors() -> None:
    rng = random.Random(20_000_101)
    letters = "0123456789ABCDEFGHJKMNPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    for _ in range(300):
        days = rng.choice([0, rng.randint(1, 0xFFFF)])
        expiry = date.fromordinal(date(2000, 1, 1).toordinal() + days) if days else None
        code, instances, nonce = rng.randint(1, 0xFFFF), rng.randint(1, 0xFFFF), rng.randint(0, 0xFFFF)
        serial = "".join(rng.choices(letters, k=rng.randint(1, 32)))
        secret = rng.randbytes(rng.randint(1, 130))
        key = issue(licence_code=code, instances=instances, expiry=expiry, serial=serial, secret=secret, nonce=nonce)
        body = by_the_book.body_of(code, instances, expiry.isoformat() if expiry else None, nonce)
        tag = by_the_book.tag_of(body, serial, secret)
        assert key.text == by_the_book.text_of(body + by_the_book.check_of(body) + tag)
        assert by_the_book.read(key.text) == (key.text, key.data)
        assert by_the_book.expiry_of(key.data) == key.expiry


def test_the_worked_example_is_one_of_the_vectors() -> None:
    vector = next(vector for vector in KEYS if vector["nonce"] == 4_660)
    example = DOCUMENT.split("## Worked example")[1].split("## Test vectors")[0]
    for name in ("secret", "body", "check", "tag", "key", "expiry"):
        assert vector[name] in example, name
    kind = load_catalogue().licences[vector["licence_code"]]
    assert f"licence code {kind.code} (`{kind.name}`)" in example
    assert f"{vector['body']} {vector['check']} {vector['tag']}" in example


def test_the_document_states_the_default_secret_and_that_it_protects_nothing() -> None:
    assert f"{len(DEFAULT_SECRET)} bytes `{DEFAULT_SECRET.decode()}`" in DOCUMENT
    assert "**A public secret protects nothing.**" in DOCUMENT
    assert bytes.fromhex(next(vector["secret"] for vector in KEYS)) == DEFAULT_SECRET


def test_the_document_s_digits_are_those_of_the_package() -> None:
    line = re.search(r"^    digit (.+)$", DOCUMENT, re.MULTILINE)
    assert line is not None
    assert "".join(line[1].split()) == by_the_book.DIGITS
