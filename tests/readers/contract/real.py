"""The rig of real hardware: a reader at an address, and a person, or a command, for its hands."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from urllib.parse import unquote

from ipo_sim.card.reading import CardPolicy
from ipo_sim.core.events import Fact, FeatureKeyInserted, FeatureKeyRemoved
from ipo_sim.readers.card_crypto import signature_check
from ipo_sim.readers.reader import Reader
from tests.readers.contract.options import SCHEMES
from tests.readers.contract.story import KEY_FACTS, Listener, Step, Story, perform
from tests.readers.links import running
from tests.readers.pcsc_bench import reading_by

# Any card that has an identity at all will do on a bench.
POLICY = CardPolicy(derive=True, crypto=signature_check())


def is_address(name: str) -> bool:
    """Whether this is the address of a real reader, `SCHEME://...`."""
    scheme, mark, place = name.partition("://")
    return bool(mark and place and scheme in SCHEMES)


def reader_at(address: str) -> Reader:
    """The reader at an address; imports what only it needs."""
    scheme, _, place = address.partition("://")
    # serial://HOST:PORT is a bridge over TCP.
    port = place if place.startswith("/") else f"socket://{place}"
    if scheme == "serial":
        from ipo_sim.readers.serial_line import SerialReader  # noqa: PLC0415 - as the docstring says

        return SerialReader(port)
    read = reading_by(POLICY)
    if scheme == "pn532":
        from ipo_sim.readers.pn532 import Pn532Reader  # noqa: PLC0415 - as above

        return Pn532Reader(port, read=read)
    from ipo_sim.readers.pcsc import PcscReader  # noqa: PLC0415 - as above

    return PcscReader(unquote(place), read=read)


class RealRig:
    """`hands` is a command that gets the step's name; without one a person is asked, who needs no keyboard.

    `known` is shared by all rigs of a run: the serial of the first card, once it was seen.
    """

    def __init__(
        self,
        address: str,
        can: frozenset[Step],
        *,
        hands: str | None,
        patience_s: float,
        known: list[str],
        uncaptured: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.can = can
        self.patience_s = patience_s
        self._address = address
        self._hands = hands
        self._known = known
        self._uncaptured = uncaptured

    async def prepare(self, step: Step) -> Reader:
        """Have the reader itself tell what is in, and ask for what is not as it should be."""
        there = await self._until(lambda fact: isinstance(fact, KEY_FACTS))
        if not isinstance(there, FeatureKeyRemoved) and (step is Step.START_EMPTY or not self._is_first(there)):
            await self._ask(Step.REMOVE, lambda fact: isinstance(fact, FeatureKeyRemoved))
            there = FeatureKeyRemoved()
        if step is Step.START and isinstance(there, FeatureKeyRemoved):
            await self._ask(Step.INSERT, lambda fact: isinstance(fact, FeatureKeyInserted))
        return reader_at(self._address)

    async def act(self, step: Step) -> None:
        if self._hands is None:
            with self._uncaptured():
                print(f"\n>>> {step.value} ", file=sys.stderr, flush=True)  # noqa: T201 - what the person reads
            return
        command = [*shlex.split(self._hands), step.name.lower()]
        process = await asyncio.create_subprocess_exec(*command)
        assert await process.wait() == 0, f"{shlex.join(command)} ended with {process.returncode}"

    async def tell(self, *steps: Step) -> Story:
        story = await perform(self, *steps)
        for step, told in story.chapters:
            if step in (Step.START, Step.INSERT) and not self._known:
                self._known += [fact.serial for fact, _ in told if isinstance(fact, FeatureKeyInserted)]
        return story

    def _is_first(self, fact: Fact) -> bool:
        return isinstance(fact, FeatureKeyInserted) and self._known in ([], [fact.serial])

    async def _ask(self, step: Step, done: Callable[[Fact], bool]) -> None:
        await self.act(step)
        await self._until(done)

    async def _until(self, wanted: Callable[[Fact], bool]) -> Fact:
        """The last fact of a reader of its own, once it says what is wanted."""
        listener, reader = Listener(), reader_at(self._address)
        async with running(reader.run(listener.emit)):
            told = await listener.until(lambda facts: any(map(wanted, facts)), self.patience_s)
        return next(fact for fact, _ in reversed(told) if wanted(fact))
