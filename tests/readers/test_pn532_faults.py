"""A PN532 on a bad line, without power, gone and back: all that can go wrong between host and chip."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from ipo_sim.core.events import FeatureKeyInserted, ReaderAttached, ReaderLost
from tests.readers.links import Faults
from tests.readers.pn532_bench import (
    ATTACHED,
    Bench,
    ChipLink,
    bench,
    fkc,
    inserted,
    played,
)
from tests.readers.virtual_time import elapse, run

OTHER = "9999999999"
GONE = ReaderLost("read failed: the device is gone")


class TestTheLine:
    def test_damaged_answers_are_asked_for_again(self) -> None:
        async def scenario(made: Bench) -> None:
            made.facts.take()
            for _ in range(20):
                made.chip.damage = 2
                await elapse(0.5)
            assert made.facts.take() == []
            assert made.chip.heard["nack"] == made.count("nacks") > 0

        played(scenario, fkc())

    def test_lost_frames_are_sent_again(self) -> None:
        async def scenario(made: Bench) -> None:
            made.facts.take()
            for _ in range(10):
                made.chip.lose = 1
                await elapse(2)
            assert made.facts.take() == []
            assert made.count("resends") > 0

        played(scenario, fkc())

    def test_noise_between_frames(self) -> None:
        async def scenario(made: Bench) -> None:
            made.facts.take()
            made.chip.noise = b"\xaa\x00\x13\xff"
            made.chip.card = fkc()
            await elapse(1)
            assert made.facts.take() == [inserted(1)]
            assert made.count("junk") > 0

        played(scenario)

    def test_a_chip_that_lost_its_power_is_woken_again(self) -> None:
        async def scenario(made: Bench) -> None:
            made.facts.take()
            for _ in range(3):
                made.chip.power_cycle()
                await elapse(5)
                assert made.facts.take() == [
                    ReaderLost("no answer from the chip within 0.9 s"),
                    ATTACHED,
                    inserted(made.count("insertions")),
                ]
            assert (made.count("losses"), made.count("reopens")) == (3, 3)
            assert all(port.closed for port in made.link.ports[:-1])

        played(scenario, fkc())

    def test_a_device_that_is_pulled_and_comes_back(self) -> None:
        async def scenario(made: Bench) -> None:
            made.facts.take()
            made.link.unplug()
            await elapse(5)
            assert made.facts.take() == [GONE]
            made.link.plug()
            await elapse(5)
            assert made.facts.take() == [ATTACHED, inserted(2)]

        played(scenario, fkc())

    def test_a_device_that_is_pulled_in_the_middle_of_an_apdu(self) -> None:
        async def scenario(made: Bench) -> None:
            made.facts.take()
            card = fkc()

            def pull(data: bytes) -> bytes | None:
                made.link.unplug()
                return None

            card.talk = pull  # type: ignore[method-assign]  # a hand in the middle of it
            made.chip.card = card
            await elapse(1)
            assert made.facts.take() == [GONE]

        played(scenario)

    @pytest.mark.parametrize("way", ["deaf", "mute"])
    def test_a_line_with_nobody_at_its_end(self, way: str) -> None:
        async def scenario() -> None:
            link = ChipLink()
            setattr(link.chip, way, True)
            async with bench(fkc(), link=link) as made:
                await elapse(5)
                assert made.facts.take() == [ReaderLost("no answer from the chip within 0.9 s")]
                assert made.count("failures") > 1
                setattr(link.chip, way, False)
                await elapse(5)
                assert made.facts.take() == [ATTACHED, inserted(1)]

        run(scenario())

    def test_another_chip_than_a_pn532(self) -> None:
        async def scenario() -> None:
            link = ChipLink()
            link.chip.ic = 0x31
            async with bench(fkc(), link=link) as made:
                await elapse(5)
                assert made.facts.take() == [ReaderLost("the chip is no PN532: it says PN531 1.6")]

        run(scenario())

    def test_a_chip_that_falls_silent_after_its_acknowledgement(self) -> None:
        async def scenario(made: Bench) -> None:
            made.facts.take()
            answer = made.chip._answer

            def acknowledge_only(code: int, arguments: bytes) -> bytes | None:
                made.chip.mute = True
                return answer(code, arguments)

            made.chip._answer = acknowledge_only  # type: ignore[method-assign]  # it hangs
            await elapse(20)
            assert made.facts.take() == [ReaderLost("the chip took command 00 and does not answer it well")]

        played(scenario, fkc())

    @pytest.mark.parametrize("seed", range(8))
    def test_a_rough_line_ends_in_the_truth(self, seed: int) -> None:
        async def scenario() -> None:
            link = ChipLink(seed)
            async with bench(None, link=link) as made:
                await elapse(1)
                link.spoil(Faults(split=0.5, alter=0.1, lose=0.1, double=0.1, noise=0.1, delay_s=0.02))
                for number in range(10):
                    made.chip.card = fkc(f"{number:010}", f"0411223344556{number}") if number % 2 else None
                    await elapse(7)
                link.spoil(Faults())
                made.chip.card = fkc(OTHER, "04998877665544")
                await elapse(20)
                last = made.facts.take()
                assert isinstance(last[-1], FeatureKeyInserted)
                assert last[-1].serial == OTHER
                known = {f"{number:010}" for number in range(10)} | {OTHER}
                assert {fact.serial for fact in last if isinstance(fact, FeatureKeyInserted)} <= known
                assert told_in_order(last)

        run(scenario())


def told_in_order(facts: Sequence[object]) -> bool:
    """Attached and lost take turns."""
    states = [type(fact) for fact in facts if isinstance(fact, ReaderAttached | ReaderLost)]
    return all(one is not other for one, other in pairwise(states))
