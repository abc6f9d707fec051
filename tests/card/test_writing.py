"""Written cards read as what was written; what does not fit, is locked or is no feature key is told and left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.card.assurance import Assurance
from ipo_sim.card.exchange import converse
from ipo_sim.card.kinds import Kind
from ipo_sim.card.layout import FkcContent
from ipo_sim.card.occupancy import Occupant, occupant_of
from ipo_sim.card.reading import CardPolicy, Inspection, inspect_card
from ipo_sim.card.unreadable import CardUnreadable
from ipo_sim.card.writing import CardWriteError, write_card
from ipo_sim.readers.card_crypto import SignatureCheck
from tests.card import emulated_cards as cards
from tests.card import ordinary_cards as ordinary
from tests.card.emulated_cards import EmulatedCard, H

TRUSTING = CardPolicy(issuers=(cards.public_bytes(cards.ISSUER),), crypto=SignatureCheck())
PLAIN = FkcContent("5550001111")
SIGNED = FkcContent.from_tlv(cards.fkc_content("5550001111", "mulaw", cards.ISSUER, cards.CARD_KEY))
CODE = H("FFFFFF")


def write(card: EmulatedCard, content: FkcContent, code: bytes | None = None) -> Kind:
    card.reset()
    return converse(write_card(card.atr, content, code), card.transmit)


def seen(card: EmulatedCard) -> Inspection:
    card.reset()
    return converse(inspect_card(card.atr, TRUSTING, bytes(16)), card.transmit)


def occupant(card: EmulatedCard) -> Occupant | None:
    card.reset()
    return converse(occupant_of(card.atr), card.transmit)


def refusal(card: EmulatedCard, content: FkcContent = PLAIN, code: bytes | None = None) -> str:
    with pytest.raises(CardWriteError) as caught:
        write(card, content, code)
    return str(caught.value)


def test_a_chip_card() -> None:
    card = cards.FkcCard(b"", key=cards.CARD_KEY)
    assert occupant(card) is None
    assert write(card, SIGNED) is Kind.FKC
    assert seen(card).found.content == SIGNED
    assert seen(card).assurance is Assurance.AUTHENTICATED
    assert occupant(card) == Occupant("serial 5550001111, signed", cards.point(cards.CARD_KEY))


def test_nothing_of_a_longer_content_stays() -> None:
    card = cards.authenticated_card()
    write(card, PLAIN)
    assert seen(card).found.content == PLAIN
    assert bytes(card.file).rstrip(b"\xff") == PLAIN.to_tlv()
    write(card, SIGNED)
    assert seen(card).found.content == SIGNED


@pytest.mark.parametrize(
    "card", [cards.MemoryCard("i2c", b""), cards.MemoryCard("i2c", b"", chooses=False)], ids=["told", "by itself"]
)
def test_a_memory_card(card: cards.MemoryCard) -> None:
    before = bytes(card.memory)
    assert occupant(card) is None
    assert write(card, PLAIN) is Kind.FKC_MEMORY
    assert seen(card).found.number == "5550001111"
    assert bytes(card.memory[17:]) == before[17:]
    assert occupant(card) == Occupant("serial 5550001111")


def test_an_sle4442_with_its_security_code() -> None:
    card = cards.MemoryCard("sle4442", b"")
    before = bytes(card.memory)
    assert "with its security code" in refusal(card)
    assert card.tries == 3
    assert write(card, PLAIN, CODE) is Kind.FKC_MEMORY
    assert seen(card).found.number == "5550001111"
    assert bytes(card.memory[:32]) == before[:32]


def test_a_wrong_security_code_says_how_many_are_left() -> None:
    card = cards.MemoryCard("sle4442", b"")
    assert "after 2 more" in refusal(card, code=H("000000"))
    assert "after 1 more" in refusal(card, code=H("000000"))
    assert card.memory[32] == 0xFF
    write(card, PLAIN, CODE)
    assert card.tries == 3


@pytest.mark.parametrize("content", [SIGNED, FkcContent("5550001111", "alaw")])
def test_a_memory_card_holds_a_serial_alone(content: FkcContent) -> None:
    card = cards.MemoryCard("i2c", b"")
    assert "holds a serial and nothing else" in refusal(card, content)
    assert set(card.memory) == {0xFF}


@pytest.mark.parametrize("content", [PLAIN, SIGNED])
@pytest.mark.parametrize("make", [cards.Type2Tag, cards.Type4Tag])
def test_a_tag(make: type[cards.Type2Tag | cards.Type4Tag], content: FkcContent) -> None:
    tag = make(b"")
    assert occupant(tag) is None
    assert write(tag, content) is Kind.FKC_TAG
    assert seen(tag).found.content == content
    assert seen(tag).assurance is (Assurance.SIGNED if content is SIGNED else Assurance.IDENTIFIER)
    assert write(tag, PLAIN) is Kind.FKC_TAG
    assert seen(tag).found.content == PLAIN


def test_the_lock_bytes_of_a_tag_stay() -> None:
    tag = cards.Type2Tag(b"")
    write(tag, SIGNED)
    assert bytes(tag.memory[:22]) == bytes(12) + H("E1103E000103A00C3403")


def test_a_tag_without_objects_of_its_own() -> None:
    tag = cards.Type2Tag(b"")
    tag.memory[16:] = bytes(len(tag.memory) - 16)
    write(tag, PLAIN)
    assert seen(tag).found.content == PLAIN
    assert tag.memory[16] == 3


def test_a_tag_that_is_pulled_away_holds_no_half_message() -> None:
    """However few pages are written, it reads as before, as the new content, or as nothing."""
    for pages in range(60):
        tag = cards.Type2Tag(cards.ndef_message(cards.fkc_content("1112223334")))
        left = pages

        def transmit(command: bytes, tag: cards.Type2Tag = tag) -> bytes:
            nonlocal left
            if command[1] == 0xD6:
                left -= 1
                if left < 0:
                    raise OSError("pulled away")
            return tag.transmit(command)

        try:
            converse(write_card(tag.atr, SIGNED), transmit)
        except OSError:
            pass
        else:
            assert seen(tag).found.content == SIGNED
            return
        try:
            assert seen(tag).found.number in ("1112223334", "04A1B2C3D4E580")
        except CardUnreadable:
            continue
    pytest.fail("the content has more pages than any")


@pytest.mark.parametrize(
    ("card", "why"),
    [
        (cards.FkcCard(locked=True), "refuses to be written with 6982: it wants a key or PIN first"),
        (cards.FkcCard(capacity=64), "6A84: its file is too small"),
        (cards.Type2Tag(b"", pages=20), "not formatted"),
        (cards.Type4Tag(b"", size=64), "the tag holds 64 bytes, the content needs 175"),
        (ordinary.OpenPgpCard(), "no FKC-1 application"),
        (cards.DumbCard(), "no FKC-1 application"),
    ],
)
def test_what_cannot_be_written(card: EmulatedCard, why: str) -> None:
    if isinstance(card, cards.Type2Tag):
        card.memory[12] = 0
    assert why in refusal(card, SIGNED)


def test_locked_and_small_tags() -> None:
    tag = cards.Type2Tag(b"")
    tag.memory[15] = 0x0F
    assert "the tag is locked" in refusal(tag)
    tag.memory[14:16] = b"\x06\0"
    assert "the tag holds 48 bytes" in refusal(tag, SIGNED)
    other = cards.Type4Tag(b"")
    other.files[H("E103")][14] = 0xFF
    assert "the tag is locked" in refusal(other)


@pytest.mark.parametrize(
    ("card", "text"),
    [
        (cards.FkcCard(b"\xc0\1x"), "a content that is not in order (the card's serial 'x' is not 10 decimal digits)"),
        (cards.MemoryCard(content=b"hello"), "something that is no feature key"),
        (cards.Type2Tag(b"\xd1\1\5T\2enhi"), "a message that is no feature key"),
        (cards.Type2Tag(cards.ndef_message(b"\xc0")), "not in order"),
        (cards.Type4Tag(), "serial 1234567890"),
    ],
)
def test_what_is_on_a_card(card: EmulatedCard, text: str) -> None:
    found = occupant(card)
    assert found is not None
    assert text in found.text


@pytest.mark.parametrize("card", [ordinary.PivCard(), cards.DumbCard(), ordinary.PlainTag()])
def test_cards_with_no_place_for_us_hold_nothing(card: EmulatedCard) -> None:
    assert occupant(card) is None


@given(st.sampled_from(["chip", "i2c", "tag"]), st.lists(st.binary(min_size=2, max_size=40), max_size=30))
def test_any_answers_end(medium: str, answers: list[bytes]) -> None:
    atr = {"chip": cards.FkcCard(), "i2c": cards.MemoryCard(), "tag": cards.Type2Tag()}[medium].atr
    left = iter(answers)
    for conversation in (write_card(atr, content_for(medium)), occupant_of(atr)):
        try:
            converse(conversation, lambda _: next(left, b"\x90\0"))
        except (CardWriteError, CardUnreadable) as error:
            assert str(error)  # noqa: PT017 - it may be written by chance


def content_for(medium: str) -> FkcContent:
    return PLAIN if medium == "i2c" else SIGNED
