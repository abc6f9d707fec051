"""The PN532 reader in virtual time: cards of all kinds, in, out, swapped, and silent."""

from __future__ import annotations

import pytest

from ipo_sim.card.kinds import Kind
from ipo_sim.card.reading import DEFAULT_POLICY, CardPolicy, derived_serial
from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, FeatureKeyUnreadable, ReaderLost
from ipo_sim.core.model import KeyReason
from ipo_sim.readers.pn532 import RECHECK_S
from ipo_sim.readers.reader import Reader
from ipo_sim.readers.recorder import traced
from tests.card.emulated_cards import (
    SERIAL,
    DumbCard,
    EmulatedCard,
    FkcCard,
    InPieces,
    MuteCard,
    Type2Tag,
    Type4Tag,
    WantsLength,
    authenticated_card,
    fkc_content,
)
from tests.card.ordinary_cards import PivCard
from tests.readers.pn532_bench import (
    ATTACHED,
    DERIVING,
    EMPTY,
    Bench,
    ChipLink,
    first_facts,
    fkc,
    inserted,
    played,
    reading_by,
)
from tests.readers.pn532_chip import ChipCard, OnAntenna, OtherTag, Tag
from tests.readers.virtual_time import elapse

OTHER = "9999999999"
GONE = ReaderLost("read failed: the device is gone")


class TestCards:
    def test_nothing_on_the_antenna(self) -> None:
        assert first_facts(None) == [EMPTY]

    @pytest.mark.parametrize(
        "card",
        [
            FkcCard(),
            authenticated_card(),
            InPieces(FkcCard()),
            WantsLength(FkcCard()),
            InPieces(authenticated_card(), 100),
        ],
        ids=["plain", "long", "in pieces", "wants its length", "long, in pieces"],
    )
    def test_chip_cards(self, card: EmulatedCard) -> None:
        assert first_facts(ChipCard(card)) == [inserted(1)]

    def test_an_answer_that_the_chip_brings_in_two_frames(self) -> None:
        card = FkcCard(fkc_content() + b"\xcf\x81\xe0" + bytes(0xE0), capacity=300)
        assert len(card.file) < 256
        assert first_facts(ChipCard(card)) == [inserted(1)]

    def test_a_type_2_tag_with_a_record_of_ours(self) -> None:
        assert first_facts(Tag()) == [inserted(1, kind="fkc-tag")]

    def test_a_type_4_tag_with_a_record_of_ours(self) -> None:
        assert first_facts(ChipCard(Type4Tag())) == [inserted(1, kind="fkc-tag")]

    def test_an_ordinary_card_by_its_own_number(self) -> None:
        ((fact, *_),) = [first_facts(ChipCard(PivCard()), policy=DERIVING)]
        assert isinstance(fact, FeatureKeyInserted)
        assert fact.identity.startswith("piv:")

    @pytest.mark.parametrize("card", [Tag(Type2Tag(b"")), ChipCard(DumbCard(), "04A1B2C3D4E580")], ids=["tag", "chip"])
    def test_any_other_card_by_its_uid(self, card: OnAntenna) -> None:
        identity = "uid:04A1B2C3D4E580"
        serial = derived_serial(identity)
        assert first_facts(card, policy=DERIVING) == [
            FeatureKeyInserted(serial, kind="uid", identity=identity, counter=1)
        ]
        assert first_facts(card) == [
            FeatureKeyUnreadable(
                KeyReason.INVALID_REGISTERS, f"{identity} is not enrolled, and serials are not derived"
            )
        ]

    @pytest.mark.parametrize("card", [ChipCard(DumbCard(), "08A1B2C3"), OtherTag("08A1B2C3")], ids=["chip", "tag"])
    def test_a_uid_that_is_made_anew_each_time_is_no_identity(self, card: OnAntenna) -> None:
        (fact,) = first_facts(card, policy=DERIVING)
        assert isinstance(fact, FeatureKeyUnreadable)
        assert "no identity of a kind that is taken" in fact.detail

    def test_a_tag_that_wants_to_be_authenticated_has_its_uid(self) -> None:
        (fact,) = first_facts(OtherTag(), policy=DERIVING)
        assert isinstance(fact, FeatureKeyInserted)
        assert fact.identity == "uid:A1B2C3D4"

    def test_the_policy_is_asked(self) -> None:
        (fact,) = first_facts(fkc(), policy=CardPolicy(kinds=frozenset({Kind.UID})))
        assert isinstance(fact, FeatureKeyUnreadable)


class TestInAndOut:
    def test_a_card_comes_stays_and_goes(self) -> None:
        async def scenario(made: Bench) -> None:
            assert made.facts.take() == [ATTACHED, EMPTY]
            made.chip.card = fkc()
            await elapse(1)
            assert made.facts.take() == [inserted(1)]
            await elapse(60)
            assert made.facts.take() == []
            made.chip.card = None
            await elapse(1)
            assert made.facts.take() == [FeatureKeyRemoved(1)]
            assert made.count("insertions") == 1

        played(scenario)

    @pytest.mark.parametrize("card", [fkc(), Tag(), OtherTag()], ids=["chip", "tag", "other tag"])
    def test_every_kind_of_card_is_missed_when_it_goes(self, card: OnAntenna) -> None:
        async def scenario(made: Bench) -> None:
            made.facts.take()
            await elapse(5)
            assert made.facts.take() == []
            made.chip.card = None
            await elapse(0.5)
            assert made.facts.take() == [FeatureKeyRemoved(1)]

        played(scenario, card, policy=DERIVING)

    def test_two_cards_swapped_between_two_looks(self) -> None:
        async def scenario(made: Bench) -> None:
            assert made.facts.take() == [ATTACHED, inserted(1)]
            made.chip.card = fkc(OTHER, "04998877665544")
            await elapse(1)
            assert made.facts.take() == [FeatureKeyRemoved(1), inserted(2, OTHER)]

        played(scenario, fkc())

    def test_a_card_that_was_away_between_two_looks_is_still_there(self) -> None:
        async def scenario(made: Bench) -> None:
            made.facts.take()
            # Its field was off: it has to be activated again.
            made.chip._active = None
            await elapse(1)
            assert made.facts.take() == []

        played(scenario, fkc())

    def test_a_card_pulled_between_two_apdus_was_never_there(self) -> None:
        async def scenario(made: Bench) -> None:
            made.facts.take()
            card = fkc()
            card.silent_after = 1
            talk = card.talk

            def pull(data: bytes) -> bytes | None:
                if card.silent_after == 0:
                    made.chip.card = None
                return talk(data)

            card.talk = pull  # type: ignore[method-assign]  # a hand in the middle of it
            made.chip.card = card
            await elapse(1)
            assert made.facts.take() == []
            made.chip.card = fkc()
            await elapse(1)
            assert made.facts.take() == [inserted(2)]

        played(scenario)

    @pytest.mark.parametrize("silent", [1, 2])
    def test_a_card_that_does_not_answer_at_first(self, silent: int) -> None:
        card = fkc()
        card.silent_for = silent
        assert first_facts(card) == [inserted(1)]

    def test_a_card_that_never_answers_is_unreadable_and_tried_again(self) -> None:
        card = ChipCard(FkcCard())
        card.silent_after = 0

        async def scenario(made: Bench) -> None:
            assert made.facts.take() == [
                ATTACHED,
                FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS, "the card does not answer"),
            ]
            await elapse(3 * RECHECK_S)
            assert made.facts.take() == []
            card.silent_after = -1
            await elapse(RECHECK_S)
            assert made.facts.take() == [inserted(1)]
            made.chip.card = None
            await elapse(1)
            assert made.facts.take() == [FeatureKeyRemoved(1)]

        played(scenario, card)

    def test_a_card_without_status_words(self) -> None:
        assert first_facts(ChipCard(MuteCard())) == [
            FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS, "the card answers without a status word")
        ]


class Heard:
    """Keeps what is traced."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, bytes]] = []

    def command(self, apdu: bytes) -> None:
        self.pairs.append(("command", apdu))

    def response(self, apdu: bytes) -> None:
        self.pairs.append(("response", apdu))


def test_every_apdu_is_traced() -> None:
    heard, card = Heard(), FkcCard()
    read = reading_by(DEFAULT_POLICY)
    assert first_facts(ChipCard(card), read=lambda atr: traced(read(atr), heard)) == [inserted(1)]
    assert [apdu for what, apdu in heard.pairs if what == "command"] == card.received
    assert [what for what, _ in heard.pairs] == ["command", "response"] * len(card.received)
    assert SERIAL.encode() in heard.pairs[-1][1]


def test_a_card_that_falls_silent_leaves_a_command_without_its_response() -> None:
    heard, card, read = Heard(), fkc(), reading_by(DEFAULT_POLICY)
    card.silent_for = 1
    assert first_facts(card, read=lambda atr: traced(read(atr), heard)) == [inserted(1)]
    assert [what for what, _ in heard.pairs][:3] == ["command", "command", "response"]


def test_it_is_a_reader() -> None:
    reader: Reader = Bench(ChipLink()).reader
    assert (reader.kind, reader.name, reader.last_error) == ("pn532", "nfc", None)
