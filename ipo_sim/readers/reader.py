"""What every feature key reader is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from ipo_sim.core.events import Fact

Emit = Callable[[Fact], None]


class Reader(Protocol):
    """A source of facts about the feature key."""

    @property
    def kind(self) -> str:
        """The word for it in the configuration: `virtual`, `serial`, ..."""
        ...

    @property
    def name(self) -> str:
        """What ReaderAttached calls it."""
        ...

    @property
    def last_error(self) -> str | None:
        """The last thing that went wrong; None: nothing yet."""
        ...

    async def run(self, emit: Emit) -> None:
        """Look after the reader and emit what happens at it, until cancelled."""

    def counters(self) -> Mapping[str, int]:
        """What was counted since this object was made, by name."""
        ...
