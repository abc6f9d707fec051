"""The card on the antenna of a PN532, for who waits for each of its responses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from ipo_sim.card.pn532_commands import Target
from ipo_sim.cli.card.link import CardLink
from ipo_sim.errors import ReaderError
from ipo_sim.readers.open_port import open_port
from ipo_sim.readers.pn532 import BAUD
from ipo_sim.readers.pn532_chip import CardSilent, Pn532Chip
from ipo_sim.readers.pn532_link import Pn532Link
from ipo_sim.readers.port import parse_address

T = TypeVar("T")


class Tag:
    """A card that was found, see `CardLink`."""

    def __init__(self, runner: asyncio.Runner, chip: Pn532Chip, target: Target) -> None:
        self._runner = runner
        self._chip = chip
        self._target = target

    def atr(self) -> bytes:
        """What a PC/SC reader would tell of it."""
        return self._target.atr

    def transmit(self, command: bytes) -> bytes:
        """See `CardLink.transmit`."""
        try:
            return self._runner.run(self._chip.transmit(self._target, command))
        except CardSilent as error:
            raise ReaderError(f"the card was taken away: {error}") from None


def with_tag(address: str, work: Callable[[CardLink], T]) -> T:
    """Do something with the card on the antenna; ReaderError: no chip answers there, or no card is on it."""
    with asyncio.Runner() as runner:
        port = runner.run(open_port(parse_address(address), BAUD))
        try:
            link = Pn532Link()
            link.open(port)
            chip = Pn532Chip(link)
            runner.run(chip.set_up())
            target = runner.run(chip.find())
            if target is None:
                raise ReaderError(f"no card is on {address}")
            return work(Tag(runner, chip, target))
        finally:
            runner.run(port.close())
