"""The PC/SC reader on a real pcscd and its library: attach, cards of all kinds, the choice of a reader, the end."""

from __future__ import annotations

import asyncio
import threading
from random import Random

import pytest

from ipo_sim.card.assurance import Assurance
from ipo_sim.card.reading import DEFAULT_POLICY, EXTRA, CardPolicy
from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, FeatureKeyUnreadable, ReaderAttached, ReaderLost
from ipo_sim.core.model import KeyReason
from ipo_sim.readers.pcsc import PcscReader, Timing
from ipo_sim.readers.pcsc_binding import Context
from tests.card.emulated_cards import (
    DumbCard,
    EmulatedCard,
    FkcCard,
    InPieces,
    MemoryCard,
    WantsLength,
    fkc_content,
    identifier_card,
)
from tests.card.ordinary_cards import OpenPgpCard
from tests.readers.links import Facts, running
from tests.readers.pcsc_bench import ATTACHED, FULL_NAME, bench, inserted, reading_by, service
from tests.readers.pcscd import Pcscd, SimulatedReader

OTHER = "9999999999"


async def test_an_empty_reader() -> None:
    async with bench() as b:
        await b.facts.until(ATTACHED, FeatureKeyRemoved(0))
        assert b.reader.name == FULL_NAME
        assert b.reader.last_error is None
        assert not any(b.reader.counters().values())


async def test_a_reader_with_a_card() -> None:
    async with bench(identifier_card()) as b:
        await b.facts.until(ATTACHED, inserted(1))
        assert b.count("insertions") == b.count("readings") == 1


async def test_cards_in_and_out() -> None:
    async with bench() as b:
        await b.facts.until(ATTACHED, FeatureKeyRemoved(0))
        for counter, serial in enumerate((OTHER, OTHER, "1234567890"), 1):
            b.slot.insert(identifier_card(serial))
            await b.facts.until(inserted(counter, serial))
            b.slot.remove()
            await b.facts.until(FeatureKeyRemoved(counter))
        assert b.count("missed_insertions") == b.count("read_failures") == 0


@pytest.mark.parametrize("wrap", [InPieces, WantsLength], ids=["61xx", "6Cxx"])
async def test_cards_that_answer_in_pieces_or_want_the_exact_length(wrap: type[InPieces | WantsLength]) -> None:
    async with bench(wrap(identifier_card())) as b:
        await b.facts.until(ATTACHED, inserted(1))


async def test_a_memory_card_behind_a_reader_that_speaks_for_it() -> None:
    async with bench(MemoryCard("sle4442")) as b:
        await b.facts.until_length(2)
        assert isinstance(fact := b.facts.take()[1], FeatureKeyInserted)
        assert (fact.serial, fact.kind) == ("1234567890", "fkc-memory")


async def test_the_policy_judges() -> None:
    enrolled = CardPolicy(enrolled={OpenPgpCard.IDENTITY: OTHER}, law="mulaw")
    async with bench(OpenPgpCard(), policy=enrolled) as b:
        expected = FeatureKeyInserted(OTHER, kind="openpgp", identity=OpenPgpCard.IDENTITY, law="mulaw", counter=1)
        await b.facts.until(ATTACHED, expected)
    async with bench(identifier_card(), policy=CardPolicy(least=Assurance.SIGNED)) as b:
        why = f"the least assurance is signed, and {EXTRA}"
        await b.facts.until(ATTACHED, FeatureKeyUnreadable(KeyReason.NON_SPECIFIC_ERROR, why))
        assert b.reader.last_error == why


async def test_a_card_that_is_no_key_and_then_one_that_is() -> None:
    async with bench(DumbCard()) as b:
        kinds = "fkc, fkc-memory, fkc-tag, openpgp, piv, gdo, iccid, cplc, uid"
        why = f"the card has no identity of a kind that is taken ({kinds})"
        await b.facts.until(ATTACHED, FeatureKeyUnreadable(KeyReason.INVALID_REGISTERS, why))
        assert b.reader.last_error == why
        b.slot.remove()
        await b.facts.until(FeatureKeyRemoved(1))
        assert b.reader.last_error is None
        b.slot.insert(identifier_card())
        await b.facts.until(inserted(2))


async def test_a_card_that_does_not_answer_a_reset() -> None:
    card = EmulatedCard("")
    async with bench(card) as b:
        why = "the card gets no power: upside down, dirty, or no chip card (0x80100067)"
        await b.facts.until(ATTACHED, FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS, why))
        assert "upside down" in str(b.reader.last_error)
        b.slot.remove()
        await b.facts.until(FeatureKeyRemoved(1))


@pytest.mark.parametrize("seed", range(8))
async def test_random_answers_to_reset_and_random_content(seed: int) -> None:
    random = Random(seed)
    content = random.choice((random.randbytes(random.randrange(60)), fkc_content()[: random.randrange(12)]))
    card = FkcCard(content)
    card.atr = random.randbytes(random.randrange(34))
    async with bench(card) as b:
        await b.facts.until_length(2)
        attached, fact = b.facts.take()
        assert attached == ATTACHED
        assert isinstance(fact, FeatureKeyUnreadable), "such content is no key, whatever the card says of itself"
        b.slot.remove()
        await b.facts.until(FeatureKeyRemoved(1))
        b.slot.insert(identifier_card())
        await b.facts.until(inserted(2))


async def test_a_card_is_read_again_and_again_and_told_once() -> None:
    async with bench(identifier_card(), timing=Timing(recheck_s=0.02)) as b:
        await b.facts.until(ATTACHED, inserted(1))
        await b.until(lambda: b.count("readings") > 5)
        assert b.facts.take() == []


async def test_a_swap_that_pcscd_does_not_see_is_found_by_reading_again() -> None:
    async with bench(identifier_card(), timing=Timing(recheck_s=0.05)) as b:
        await b.facts.until(ATTACHED, inserted(1))
        b.slot.insert(identifier_card(OTHER))  # no moment without a card
        await b.facts.until(FeatureKeyRemoved(1), inserted(2, OTHER))
        assert b.count("missed_insertions") == 1


async def test_two_cards_swapped_within_a_moment() -> None:
    async with bench(identifier_card(), timing=Timing(recheck_s=0.05)) as b:
        await b.facts.until(ATTACHED, inserted(1))
        b.slot.remove()
        b.slot.insert(identifier_card(OTHER))
        await b.facts.until(FeatureKeyRemoved(1), inserted(2, OTHER))


async def test_another_program_shares_the_card() -> None:
    async with bench(identifier_card(), timing=Timing(recheck_s=0.02)) as b:
        await b.facts.until(ATTACHED, inserted(1))
        with Context() as context, context.connect(FULL_NAME) as card:
            assert card.transmit(bytes.fromhex("00A40000")) != b""
            before = b.count("readings")
            await b.until(lambda: b.count("readings") > before)  # it waits for our transaction to end
        before = b.count("readings")
        await b.until(lambda: b.count("readings") > before + 1)
        assert b.facts.take() == []


async def test_the_reader_is_chosen_by_a_part_of_its_name() -> None:
    with SimulatedReader("ACME Dual [PICC]") as first, SimulatedReader("ACME Dual [SAM]") as second:
        second.insert(identifier_card(OTHER))
        with Pcscd([first.entry, second.entry]):
            for pattern in ("sam", "ACME Dual [SAM] 01 00", "acme*sam", "[SAM]", "01 0?"):
                facts, reader = Facts(), PcscReader(pattern, read=reading_by(DEFAULT_POLICY))
                async with running(reader.run(facts.emit)):
                    await facts.until(ReaderAttached("ACME Dual [SAM] 01 00"), inserted(1, OTHER))
            facts, reader = Facts(), PcscReader("acme", read=reading_by(DEFAULT_POLICY))
            async with running(reader.run(facts.emit)):
                await facts.until(ReaderAttached("ACME Dual [PICC] 00 00"), FeatureKeyRemoved(0))


async def test_a_reader_that_is_not_there_is_named_with_those_that_are() -> None:
    async with bench(pattern="ACS") as b:
        await b.facts.until(ReaderLost(f"no PC/SC reader fits 'ACS'; there are: {FULL_NAME}"))
        assert b.count("failures") == 1
        assert b.reader.name == "ACS"


async def test_no_reader_at_all_and_then_one() -> None:
    with SimulatedReader("Bench Reader") as slot, Pcscd([]) as service:
        facts, reader = Facts(), PcscReader("bench", read=reading_by(DEFAULT_POLICY))
        async with running(reader.run(facts.emit)):
            await facts.until(ReaderLost("no PC/SC reader is there, let alone one that fits 'bench'"))
            service.configure([slot.entry])
            service.kill()
            service.start()
            await facts.until(ATTACHED, FeatureKeyRemoved(0))


async def test_the_end_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    async with bench(identifier_card()) as b:
        await b.facts.until(ATTACHED, inserted(1))
        assert threading.active_count() > before
    assert [thread for thread in threading.enumerate() if thread.name.startswith("pcsc")] == []


async def test_a_reader_that_is_ended_while_it_begins() -> None:
    async with bench() as b:
        for turns in range(20):
            facts, reader = Facts(), PcscReader("elsewhere", read=reading_by(DEFAULT_POLICY))
            async with running(reader.run(facts.emit)):
                for _ in range(turns):
                    await asyncio.sleep(0)
            assert set(facts.take()) <= {ReaderLost(f"no PC/SC reader fits 'elsewhere'; there are: {FULL_NAME}")}
        assert b.service.pid


class Heard:
    """A trace that keeps what it hears."""

    def __init__(self) -> None:
        self.commands: list[bytes] = []
        self.responses: list[bytes] = []

    def command(self, apdu: bytes) -> None:
        self.commands.append(apdu)

    def response(self, apdu: bytes) -> None:
        self.responses.append(apdu)


async def test_a_trace_hears_what_is_said_to_the_card() -> None:
    card, heard = identifier_card(), Heard()
    with service() as (slot, _):
        slot.insert(card)
        facts, reader = Facts(), PcscReader("bench", read=reading_by(DEFAULT_POLICY), trace=heard)
        async with running(reader.run(facts.emit)):
            await facts.until(ATTACHED, inserted(1))
        assert heard.commands == card.received
        assert len(heard.responses) == len(heard.commands)
        assert heard.responses[-1].endswith((b"\x90\x00", b"\x62\x82"))
