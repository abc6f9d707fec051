"""Readers that are no hardware, and hands for them. All run in every CI run; `--reader NAME` takes one alone."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from ipo_sim.card.reading import DEFAULT_POLICY
from ipo_sim.core.model import Card
from ipo_sim.readers.cassette import CassetteReader
from ipo_sim.readers.pcsc import PcscReader
from ipo_sim.readers.pn532 import Pn532Reader
from ipo_sim.readers.reader import Reader
from ipo_sim.readers.recorder import Recorder, Tape
from ipo_sim.readers.recording import Header, load_recording
from ipo_sim.readers.serial_line import SerialReader
from ipo_sim.readers.virtual import VirtualReader
from ipo_sim.runtime.clock import Clock, ClockBase
from tests.card.emulated_cards import DumbCard, identifier_card
from tests.core.bench import NOON
from tests.readers.board import NO_ANSWER, Chip
from tests.readers.contract.story import Chapter, Listener, Rig, Step, Story, perform
from tests.readers.firmware_sim import FirmwareSim, firmware_sim, memory_card
from tests.readers.links import PATIENCE_S, running
from tests.readers.pcsc_bench import reading_by, service
from tests.readers.pcscd import SimulatedReader
from tests.readers.pn532_bench import ChipTerminal, fkc
from tests.readers.pn532_chip import ChipCard
from tests.readers.pty_link import PtyLink
from tests.readers.test_pn532_line import PATIENT

SERIAL, OTHER = "1234567890", "9999999999"
# Whatever the hardware, all steps that the contract knows.
EVERYTHING = frozenset(Step)

Hands = dict[Step, Callable[[], object]]


class Bench:
    """A reader of `make`, with a hand for each step; the starts have one too."""

    def __init__(self, make: Callable[[], Reader], hands: Hands, patience_s: float = PATIENCE_S) -> None:
        self.can = frozenset(hands)
        self.patience_s = patience_s
        self._make = make
        self._hands = hands

    async def prepare(self, step: Step) -> Reader:
        self._hands[step]()
        return self._make()

    async def act(self, step: Step) -> None:
        self._hands[step]()

    async def tell(self, *steps: Step) -> Story:
        return await perform(self, *steps)


@contextlib.asynccontextmanager
async def virtual(_: Path) -> AsyncIterator[Rig]:
    """Its cards are put in and taken out by commands."""
    held: list[VirtualReader] = []

    def make(card: Card | None) -> Callable[[], None]:
        return lambda: held.append(VirtualReader(card))

    yield Bench(
        lambda: held[-1],
        {
            Step.START: make(Card(SERIAL)),
            Step.START_EMPTY: make(None),
            Step.INSERT: lambda: held[-1].insert(Card(SERIAL)),
            Step.INSERT_OTHER: lambda: held[-1].insert(Card(OTHER)),
            Step.REMOVE: lambda: held[-1].remove(),  # noqa: PLW0108 - that one which is held then
        },
    )


@contextlib.asynccontextmanager
async def serial(folder: Path) -> AsyncIterator[Rig]:
    """A board that speaks FKC/1, written from its page, on a terminal."""
    link = PtyLink(folder / "fkc0")
    board = link.board

    def start(chip: Chip | None) -> None:
        board.chip = chip
        link.plug()

    yield Bench(
        lambda: SerialReader(str(link.path), name="fkc0"),
        {
            Step.START: lambda: start(Chip(SERIAL)),
            Step.START_EMPTY: lambda: start(None),
            Step.INSERT: lambda: board.insert(Chip(SERIAL)),
            Step.INSERT_OTHER: lambda: board.insert(Chip(OTHER)),
            Step.INSERT_BAD: lambda: board.insert(Chip(error=NO_ANSWER)),
            Step.REMOVE: board.remove,
            Step.LOSE: link.unplug,
            Step.SWAP_UNSEEN: lambda: setattr(board, "chip", Chip(OTHER)),
            Step.FIND: link.plug,
        },
    )
    link.unplug()


@contextlib.asynccontextmanager
async def pn532(folder: Path) -> AsyncIterator[Rig]:
    """A PN532 on a terminal, written from its manual."""
    link = ChipTerminal(folder / "nfc0")

    def lay(card: ChipCard | None) -> Callable[[], None]:
        return lambda: setattr(link.chip, "card", card)

    def start(card: ChipCard | None) -> None:
        link.chip.card = card
        link.plug()

    first, other = fkc(SERIAL), fkc(OTHER, "04998877665544")
    yield Bench(
        lambda: Pn532Reader(str(link.path), name="nfc0", read=reading_by(DEFAULT_POLICY), timing=PATIENT),
        {
            Step.START: lambda: start(first),
            Step.START_EMPTY: lambda: start(None),
            Step.INSERT: lay(first),
            Step.INSERT_OTHER: lay(other),
            Step.INSERT_BAD: lay(ChipCard(DumbCard())),
            Step.REMOVE: lay(None),
            Step.LOSE: link.unplug,
            Step.SWAP_UNSEEN: lay(other),
            Step.FIND: link.plug,
        },
    )
    link.unplug()


@contextlib.asynccontextmanager
async def pcsc(_: Path) -> AsyncIterator[Rig]:
    """Debian's pcscd and libpcsclite, with a reader driver whose readers are no hardware."""
    with service() as (slot, _service):
        yield Bench(lambda: PcscReader("bench", read=reading_by(DEFAULT_POLICY)), _pcsc_hands(slot))


def _pcsc_hands(slot: SimulatedReader) -> Hands:
    return {
        Step.START: lambda: slot.insert(identifier_card(SERIAL)),
        Step.START_EMPTY: slot.remove,
        Step.INSERT: lambda: slot.insert(identifier_card(SERIAL)),
        Step.INSERT_OTHER: lambda: slot.insert(identifier_card(OTHER)),
        Step.INSERT_BAD: lambda: slot.insert(DumbCard()),
        Step.REMOVE: slot.remove,
        Step.LOSE: slot.unplug,
        Step.SWAP_UNSEEN: lambda: slot.insert(identifier_card(OTHER)),
        Step.FIND: slot.plug,
    }


@contextlib.asynccontextmanager
async def firmware(folder: Path) -> AsyncIterator[Rig]:
    """The firmware as it is flashed, in a simulated chip."""
    with firmware_sim(folder) as board:
        yield Bench(lambda: SerialReader(str(board.path), name="fkc0"), _firmware_hands(board))


def _firmware_hands(board: FirmwareSim) -> Hands:
    def swap() -> None:
        board.remove()
        board.insert(memory_card(OTHER))

    return {
        Step.START: board.insert,
        Step.START_EMPTY: lambda: None,
        Step.INSERT: board.insert,
        Step.INSERT_OTHER: lambda: board.insert(memory_card(OTHER)),
        Step.INSERT_BAD: lambda: board.insert(b"\xff" * 32),
        Step.REMOVE: board.remove,
        Step.LOSE: lambda: board.tell("unplug"),
        Step.SWAP_UNSEEN: swap,
        Step.FIND: lambda: board.tell("plug"),
    }


class Cassette:
    """What a serial reader told, recorded and played: the same chapters, as whoever keeps the time lets them happen."""

    can = EVERYTHING
    patience_s = PATIENCE_S

    def __init__(self, live: Rig, folder: Path) -> None:
        self._live = live
        self._path = folder / "session.jsonl"

    async def prepare(self, step: Step) -> Reader:
        reader, clock = await self._live.prepare(step), Clock(ClockBase(NOON, NOON))
        header = Header(reader.kind, reader.name, "bench-1", NOON, "contract")
        return Recorder(reader, Tape(self._path, header, now=clock.now, monotonic=clock.monotonic))

    async def act(self, step: Step) -> None:
        await self._live.act(step)

    async def tell(self, *steps: Step) -> Story:
        story = await perform(self, *steps)
        listener = Listener()

        def schedule(facts: Any) -> None:
            for timed in facts:
                listener.emit(timed.fact)

        reader = CassetteReader(load_recording(self._path), schedule)
        listener.begin()
        async with running(reader.run(listener.emit)):
            played = list(await listener.until(lambda facts: len(facts) >= len(story.facts), self.patience_s))
        chapters = [Chapter(step, tuple(played.pop(0) for _ in told)) for step, told in story.chapters]
        assert not played
        return Story(reader, tuple(chapters))


@contextlib.asynccontextmanager
async def cassette(folder: Path) -> AsyncIterator[Rig]:
    """A recording of a board on a terminal."""
    async with serial(folder) as live:
        yield Cassette(live, folder)
