"""Where a scenario is played: what a player needs of it, be it in this process or a running daemon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.scenario.model import Json


class Seen(NamedTuple):
    """One event of a unit, `at` since the beginning, in words as the journal has it."""

    unit: UnitName
    at: Nanoseconds
    line: str


# Called after each event, when the world shows what it did.
Observer = Callable[[Seen], None]


class World(Protocol):
    """Units that take commands, show their entities as MQTT payloads, and have a time that begins with the scenario.

    `tolerance_s`: seconds that what is so may be late to be seen.
    """

    tolerance_s: float

    def observe(self, observer: Observer) -> None:
        """Tell `observer` of everything from now on."""

    def now(self) -> Nanoseconds:
        """Time since the beginning."""
        ...

    async def until(self, at: Nanoseconds) -> None:
        """Let time pass until `at`; whatever happens by then has been told."""

    async def settle(self, is_so: Callable[[], bool]) -> None:
        """Wait until `is_so`, for `tolerance_s` at most; at once where nothing is late."""

    async def execute(self, unit: UnitName, verb: str, arguments: Mapping[str, object]) -> Mapping[str, Json]:
        """Carry out a command; CommandRejected."""
        ...

    def entity(self, unit: UnitName, path: str) -> Json:
        """The entity as its payload says it; None: there is none."""
        ...

    def digest(self) -> str | None:
        """What tells this history from any other; None: nobody can know."""
        ...
