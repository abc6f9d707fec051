"""What a PN532 answers, taken apart: by the manual, cut off anywhere, and anything at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.card import pn532_commands as chip
from ipo_sim.card.atr import Atr, Medium, medium_of
from ipo_sim.card.pn532_commands import Pn532Error, Target

H = bytes.fromhex

# Number, SENS_RES, SEL_RES, UID with its length, ATS with its length.
CARD = H("01 01 0344 20 07 04112233445566 0A 7880024031C06C41 00")


def test_a_card_with_its_answer_to_select() -> None:
    target = chip.target_of(CARD)
    assert target == Target(1, 0x0344, 0x20, H("04112233445566"), H("0A7880024031C06C4100"))
    assert (target.is_iso_dep, target.is_type_2) == (True, False)
    # Format byte 78: TA, TB and TC are there, and 5 historical bytes.
    assert Atr.from_bytes(target.atr).historical == H("31C06C4100")
    assert medium_of(target.atr) is Medium.CHIP


@pytest.mark.parametrize(
    ("ats", "historical"), [("", ""), ("0101", ""), ("0278", ""), ("0338AA", ""), ("0300AA", "AA")]
)
def test_historical_bytes_of_short_answers(ats: str, historical: str) -> None:
    target = Target(1, 0x0344, 0x20, H("04112233"), H(ats) if ats != "0101" else b"\x01")
    assert Atr.from_bytes(target.atr).historical == H(historical)


@pytest.mark.parametrize(("sel_res", "name"), [(0x00, "0003"), (0x08, "0001"), (0x18, "0002"), (0x09, "FF09")])
def test_tags_have_the_answer_to_reset_that_pcsc_gives_them(sel_res: int, name: str) -> None:
    target = Target(1, 0x0044, sel_res, H("04112233"))
    assert Atr.from_bytes(target.atr).historical == H("804F0CA00000030603" + name + "00000000")
    assert medium_of(target.atr) is Medium.TAG
    assert target.is_type_2 == (sel_res == 0)


def test_the_atr_of_a_tag_is_the_one_that_readers_print() -> None:
    assert Target(1, 0x0044, 0, H("04112233")).atr == H("3B8F8001804F0CA0000003060300030000000068")


def test_nobody_there_and_answers_that_say_nothing() -> None:
    assert chip.target_of(b"\x00") is None
    for cut in range(1, len(CARD)):
        if cut == 13:
            # Without ATS it is a whole answer, of a tag.
            continue
        with pytest.raises(Pn532Error):
            chip.target_of(CARD[:cut])
    for answer in (b"", b"\x02", H("010100442000")):
        with pytest.raises(Pn532Error):
            chip.target_of(answer)


@given(st.binary(max_size=40))
def test_anything_is_an_answer_or_an_error(data: bytes) -> None:
    readers: list[Callable[[bytes], object]] = [chip.target_of, chip.firmware_of, chip.exchanged]
    for read in readers:
        try:
            told = read(data)
        except Pn532Error:
            continue
        if isinstance(told, Target):
            assert len(Atr.from_bytes(told.atr).historical) <= 15


def test_exchanges() -> None:
    assert chip.exchange(b"\x00\xa4") == H("400100A4")
    assert chip.exchange(b"\x00", more=True) == H("404100")
    assert chip.exchanged(H("4090")) == (0, True, b"\x90")
    assert chip.exchanged(H("01")) == (1, False, b"")
    assert chip.status_text(0x2B) == "the card is gone"
    assert chip.status_text(0x3F) == "error 3F of the chip"


def test_the_version_in_words() -> None:
    assert str(chip.firmware_of(H("32010607"))) == "PN532 1.6"
