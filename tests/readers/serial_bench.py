"""A serial reader that runs on a link in memory, and the facts that it is expected to tell."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from ipo_sim.core.events import (
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    ReaderAttached,
    ReaderLost,
)
from ipo_sim.core.model import KeyReason
from ipo_sim.readers.serial_line import SerialReader
from tests.readers.board import Chip
from tests.readers.links import Facts, MemoryLink, running
from tests.readers.virtual_time import elapse

ATTACHED = ReaderAttached("fkc0")
GONE = ReaderLost("read failed: the device is gone")
MISSING = ReaderLost("no such device")
UNREADABLE = FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS, "the card does not answer its address (error 02)")
NAMELESS = FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS, "a card is in, and the reader does not say which")
OTHER = Chip("9999999999")


def inserted(counter: int, chip: Chip = Chip()) -> FeatureKeyInserted:  # noqa: B008 - a tuple that nobody changes
    return FeatureKeyInserted(
        chip.serial,
        kind=chip.kind.lower(),
        identity=f"fkc:{chip.serial}",
        law=chip.law or "alaw",
        assurance="identifier",
        counter=counter,
    )


class Bench:
    """A reader that runs on a link in memory."""

    def __init__(self, link: MemoryLink, **settings: object) -> None:
        self.link = link
        self.board = link.board
        self.facts = Facts()
        self.reader = SerialReader("/dev/fkc0", name="fkc0", opener=link.open, **settings)  # type: ignore[arg-type]  # passed through

    def count(self, name: str) -> int:
        return self.reader.counters()[name]


@contextlib.asynccontextmanager
async def bench(
    chip: Chip | None = None, *, link: MemoryLink | None = None, **settings: object
) -> AsyncIterator[Bench]:
    """A bench with this card in the board."""
    made = Bench(link or MemoryLink(), **settings)
    made.board.chip = chip
    async with running(made.reader.run(made.facts.emit)):
        yield made


@contextlib.asynccontextmanager
async def settled(chip: Chip | None = None) -> AsyncIterator[Bench]:
    """A bench whose first facts have come and are dealt with; half a second after a beat."""
    async with bench(chip) as made:
        await elapse(1.5)
        assert made.facts.take() == [ATTACHED, FeatureKeyRemoved(0) if chip is None else made_fact(chip)]
        yield made


def made_fact(chip: Chip) -> Fact:
    return UNREADABLE if chip.error else inserted(1, chip)
