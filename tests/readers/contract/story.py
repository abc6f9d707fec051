"""What happens at a reader, step by step, and what it says of each: what the contract of all readers is judged by."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from ipo_sim.core.events import (
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    ReaderAttached,
    ReaderLost,
)
from ipo_sim.readers.reader import Reader
from tests.readers.links import running

KEY_FACTS = (FeatureKeyInserted, FeatureKeyRemoved, FeatureKeyUnreadable)
# Turns of the loop in which what a reader says twice is still heard.
TURNS = 10


class Step(Enum):
    """Something that hands do. The values are what a person is asked to do."""

    START_EMPTY = "take the card out of the reader"
    START = "put the first card into the reader"
    INSERT = "put the first card in"
    INSERT_OTHER = "put another card in"
    INSERT_BAD = "put a card in that cannot be read"
    REMOVE = "take the card out"
    LOSE = "pull the reader's cable"
    SWAP_UNSEEN = "exchange the card for another one while the reader is unplugged"
    FIND = "plug the reader in again"


STARTS = (Step.START, Step.START_EMPTY)
# What every bench can do.
ALWAYS = frozenset({*STARTS, Step.INSERT, Step.REMOVE})


class Told(NamedTuple):
    """A fact, so many seconds after its step."""

    fact: Fact
    after_s: float


class Chapter(NamedTuple):
    """A step, and all that the reader said until the next one."""

    step: Step
    told: tuple[Told, ...]

    @property
    def facts(self) -> list[Fact]:
        return [told.fact for told in self.told]


class Story(NamedTuple):
    """All chapters, and the reader as it was at the end."""

    reader: Reader
    chapters: tuple[Chapter, ...]

    @property
    def facts(self) -> list[Fact]:
        return [fact for chapter in self.chapters for fact in chapter.facts]


class Rig(Protocol):
    """A reader, and hands for it. `can` are the steps beside ALWAYS; `patience_s` is how long a step may take."""

    can: frozenset[Step]
    patience_s: float

    async def prepare(self, step: Step) -> Reader:
        """A reader that does not run yet, with what a START or START_EMPTY wants in it."""

    async def act(self, step: Step) -> None:
        """Do what the step says, or have it done; what comes of it is waited for by whoever asks."""

    async def tell(self, *steps: Step) -> Story:
        """Do all steps, the first of which is a start."""


# How a test has steps done.
Tell = Callable[..., Awaitable[Story]]


class Listener:
    """Keeps what a reader says, with its times."""

    def __init__(self) -> None:
        self._told: list[Told] = []
        self._began = 0.0
        self._changed = asyncio.Event()

    def begin(self) -> None:
        """A step is done now."""
        self._told = []
        self._began = asyncio.get_running_loop().time()

    def emit(self, fact: Fact) -> None:
        self._told.append(Told(fact, asyncio.get_running_loop().time() - self._began))
        self._changed.set()

    async def until(self, settled: Callable[[Sequence[Fact]], bool], patience_s: float) -> tuple[Told, ...]:
        """All since the step, once that is settled and nothing follows at once."""
        async with asyncio.timeout(patience_s):
            while not settled([told.fact for told in self._told]):
                self._changed.clear()
                await self._changed.wait()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        return tuple(self._told)


async def perform(rig: Rig, *steps: Step) -> Story:
    """The story of these steps on a reader that runs."""
    listener, chapters = Listener(), []
    start, *others = steps
    reader = await rig.prepare(start)
    listener.begin()
    async with running(reader.run(listener.emit)):
        chapters.append(await _chapter(listener, start, rig.patience_s))
        for step in others:
            listener.begin()
            await rig.act(step)
            chapters.append(await _chapter(listener, step, rig.patience_s))
    return Story(reader, tuple(chapters))


async def _chapter(listener: Listener, step: Step, patience_s: float) -> Chapter:
    try:
        return Chapter(step, await listener.until(lambda facts: settles(step, facts), patience_s))
    except TimeoutError:
        said = [told.fact for told in listener._told]
        raise AssertionError(f"{step.value}: the reader said only {said} within {patience_s:g} s") from None


def settles(step: Step, facts: Sequence[Fact]) -> bool:
    """Whether these facts end the wait for a step; whether they are the right ones is another question."""
    match step:
        case Step.SWAP_UNSEEN:
            return True
        case Step.LOSE:
            return any(isinstance(fact, ReaderLost) for fact in facts)
        case Step.REMOVE:
            return any(isinstance(fact, FeatureKeyRemoved) for fact in facts)
        case Step.INSERT | Step.INSERT_OTHER | Step.INSERT_BAD:
            return any(isinstance(fact, FeatureKeyInserted | FeatureKeyUnreadable) for fact in facts)
    kinds = [type(fact) for fact in facts]
    return ReaderAttached in kinds and any(kind in KEY_FACTS for kind in kinds[kinds.index(ReaderAttached) :])
