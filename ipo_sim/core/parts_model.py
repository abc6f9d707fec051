"""Places for parts, parts, and whether they serve."""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.catalogue.types import PartType, PlaceKind
from ipo_sim.core.words import Availability, Cause, Hold, OperState


class Service(NamedTuple):
    """Whether a part serves: X.731 states and, when it does not, what holds it and the causes from near to far."""

    oper_state: OperState
    availability: Availability | None = None
    hold: Hold | None = None
    cause: Cause = ()


class Place(NamedTuple):
    """A place for a part.

    `path` is its topic, `number` its slot or expansion port, `entity_index` its container's `entPhysicalIndex`,
    `entity_name` the chain of names of the container.
    """

    path: str
    kind: PlaceKind
    number: int
    entity_index: int
    entity_name: str
    carried: bool = False


class Port(NamedTuple):
    """A port at which something is: the phone that was detected there, the calls on its line.

    `name` is its topic, such as `slots-1-port-3`, `place` that of its part, `number` what is printed at the socket.
    `seq` is the event that made it so.
    """

    name: str
    place: str
    number: int
    kind: str
    seq: int
    phone: str = ""
    calls: tuple[str, ...] = ()


class Part(NamedTuple):
    """What is at one place. `detected` means seen at the last start: a part fitted live waits for the next one.

    `surplus`: the rule that it breaks as one card too many. `failed`: it served since the last start and then stopped
    by itself, which is what alarm 20 says. `seq` is the event that put it, or its fault, there.
    """

    place: Place
    fitted: PartType | None
    configured: PartType | None
    detected: bool
    seq: int
    service: Service
    fault: str | None = None
    surplus: str | None = None
    failed: bool = False

    @property
    def entity_name(self) -> str:
        """Chain of `entPhysicalName` values, at most 64 characters."""
        part = self.fitted or self.configured
        return f"{self.place.entity_name}, {part.name}"[:64] if part else self.place.entity_name

    @property
    def entity_index(self) -> int:
        """`entPhysicalIndex` of the part: next to that of its container."""
        return self.place.entity_index + 1
