"""A PN532 reader on a chip in memory, or on a terminal, and the facts that it is expected to tell."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from random import Random

from ipo_sim.card.reading import DEFAULT_POLICY, CardPolicy, read_card
from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, ReaderAttached
from ipo_sim.errors import ReaderError
from ipo_sim.readers.pn532 import Pn532Reader, Read
from tests.card.emulated_cards import SERIAL, FkcCard, fkc_content
from tests.readers.links import Facts, Faults, MemoryPort, Wire, running
from tests.readers.pn532_chip import Chip, ChipCard, OnAntenna
from tests.readers.pty_link import Terminal
from tests.readers.virtual_time import elapse, run

ATTACHED = ReaderAttached("nfc")
EMPTY = FeatureKeyRemoved(0)
DERIVING = CardPolicy(derive=True)


def reading_by(policy: CardPolicy) -> Read:
    """How cards are read by this policy."""
    return lambda atr: read_card(atr, policy, secrets.token_bytes(16))


def fkc(serial: str = SERIAL, uid: str = "04112233445566") -> ChipCard:
    return ChipCard(FkcCard(fkc_content(serial)), uid)


def inserted(counter: int, serial: str = SERIAL, kind: str = "fkc") -> FeatureKeyInserted:
    return FeatureKeyInserted(serial, kind=kind, identity=f"fkc:{serial}", law="alaw", counter=counter)


class ChipLink:
    """A chip behind a wire in memory, with faults by `seed`."""

    def __init__(self, seed: int = 0) -> None:
        random = Random(seed)
        self.to_host = Wire(random, self._to_port)
        self.chip = Chip(self.to_host.send)
        self.to_board = Wire(random, self.chip.receive)
        self.port: MemoryPort | None = None
        self.plugged = True
        self.ports: list[MemoryPort] = []

    async def open(self) -> MemoryPort:
        """What a reader calls to open the link."""
        if not self.plugged:
            raise ReaderError("no such device")
        assert self.port is None, "opened twice at once"
        self.port = MemoryPort(self)
        self.ports.append(self.port)
        return self.port

    def spoil(self, faults: Faults) -> None:
        """From now on both directions are like this."""
        self.to_board.faults = self.to_host.faults = faults

    def unplug(self) -> None:
        """Pull the adapter out, and the chip's power with it."""
        self.plugged = False
        self.chip.power_cycle()
        self.to_board.cut()
        self.to_host.cut()
        if self.port is not None:
            self.port.fail("read failed: the device is gone")

    def plug(self) -> None:
        """Put it back."""
        self.plugged = True

    def _to_port(self, data: bytes) -> None:
        if self.port is not None:
            self.port.arrive(data)


class ChipTerminal(Terminal):
    """A chip on a terminal at `path`, with a serial adapter that can be pulled out."""

    def __init__(self, path: Path) -> None:
        self.chip = Chip(self.write)
        super().__init__(path, self.chip.receive)

    def plug(self) -> None:
        self.chip.power_cycle()
        self.open()

    def unplug(self) -> None:
        self.chip.power_cycle()
        self.close()


class Bench:
    """A reader that runs on a chip in memory."""

    def __init__(self, link: ChipLink, policy: CardPolicy = DEFAULT_POLICY, read: Read | None = None) -> None:
        self.link = link
        self.chip = link.chip
        self.facts = Facts()
        self.reader = Pn532Reader("/dev/nfc", name="nfc", opener=link.open, read=read or reading_by(policy))

    def count(self, name: str) -> int:
        return self.reader.counters()[name]


@contextlib.asynccontextmanager
async def bench(
    card: OnAntenna | None = None,
    *,
    link: ChipLink | None = None,
    policy: CardPolicy = DEFAULT_POLICY,
    read: Read | None = None,
) -> AsyncIterator[Bench]:
    """A bench with this card on the antenna."""
    made = Bench(link or ChipLink(), policy, read)
    made.chip.card = card
    async with running(made.reader.run(made.facts.emit)):
        yield made


def played(
    scenario: Callable[[Bench], Awaitable[None]],
    card: OnAntenna | None = None,
    *,
    policy: CardPolicy = DEFAULT_POLICY,
    read: Read | None = None,
) -> None:
    """Run a scenario on a bench whose first facts have been told."""

    async def all_of_it() -> None:
        async with bench(card, policy=policy, read=read) as made:
            await elapse(1)
            await scenario(made)

    run(all_of_it())


def first_facts(
    card: OnAntenna | None, *, policy: CardPolicy = DEFAULT_POLICY, read: Read | None = None
) -> list[object]:
    told: list[object] = []

    async def scenario(made: Bench) -> None:
        told.extend(made.facts.take())

    played(scenario, card, policy=policy, read=read)
    assert told[0] == ATTACHED
    return told[1:]
