"""Simulated readers whose drivers are by others. They look for cards now and then, so they take seconds."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

from ipo_sim.card.reading import DEFAULT_POLICY
from ipo_sim.cli.card.slots import slots
from ipo_sim.readers.pcsc import PcscReader
from tests.card.emulated_cards import DumbCard, EmulatedCard, identifier_card
from tests.readers import vpcd
from tests.readers.ccid_reader import CcidReader, with_t0
from tests.readers.contract.rigs import OTHER, SERIAL, Bench
from tests.readers.contract.story import Rig, Step
from tests.readers.pcsc_bench import reading_by
from tests.readers.pcscd import Card, Pcscd
from tests.requirements import missing

# Drivers that look every 400 ms, on a machine that has other things to do.
DRIVER_PATIENCE_S = 60.0


class Slot(Protocol):
    """Where cards go in and out."""

    def insert(self, card: Card) -> None: ...

    def remove(self) -> None: ...


@contextlib.asynccontextmanager
async def ccid(_: Path) -> AsyncIterator[Rig]:
    """Debian's driver for CCID, with a reader on a terminal."""
    with CcidReader("GemPC") as slot, Pcscd([slot.entry]):
        yield _bench("GemPC 00 00", slot, with_t0)


@contextlib.asynccontextmanager
async def vsmartcard(_: Path) -> AsyncIterator[Rig]:
    """The driver of vsmartcard, with a card behind a socket in a network of its own."""
    if os.geteuid() != 0:
        missing("only root may enter the network of the driver: run the tests as root")
    with Pcscd([vpcd.entry("Virtual PCD")], network=True) as pcscd:
        slot = vpcd.VpcdCard(pcscd)
        yield _bench("Virtual PCD 00 00", slot, lambda card: card)
        slot.remove()


def _bench(name: str, slot: Slot, adapted: Callable[[EmulatedCard], EmulatedCard]) -> Bench:
    def insert(card: EmulatedCard) -> Callable[[], None]:
        return lambda: slot.insert(adapted(card))

    def start() -> None:
        insert(identifier_card(SERIAL))()
        _until_seen(name)

    return Bench(
        lambda: PcscReader(name, read=reading_by(DEFAULT_POLICY)),
        {
            Step.START: start,
            Step.START_EMPTY: lambda: None,
            Step.INSERT: insert(identifier_card(SERIAL)),
            Step.INSERT_OTHER: insert(identifier_card(OTHER)),
            Step.INSERT_BAD: insert(DumbCard()),
            Step.REMOVE: slot.remove,
        },
        DRIVER_PATIENCE_S,
    )


def _until_seen(name: str) -> None:
    """A reader that is opened before its driver has looked is empty at first, as it would be with hardware."""
    end = time.monotonic() + DRIVER_PATIENCE_S
    while not any(slot.occupied for slot in slots() if slot.name == name):
        assert time.monotonic() < end, "the driver sees no card"
