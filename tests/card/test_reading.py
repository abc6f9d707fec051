"""From cards to feature keys: every kind, every level of assurance, every refusal, and any garbage."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.card.assurance import Assurance
from ipo_sim.card.exchange import MAX_PIECES, converse
from ipo_sim.card.kinds import Kind
from ipo_sim.card.probes import PROBES
from ipo_sim.card.reading import CardPolicy, CardReading, derived_serial, inspect_card, read_card
from ipo_sim.card.unreadable import CardUnreadable
from ipo_sim.core.model import KeyReason
from ipo_sim.readers.card_crypto import SignatureCheck
from tests.card import emulated_cards as cards
from tests.card import ordinary_cards as ordinary
from tests.card.emulated_cards import SERIAL, EmulatedCard

CHALLENGE = bytes(range(16))
TRUSTING = CardPolicy(issuers=(cards.public_bytes(cards.ISSUER),), crypto=SignatureCheck())
DERIVING = replace(TRUSTING, derive=True)

# No conversation is longer than this, whatever the card answers: about 20 commands of as many pieces.
MOST_COMMANDS = 40 * MAX_PIECES


def read(card: EmulatedCard, policy: CardPolicy = TRUSTING) -> CardReading:
    return converse(read_card(card.atr, policy, CHALLENGE), card.transmit)


def refusal(card: EmulatedCard, policy: CardPolicy = TRUSTING) -> CardUnreadable:
    with pytest.raises(CardUnreadable) as caught:
        read(card, policy)
    return caught.value


FORGED = cards.fkc_content(issuer=cards.ISSUER).replace(b"1234567890", b"1234567891")
KEYLESS = cards.fkc_content(issuer=cards.ISSUER, card_key=cards.CARD_KEY)
NAMELESS = cards.fkc_content() + cards.fkc_content(issuer=cards.ISSUER)[-66:]

FKC_CARDS = [
    (cards.identifier_card(), "fkc", "identifier"),
    (cards.signed_card(), "fkc", "signed"),
    (cards.authenticated_card(), "fkc", "authenticated"),
    (cards.copied_card(), "fkc", "signed"),
    (cards.signed_card(issuer=cards.STRANGER), "fkc", "identifier"),
    (cards.MemoryCard("i2c"), "fkc-memory", "identifier"),
    (cards.MemoryCard("sle4442"), "fkc-memory", "identifier"),
    (cards.MemoryCard("i2c", chooses=False), "fkc-memory", "identifier"),
    (cards.Type2Tag(), "fkc-tag", "identifier"),
    (cards.Type2Tag(cards.ndef_message(cards.fkc_content(issuer=cards.ISSUER))), "fkc-tag", "signed"),
    (cards.Type4Tag(), "fkc-tag", "identifier"),
    (cards.Type4Tag(cards.ndef_message(cards.fkc_content(issuer=cards.ISSUER))), "fkc-tag", "signed"),
]


@pytest.mark.parametrize(("card", "kind", "assurance"), FKC_CARDS)
def test_cards_with_a_serial_of_their_own(card: EmulatedCard, kind: str, assurance: str) -> None:
    assert read(card) == CardReading(SERIAL, kind, f"fkc:{SERIAL}", "alaw", Assurance(assurance))


@pytest.mark.parametrize("wrap", [cards.InPieces, cards.WantsLength, lambda card: cards.InPieces(card, 250)])
@pytest.mark.parametrize(
    "make", [cards.authenticated_card, ordinary.PivCard, ordinary.OpenPgpCard, ordinary.GdoCard, ordinary.CplcCard]
)
def test_lengths_and_pieces_change_nothing(
    make: Callable[[], EmulatedCard], wrap: Callable[[EmulatedCard], EmulatedCard]
) -> None:
    assert read(wrap(make()), DERIVING) == read(make(), DERIVING)


@pytest.mark.parametrize(
    "card",
    [
        ordinary.OpenPgpCard(),
        ordinary.PivCard(),
        ordinary.GdoCard(),
        ordinary.SimCard(),
        ordinary.SimCard(0xA0),
        ordinary.CplcCard(),
        ordinary.PlainTag(),
    ],
)
def test_ordinary_cards_are_enrolled_or_derived(
    card: ordinary.OrdinaryCard | ordinary.SimCard | ordinary.PlainTag,
) -> None:
    identity = card.IDENTITY
    kind = identity.partition(":")[0]
    enrolled = replace(TRUSTING, enrolled={identity: "5550001111"}, law="mulaw")
    assert read(card, enrolled) == CardReading("5550001111", kind, identity, "mulaw", Assurance.IDENTIFIER)
    assert read(card, DERIVING).serial == derived_serial(identity)
    assert "not enrolled" in str(refusal(card))
    assert refusal(card).reason is KeyReason.INVALID_REGISTERS


def test_derived_serials_stay_what_they_are() -> None:
    assert derived_serial("openpgp:000612345678") == "5587021260"
    assert len({derived_serial(f"uid:{n:08X}") for n in range(2000)}) == 2000


def test_an_enrolment_does_not_rename_an_fkc_card() -> None:
    policy = replace(TRUSTING, enrolled={f"fkc:{SERIAL}": "5550001111"})
    assert read(cards.identifier_card(), policy).serial == SERIAL


@pytest.mark.parametrize(
    ("card", "reason", "why"),
    [
        (cards.DumbCard(), KeyReason.INVALID_REGISTERS, "no identity of a kind that is taken"),
        (cards.MuteCard(), KeyReason.NO_REGISTER_ACCESS, "no response"),
        (cards.FkcCard(b""), KeyReason.INVALID_REGISTERS, "no serial"),
        (cards.FkcCard(b"\xff" * 64), KeyReason.INVALID_REGISTERS, "no serial"),
        (cards.FkcCard(b"\xc0\x0a12345"), KeyReason.INVALID_REGISTERS, "data objects are not in order"),
        (cards.FkcCard(cards.tlv(0xC0, b"7" * 100)), KeyReason.INVALID_REGISTERS, f"{'7' * 20}...' is not 10"),
        (cards.FkcCard(cards.tlv(0xC0, b"123456789")), KeyReason.INVALID_REGISTERS, "not 10 decimal digits"),
        (cards.FkcCard(cards.tlv(0xC0, b"12345\xb2\xb2\xb2\xb2\xb2")), KeyReason.INVALID_REGISTERS, "not 10 decimal"),
        (cards.FkcCard(cards.fkc_content() * 2), KeyReason.INVALID_REGISTERS, "twice"),
        (cards.FkcCard(cards.fkc_content(law="klaw")), KeyReason.INVALID_REGISTERS, "'klaw' is none of alaw, mulaw"),
        (
            cards.FkcCard(cards.fkc_content().replace(b"\xc1\1\1", b"\xc1\1\2")),
            KeyReason.INVALID_REGISTERS,
            "version 02",
        ),
        (cards.FkcCard(cards.fkc_content() + cards.tlv(0xC4, b"x")), KeyReason.INVALID_REGISTERS, "C4 has 1 bytes"),
        (cards.FkcCard(cards.fkc_content() + cards.tlv(0xC5, bytes(65))), KeyReason.INVALID_REGISTERS, "uncompressed"),
        (cards.MemoryCard(content=b""), KeyReason.INVALID_REGISTERS, "blank"),
        (cards.MemoryCard(content=b"FKC1\xff"), KeyReason.INVALID_REGISTERS, "longer than a serial"),
        (cards.MemoryCard(content=cards.memory_content()[:-1]), KeyReason.INVALID_REGISTERS, "checksum"),
        (ordinary.PlainTag(bytes.fromhex("08112233")), KeyReason.INVALID_REGISTERS, "no identity"),
        (cards.Type2Tag(cards.ndef_message(b"\xc0")), KeyReason.INVALID_REGISTERS, "not in order"),
        (cards.Type4Tag(cards.ndef_message(b"\xc0")), KeyReason.INVALID_REGISTERS, "not in order"),
    ],
)
def test_why_a_card_is_no_feature_key(card: EmulatedCard, reason: KeyReason, why: str) -> None:
    error = refusal(card, DERIVING)
    assert why in str(error)
    assert error.reason is reason


def test_no_answer_to_reset() -> None:
    card = cards.FkcCard()
    card.atr = b""
    assert refusal(card).reason is KeyReason.NO_REGISTER_ACCESS
    assert card.received == []


@pytest.mark.parametrize("least", list(Assurance))
@pytest.mark.parametrize(("card", "kind", "assurance"), FKC_CARDS)
def test_the_least_assurance(card: EmulatedCard, kind: str, assurance: str, least: Assurance) -> None:
    policy = replace(TRUSTING, least=least)
    levels = list(Assurance)
    if levels.index(Assurance(assurance)) >= levels.index(least):
        assert read(card, policy).assurance is Assurance(assurance)
    else:
        error = refusal(card, policy)
        assert f"is {assurance}, the least assurance is {least}: " in str(error)
        assert error.reason is KeyReason.INVALID_REGISTERS


@pytest.mark.parametrize(
    ("card", "why"),
    [
        (cards.identifier_card(), "it carries no issuer's signature"),
        (cards.signed_card(issuer=cards.STRANGER), "is not among those that are known"),
        (cards.FkcCard(FORGED), "its issuer's signature does not hold"),
        (cards.FkcCard(NAMELESS), "does not say whose it is"),
        (cards.signed_card(), "it carries no key of its own"),
        (
            cards.FkcCard(cards.fkc_content(issuer=cards.ISSUER, card_key=cards.CARD_KEY)),
            "refuses the challenge with 6D00",
        ),
        (cards.copied_card(), "with another key"),
        (cards.authenticated_card(), "None"),
    ],
)
def test_why_the_assurance_is_not_higher(card: EmulatedCard, why: str) -> None:
    assert why in str(converse(inspect_card(card.atr, TRUSTING, CHALLENGE), card.transmit).doubt)


def test_every_byte_of_a_signed_card_is_bound() -> None:
    content = cards.fkc_content(issuer=cards.ISSUER)
    for at in range(len(content)):
        altered = content[:at] + bytes((content[at] ^ 1,)) + content[at + 1 :]
        try:
            assurance = read(cards.FkcCard(altered)).assurance
        except CardUnreadable:
            continue
        assert assurance is Assurance.IDENTIFIER, f"byte {at}"


def test_without_the_extra_nothing_is_signed() -> None:
    bare = replace(TRUSTING, crypto=None)
    assert read(cards.authenticated_card(), bare).assurance is Assurance.IDENTIFIER
    error = refusal(cards.authenticated_card(), replace(bare, least=Assurance.SIGNED))
    assert "pip install 'ipo-sim[cards]'" in str(error)
    assert error.reason is KeyReason.NON_SPECIFIC_ERROR


def test_kinds_that_are_not_taken_are_not_asked_for() -> None:
    policy = replace(DERIVING, kinds=frozenset({Kind.FKC, Kind.PIV}))
    card = ordinary.OpenPgpCard()
    assert "(fkc, piv)" in str(refusal(card, policy))
    assert not any(b"\xd2\x76" in command for command in card.received)
    for other in (cards.MemoryCard(), cards.Type2Tag()):
        assert "(fkc, piv)" in str(refusal(other, policy))
        assert other.received == []


@pytest.mark.parametrize(
    "card",
    [
        *(card for card, _, _ in FKC_CARDS),
        ordinary.OpenPgpCard(),
        ordinary.PivCard(),
        ordinary.GdoCard(),
        ordinary.SimCard(),
        ordinary.SimCard(0xA0),
        ordinary.CplcCard(),
        ordinary.PlainTag(),
        cards.DumbCard(),
    ],
)
def test_reading_does_no_harm(card: EmulatedCard) -> None:
    card.received.clear()
    with contextlib.suppress(CardUnreadable):
        read(card, DERIVING)
    assert card.received
    assert not [command for command in card.received if is_harmful(command)]


def test_probes_run_in_the_stated_order() -> None:
    assert list(PROBES) == sorted(PROBES, key=list(Kind).index)
    card = cards.DumbCard()
    refusal(card)
    sent = b"".join(card.received)
    names = ["F0464B432D31", "D27600012401", "A000000308", "2F02", "A0A4", "9F7F", "FFCA"]
    places = [sent.index(bytes.fromhex(name)) for name in names]
    assert places == sorted(places)


ANSWERS = st.one_of(
    st.binary(max_size=24),
    st.builds(
        lambda data, sw: data + sw, st.binary(max_size=80), st.sampled_from([b"\x90\0", b"\x62\x82", b"\x61\x10"])
    ),
    st.sampled_from(
        [
            b"\x90\0",
            b"\x6c\x0a",
            b"\x61\0",
            cards.fkc_content(issuer=cards.ISSUER, card_key=cards.CARD_KEY) + b"\x90\0",
            bytes.fromhex("E1103E00") + b"\x03\xff\xff\xff" + bytes(8) + b"\x90\0",
            bytes.fromhex("000F20003B00340406E10402000000") + b"\x90\0",
            b"\x53\x12\x34\x10" + bytes(range(16)) + b"\x90\0",
        ]
    ),
)
ATRS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([card.atr for card in (cards.FkcCard(), cards.MemoryCard(), cards.Type2Tag(), ordinary.SimCard())]),
)


@given(ATRS, st.lists(ANSWERS, max_size=60), ANSWERS)
def test_any_card_ends_in_a_reading_or_a_reason(atr: bytes, answers: list[bytes], last: bytes) -> None:
    """And none ever gets a command that counts tries, writes, or opens a payment application."""
    left = iter(answers)
    sent: list[bytes] = []

    def transmit(command: bytes) -> bytes:
        sent.append(command)
        return next(left, last)

    try:
        reading = converse(read_card(atr, DERIVING, CHALLENGE), transmit)
    except CardUnreadable as error:
        assert error.reason in (KeyReason.NO_REGISTER_ACCESS, KeyReason.INVALID_REGISTERS)  # noqa: PT017 - either is right
    else:
        assert len(reading.serial) == 10
        assert reading.serial.isdecimal()
    assert len(sent) <= MOST_COMMANDS
    assert not [command for command in sent if is_harmful(command)]


# VERIFY, CHANGE and RESET RETRY COUNTER, EXTERNAL AUTHENTICATE, GENERAL AUTHENTICATE, all that writes, erases, manages.
HARMFUL = frozenset(
    (
        0x20,
        0x21,
        0x24,
        0x2C,
        0x82,
        0x86,
        0x87,
        0x0E,
        0xD0,
        0xD2,
        0xD6,
        0xD7,
        0xDA,
        0xDB,
        0xDC,
        0xE0,
        0xE2,
        0xE4,
        0xF0,
        0xF2,
    )
)
PAYMENT = (b"1PAY.SYS.DDF01", b"2PAY.SYS.DDF01", *(bytes.fromhex(f"A0000000{rid}") for rid in ("03", "04", "25", "65")))


def is_harmful(command: bytes) -> bool:
    name = command[5:-1]
    is_payment = any(name.startswith(each) for each in PAYMENT) and not name.startswith(bytes.fromhex("A000000308"))
    return command[1] in HARMFUL or (command[1] == 0xA4 and is_payment)


@pytest.mark.parametrize(
    "command", ["0020008108FFFFFFFFFFFFFFFF", "008200000800", "00A404000E325041592E5359532E444446303100"]
)
def test_harm_is_recognised(command: str) -> None:
    assert is_harmful(bytes.fromhex(command))
