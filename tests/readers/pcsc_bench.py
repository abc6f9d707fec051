"""A PC/SC reader that runs on a real pcscd with a simulated reader, cards that misbehave, and the facts to expect."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Self

from ipo_sim.card.exchange import Conversation
from ipo_sim.card.reading import DEFAULT_POLICY, CardPolicy, CardReading, read_card
from ipo_sim.core.events import FeatureKeyInserted, ReaderAttached
from ipo_sim.readers.pcsc import DEFAULT_TIMING, PcscReader, Timing
from tests.card.emulated_cards import SERIAL
from tests.readers.links import PATIENCE_S, Facts, running
from tests.readers.pcscd import Card, Pcscd, SimulatedReader

NAME = "Bench Reader"
# What pcscd makes of the first reader's name.
FULL_NAME = f"{NAME} 00 00"
ATTACHED = ReaderAttached(FULL_NAME)


def inserted(counter: int, serial: str = SERIAL, assurance: str = "identifier") -> FeatureKeyInserted:
    return FeatureKeyInserted(
        serial, kind="fkc", identity=f"fkc:{serial}", law="alaw", assurance=assurance, counter=counter
    )


def reading_by(policy: CardPolicy) -> Callable[[bytes], Conversation[CardReading]]:
    """How cards are read by this policy."""
    return lambda atr: read_card(atr, policy, secrets.token_bytes(16))


class Wrapped:
    """Another card with a fault: `answer` gets every command, and what the card itself would say."""

    def __init__(self, card: Card, answer: Callable[[bytes, bytes], bytes]) -> None:
        self._card = card
        self._answer = answer
        self.atr = card.atr

    def reset(self) -> None:
        self._card.reset()

    def transmit(self, command: bytes) -> bytes:
        return self._answer(command, self._card.transmit(command))


class Hanging:
    """Another card that answers nothing before it is let go. Use it as a context manager, so that it is in the end."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self._free = threading.Event()
        self.asked = threading.Event()
        self.atr = card.atr

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()

    def reset(self) -> None:
        self._card.reset()

    def transmit(self, command: bytes) -> bytes:
        self.asked.set()
        self._free.wait()
        return self._card.transmit(command)

    def let_go(self) -> None:
        self._free.set()


class Bench:
    """A simulated reader, the service, the reader under test and what it says."""

    def __init__(self, slot: SimulatedReader, service: Pcscd, reader: PcscReader) -> None:
        self.slot = slot
        self.service = service
        self.reader = reader
        self.facts = Facts()

    def count(self, name: str) -> int:
        return self.reader.counters()[name]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for what nobody tells of."""
        await until(condition)


@contextlib.contextmanager
def service() -> Iterator[tuple[SimulatedReader, Pcscd]]:
    """One reader and the service that knows it."""
    with SimulatedReader(NAME) as slot, Pcscd([slot.entry]) as pcscd:
        yield slot, pcscd


@contextlib.asynccontextmanager
async def bench(
    card: Card | None = None,
    *,
    pattern: str = "bench",
    policy: CardPolicy = DEFAULT_POLICY,
    timing: Timing = DEFAULT_TIMING,
) -> AsyncIterator[Bench]:
    """A bench with this card in the reader."""
    with service() as (slot, pcscd):
        if card is not None:
            slot.insert(card)
        made = Bench(slot, pcscd, PcscReader(pattern, read=reading_by(policy), timing=timing))
        async with running(made.reader.run(made.facts.emit)):
            yield made


async def until(condition: Callable[[], object]) -> None:
    """Wait for what nobody tells of, a turn of the loop at a time."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0)
