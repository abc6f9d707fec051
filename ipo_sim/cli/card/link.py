"""What commands of a card need of the way to it."""

from __future__ import annotations

from typing import Protocol


class CardLink(Protocol):
    """A card that is powered, and nobody else's for now."""

    def atr(self) -> bytes:
        """What it answered to its reset."""
        ...

    def transmit(self, command: bytes) -> bytes:
        """Its response with the status word; ReaderError when it is gone."""
        ...
