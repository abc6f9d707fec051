"""Injected faults as frozen values, and what the reader says behind them."""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.core.words import Cause, KeyPresence, KeyReason, Nanoseconds

# An option of a fault and its value: whole numbers, nanoseconds, serials.
Options = tuple[tuple[str, str], ...]


class InjectedFault(NamedTuple):
    """A fault with its life: it waits until `starts`, then is there until `until`, if that is known.

    Whenever it may strike, it does so with this `probability`, by a chance that follows from `seed` and from how often
    it was asked (`chances`). After `clear_after` strikes it is gone. `striking`: it has its effect now. `phase` counts
    what a strike has left to do; `next_at` is when it goes on with it.
    """

    id: str
    fault: str
    target: str
    options: Options
    probability: float
    clear_after: int | None
    starts: Nanoseconds
    until: Nanoseconds | None
    seed: int
    seq: int
    begun: bool = False
    striking: bool = False
    strikes: int = 0
    chances: int = 0
    phase: int = 0
    next_at: Nanoseconds | None = None
    cause: Cause = ()

    def option(self, name: str) -> str:
        """The value of an option that the catalogue knows of this fault."""
        return dict(self.options)[name]

    def number(self, name: str) -> int:
        """The same as a whole number, seconds in nanoseconds."""
        return int(self.option(name))


class KeyReport(NamedTuple):
    """What the reader says of itself and of the key, behind the faults that hide it from the unit."""

    attached: bool
    name: str
    error: str | None
    presence: KeyPresence
    reason: KeyReason
    detail: str
    serial: str | None
    law: str | None
    kind: str | None
    identity: str | None
    assurance: str | None
    counter: int
