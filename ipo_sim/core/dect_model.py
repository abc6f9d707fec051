"""The IP DECT system of a unit as frozen values."""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.core.words import Cause
from ipo_sim.licensing.dect import VOICE, DectState, ViolationTimer


class BaseStation(NamedTuple):
    """A base station of the IP DECT system; `admm`: it manages the others. `seq` is the event that made it so.

    `licensed`: its MAC is in the licence key, so that its answer counts.
    """

    mac: str
    admm: bool
    carries_calls: bool
    reachable: bool
    seq: int
    licensed: bool = False
    cause: Cause = ()


class Dect(NamedTuple):
    """The IP DECT system in one line.

    `key` is the licence key that was entered, or empty; `licensed_macs` and `licensed_bases` are what it says if it is
    good for this PARK. `required` of the licensed base stations must answer, `present` do. `timer` None: a violation
    blocks voice at once. `handsets` are configured, `active_handsets` registered. `seq` is the event of the key.
    """

    state: DectState
    park: str
    key: str
    seq: int
    licensed_bases: int = 0
    licensed_macs: tuple[str, ...] = ()
    required: int = 0
    present: int = 0
    timer: ViolationTimer | None = None
    handsets: int = 0
    active_handsets: int = 0
    advised_handsets: int = 0
    calls: int = 0
    cause: Cause = ()

    @property
    def voice(self) -> bool:
        """Whether the licence lets handsets talk."""
        return self.state in VOICE


class DectSystem(NamedTuple):
    """The IP DECT system and its base stations, in the order in which they were configured."""

    dect: Dect
    bases: tuple[BaseStation, ...]
