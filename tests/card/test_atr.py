"""Answers to reset of known cards, and any bytes for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.card.atr import Atr, AtrError, Medium, medium_of
from tests.card import emulated_cards as cards
from tests.card import ordinary_cards as ordinary


@pytest.mark.parametrize(
    ("text", "protocols", "historical"),
    [
        ("3B00", (0,), ""),
        ("3B02534D", (0,), "534D"),
        ("3F2100FF", (0,), "FF"),
        ("3BDA18FF81B1FE751F030031F573C001600090001C", (1, 1, 15), "0031F573C00160009000"),
        ("3B8180018080", (0, 1), "80"),
    ],
)
def test_parts_of_an_atr(text: str, protocols: tuple[int, ...], historical: str) -> None:
    atr = Atr.from_bytes(bytes.fromhex(text))
    assert atr.protocols == protocols
    assert atr.historical.hex().upper() == historical


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "2 to 33 bytes"),
        ("3B", "2 to 33 bytes"),
        ("3B" + "00" * 33, "2 to 33 bytes"),
        ("0000", "begins with 3B or 3F"),
        ("3B05AA", "5 historical bytes, 1 are there"),
        ("3B80", "within its interface bytes"),
        ("3B70AA", "within its interface bytes"),
        ("3B8001", "check byte"),
        ("3B800100", "check byte"),
        ("3B0000", "behind the end"),
    ],
)
def test_what_is_wrong_is_told(text: str, why: str) -> None:
    with pytest.raises(AtrError, match=why):
        Atr.from_bytes(bytes.fromhex(text))


@pytest.mark.parametrize(
    ("card", "medium"),
    [
        (cards.FkcCard(), Medium.CHIP),
        (cards.MemoryCard("i2c"), Medium.I2C),
        (cards.MemoryCard("sle4442"), Medium.SLE4442),
        (cards.Type2Tag(), Medium.TAG),
        (cards.Type4Tag(), Medium.CHIP),
        (ordinary.OpenPgpCard(), Medium.CHIP),
        (ordinary.PivCard(), Medium.CHIP),
        (ordinary.CplcCard(), Medium.CHIP),
        (ordinary.GdoCard(), Medium.CHIP),
        (ordinary.SimCard(), Medium.CHIP),
        (ordinary.SimCard(0xA0), Medium.CHIP),
    ],
)
def test_the_media_of_cards(card: cards.EmulatedCard, medium: Medium) -> None:
    assert Atr.from_bytes(card.atr).medium is medium


@pytest.mark.parametrize(
    ("standard", "medium"),
    [(0x03, Medium.TAG), (0x0B, Medium.TAG), (0x0D, Medium.I2C), (0x0E, Medium.I2C), (0x0F, Medium.SLE4442)],
)
def test_the_standards_of_storage_cards(standard: int, medium: Medium) -> None:
    body = bytes.fromhex("8F8001804F0CA000000306") + bytes((standard, 0, 1, 0, 0, 0, 0))
    check = 0
    for byte in body:
        check ^= byte
    assert medium_of(b"\x3b" + body + bytes((check,))) is medium


@given(st.binary(max_size=40))
def test_any_bytes(raw: bytes) -> None:
    try:
        atr = Atr.from_bytes(raw)
    except AtrError:
        assert medium_of(raw) is Medium.CHIP
    else:
        assert len(atr.historical) == raw[1] & 0x0F
        assert medium_of(raw) is atr.medium
