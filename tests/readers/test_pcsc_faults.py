"""What goes wrong with PC/SC readers in the real world, done to a real pcscd."""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest

from ipo_sim.card.reading import DEFAULT_POLICY
from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, FeatureKeyUnreadable, ReaderAttached, ReaderLost
from ipo_sim.core.model import KeyReason
from ipo_sim.readers import pcsc_binding
from ipo_sim.readers.pcsc import PcscReader, Timing
from ipo_sim.readers.pcsc_binding import Context
from tests.card.emulated_cards import SERIAL, MuteCard, identifier_card
from tests.readers.links import Facts, running
from tests.readers.pcsc_bench import (
    ATTACHED,
    FULL_NAME,
    NAME,
    Bench,
    Hanging,
    Wrapped,
    bench,
    inserted,
    reading_by,
    service,
    until,
)
from tests.readers.pcscd import SimulatedReader

OTHER = "9999999999"
HUNG = "the card has not answered for 0.5 s; it is left alone until it does"
MUTE = "the card was pulled while it answered (0 bytes)"
TAKEN = "another program has the card for itself (0x8010000B)"
UNPLUGGED = ReaderLost(f"{FULL_NAME} does not answer")
IMPATIENT = Timing(deadline_s=0.5)


def unreadable(detail: str) -> FeatureKeyUnreadable:
    return FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS, detail)


def card_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("pcsc card")]


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def shown(b: Bench) -> FeatureKeyInserted | FeatureKeyRemoved | None:
    """What the facts since the reader was attached last come to; None: it is lost, or nothing is known yet."""
    found: FeatureKeyInserted | FeatureKeyRemoved | None = None
    for fact in b.facts.all:
        if isinstance(fact, ReaderAttached | ReaderLost):
            found = None
        elif isinstance(fact, FeatureKeyInserted | FeatureKeyRemoved):
            found = fact
    return found


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_pcscd_killed_forty_times_at_random() -> None:
    random = Random(4)
    async with bench(identifier_card()) as b:
        for number in range(40):
            if number % 2:
                await until(lambda: shown(b) is not None)
            await turns(random.choice((0, 3, 30, 300, 3000)))
            if random.random() < 0.3:
                b.slot.insert(identifier_card(random.choice((SERIAL, OTHER))))
            elif random.random() < 0.3:
                b.slot.remove()
            await turns(random.choice((0, 3, 30, 300)))
            b.service.kill()
            await turns(random.choice((0, 3, 300)))
            b.service.start()
        for serial in (OTHER, SERIAL):
            b.slot.insert(identifier_card(serial))
            await until(lambda serial=serial: getattr(shown(b), "serial", "") == serial)  # type: ignore[misc]  # mypy cannot infer defaults of a lambda
            b.slot.remove()
            await until(lambda: isinstance(shown(b), FeatureKeyRemoved))
        assert b.count("losses") >= 1
        assert b.count("reopens") >= b.count("losses")
        assert not [fact for fact in b.facts.all if isinstance(fact, FeatureKeyUnreadable)]


async def test_a_restarted_pcscd_has_its_reader_back_and_the_card_is_told_anew() -> None:
    async with bench(identifier_card()) as b:
        await b.facts.until(ATTACHED, inserted(1))
        b.service.kill()
        await b.facts.until_length(1)
        (lost,) = b.facts.take()
        assert isinstance(lost, ReaderLost)
        assert "pcscd" in lost.error
        b.service.start()
        await b.facts.until(ATTACHED, inserted(2))
        assert (b.count("losses"), b.count("reopens")) == (1, 1)


async def test_a_reader_unplugged_with_a_card_in() -> None:
    async with bench(identifier_card()) as b:
        await b.facts.until(ATTACHED, inserted(1))
        b.slot.unplug()
        await b.facts.until(UNPLUGGED)
        assert b.reader.last_error == UNPLUGGED.error
        b.slot.plug()
        await b.facts.until(ATTACHED, inserted(2))


async def test_a_reader_unplugged_while_its_card_answers() -> None:
    async with bench() as b:
        await b.facts.until(ATTACHED, FeatureKeyRemoved(0))
        with Hanging(identifier_card()) as card:
            b.slot.insert(card)
            await until(card.asked.is_set)
            b.slot.unplug()
            await b.facts.until(UNPLUGGED)
        b.slot.plug()
        await b.facts.until(ATTACHED, inserted(2))


async def test_a_reader_that_comes_back_under_another_name() -> None:
    with SimulatedReader("Another") as another:
        async with bench(identifier_card()) as b:
            await b.facts.until(ATTACHED, inserted(1))
            b.service.kill()
            b.service.configure([another.entry, b.slot.entry])
            b.service.start()
            await b.facts.until_length(3)
            assert b.facts.take()[1:] == [ReaderAttached(f"{NAME} 01 00"), inserted(2)]
            assert b.reader.name == f"{NAME} 01 00"


async def test_a_card_pulled_while_it_answers() -> None:
    async with bench() as b:
        await b.facts.until(ATTACHED, FeatureKeyRemoved(0))

        def pull(_: bytes, answer: bytes) -> bytes:
            b.slot.remove()
            return answer

        b.slot.insert(Wrapped(identifier_card(), pull))
        await until(lambda: b.count("insertions") == 1 and not b.reader._slot.is_occupied)
        assert b.facts.take() == [], "what was never told to be there is not told to be gone"
        b.slot.insert(identifier_card())
        await b.facts.until(inserted(2))
        b.slot.insert(Wrapped(identifier_card(OTHER), pull))
        b.slot.remove()
        await b.facts.until(FeatureKeyRemoved(2))


async def test_a_card_that_fails_for_a_moment_is_read_after_all() -> None:
    failures = iter(range(2))
    card = Wrapped(identifier_card(), lambda _, answer: b"" if next(failures, None) is not None else answer)
    async with bench(card) as b:
        await b.facts.until(ATTACHED, inserted(1))
        assert b.count("read_failures") == 2


async def test_a_card_that_gives_no_bytes_is_unreadable_until_it_does() -> None:
    async with bench(MuteCard()) as b:
        await b.facts.until(ATTACHED, unreadable(MUTE))
        assert b.reader.last_error == MUTE
        b.slot.insert(identifier_card())  # unseen
        await b.facts.until(inserted(1))
        assert b.reader.last_error is None


async def test_a_card_that_hangs_is_told_and_leaves_everything_else_alone() -> None:
    with Hanging(identifier_card()) as card:
        async with bench(timing=IMPATIENT) as b:
            await b.facts.until(ATTACHED, FeatureKeyRemoved(0))
            b.slot.insert(card)
            await b.facts.until(unreadable(HUNG))
            assert b.count("stuck") == 1
            assert b.reader.last_error == HUNG
            await turns(1000)
            assert card_threads() == [f"pcsc card {FULL_NAME}"], "nobody else has begun to talk with it"
            card.let_go()
            await b.facts.until(inserted(1))
            assert b.reader.last_error is None


async def test_a_card_that_hangs_and_is_pulled() -> None:
    async with bench(timing=IMPATIENT) as b:
        await b.facts.until(ATTACHED, FeatureKeyRemoved(0))
        with Hanging(identifier_card()) as card:
            b.slot.insert(card)
            await b.facts.until(unreadable(HUNG))
            b.slot.remove()
            await b.facts.until(FeatureKeyRemoved(1))
            b.slot.insert(identifier_card(OTHER))
            await b.facts.until(inserted(2, OTHER))
            assert b.count("stuck") == 1


async def test_pcscd_killed_while_a_card_hangs() -> None:
    with Hanging(identifier_card()) as card:
        async with bench(card, timing=IMPATIENT) as b:
            await b.facts.until(ATTACHED, unreadable(HUNG))
            b.service.kill()
            await b.facts.until_length(1)
            assert isinstance(b.facts.take()[0], ReaderLost)
            card.let_go()
            b.service.start()
            await b.facts.until(ATTACHED, inserted(2))


async def test_the_end_does_not_wait_for_a_card_that_hangs() -> None:
    with service() as (slot, _), Hanging(identifier_card()) as card:
        slot.insert(card)
        facts, reader = Facts(), PcscReader("bench", read=reading_by(DEFAULT_POLICY))
        async with running(reader.run(facts.emit)):
            await until(card.asked.is_set)
        assert card_threads() == [f"pcsc card {FULL_NAME}"], "the reader has ended before the card answered"
        assert facts.take() == [ATTACHED]


async def test_the_end_does_not_wait_for_a_pcscd_that_stands_still() -> None:
    with service() as (_, pcscd):
        facts, reader = Facts(), PcscReader("bench", read=reading_by(DEFAULT_POLICY))
        async with running(reader.run(facts.emit)):
            await facts.until(ATTACHED, FeatureKeyRemoved(0))
            pcscd.hang()
        alive = [thread for thread in threading.enumerate() if thread.name.startswith("pcsc")]
        pcscd.resume()
        assert alive, "the reader has ended before pcscd went on"
        for thread in alive:
            thread.join(10)


@contextmanager
def exclusive() -> Iterator[None]:
    """Another program that has the card for itself."""
    calls = pcsc_binding._library()
    handle, protocol = ctypes.c_long(), ctypes.c_ulong()
    with Context() as context:
        connected = calls["Connect"](
            context._handle, FULL_NAME.encode(), 1, 3, ctypes.byref(handle), ctypes.byref(protocol)
        )
        assert connected == 0
        yield
        calls["Disconnect"](handle, 0)


async def test_a_card_that_another_program_has_for_itself() -> None:
    with service() as (slot, _):
        slot.insert(identifier_card())
        with Context() as context:
            context.wait([pcsc_binding.State(FULL_NAME, pcsc_binding.STATE_EMPTY)])
        facts, reader = Facts(), PcscReader("bench", read=reading_by(DEFAULT_POLICY))
        with exclusive():
            task = running(reader.run(facts.emit))
            await task.__aenter__()
            await facts.until(ATTACHED, unreadable(TAKEN))
            assert reader.last_error == TAKEN
        await facts.until(inserted(1))
        await task.__aexit__(None, None, None)


async def test_two_units_on_one_reader_are_one_too_many() -> None:
    async with bench(identifier_card()) as b:
        await b.facts.until(ATTACHED, inserted(1))
        facts, second = Facts(), PcscReader("reader", read=reading_by(DEFAULT_POLICY))
        async with running(second.run(facts.emit)):
            await facts.until(ReaderLost(f"{FULL_NAME} serves another unit already: this daemon's own"))
        b.slot.remove()
        await b.facts.until(FeatureKeyRemoved(1))


async def test_a_defect_in_the_reading_ends_the_reader_instead_of_being_silent() -> None:
    def broken(atr: bytes) -> Iterator[bytes]:
        raise ZeroDivisionError(atr.hex())
        yield b""

    with service() as (slot, _):
        slot.insert(identifier_card())
        reader = PcscReader("bench", read=broken)  # type: ignore[arg-type]  # it raises before it yields anything
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(reader.run(Facts().emit), 10)
