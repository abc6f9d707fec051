"""What can happen to a unit: past-tense facts, and the event that carries one into the core."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

from ipo_sim.core.model import KeyReason, Nanoseconds


@dataclass(frozen=True, slots=True)
class PowerApplied:
    """Mains power is there: the unit starts cold."""

    TYPE: ClassVar[str] = "power-applied"


@dataclass(frozen=True, slots=True)
class PowerRemoved:
    """Mains power is gone."""

    TYPE: ClassVar[str] = "power-removed"


@dataclass(frozen=True, slots=True)
class RestartRequested:
    """A commanded restart: the unit starts warm."""

    TYPE: ClassVar[str] = "restart-requested"


@dataclass(frozen=True, slots=True)
class ShutdownRequested:
    """A commanded shutdown: `minutes` 0 = until power is cycled, else 5-1440; `source` as trap 37 names it."""

    TYPE: ClassVar[str] = "shutdown-requested"
    minutes: int = 0
    source: str = "Manager Administrator"


@dataclass(frozen=True, slots=True)
class DeadlineReached:
    """The earliest deadline of the unit has come; what it was is the unit's to know."""

    TYPE: ClassVar[str] = "deadline-reached"


@dataclass(frozen=True, slots=True)
class ReaderAttached:
    """The reader answers."""

    TYPE: ClassVar[str] = "reader-attached"
    name: str


@dataclass(frozen=True, slots=True)
class ReaderLost:
    """The reader does not answer any more: not the same as a removed card."""

    TYPE: ClassVar[str] = "reader-lost"
    error: str


@dataclass(frozen=True, slots=True)
class FeatureKeyInserted:
    """A readable card. `serial` is 10 decimal digits; `counter` counts insertions at this reader."""

    TYPE: ClassVar[str] = "feature-key-inserted"
    serial: str
    kind: str = "virtual"
    identity: str = ""
    law: str = "alaw"
    assurance: str = "identifier"
    counter: int = 0


@dataclass(frozen=True, slots=True)
class FeatureKeyRemoved:
    """No card in the reader."""

    TYPE: ClassVar[str] = "feature-key-removed"
    counter: int = 0


@dataclass(frozen=True, slots=True)
class FeatureKeyUnreadable:
    """A card that cannot be read, or whose registers are not in order."""

    TYPE: ClassVar[str] = "feature-key-unreadable"
    reason: KeyReason = KeyReason.NO_REGISTER_ACCESS


@dataclass(frozen=True, slots=True)
class LicenceAdded:
    """A licence string entered into the configuration; Unknown until that is loaded."""

    TYPE: ClassVar[str] = "licence-added"
    key: str


@dataclass(frozen=True, slots=True)
class LicenceRemoved:
    """A licence string deleted from the configuration."""

    TYPE: ClassVar[str] = "licence-removed"
    key: str


@dataclass(frozen=True, slots=True)
class ConfigurationLoaded:
    """The configuration was sent to the unit and loaded: entered strings are checked."""

    TYPE: ClassVar[str] = "configuration-loaded"


@dataclass(frozen=True, slots=True)
class PartFitted:
    """A part put into an empty place: `slots/1`, `slots/1/daughter`, `expansion/3`."""

    TYPE: ClassVar[str] = "part-fitted"
    path: str
    part: str


@dataclass(frozen=True, slots=True)
class PartWithdrawn:
    """A part pulled out, or its power taken."""

    TYPE: ClassVar[str] = "part-withdrawn"
    path: str


@dataclass(frozen=True, slots=True)
class PartConfigured:
    """The unit's configuration now expects this type at this place; None: nothing."""

    TYPE: ClassVar[str] = "part-configured"
    path: str
    part: str | None


@dataclass(frozen=True, slots=True)
class FaultSet:
    """A part fails; `fault` says how."""

    TYPE: ClassVar[str] = "fault-set"
    path: str
    fault: str = "failed"


@dataclass(frozen=True, slots=True)
class FaultCleared:
    """A failed part works again."""

    TYPE: ClassVar[str] = "fault-cleared"
    path: str


@dataclass(frozen=True, slots=True)
class DateSet:
    """The unit's clock was set: unit time is simulation time plus this offset."""

    TYPE: ClassVar[str] = "date-set"
    clock_offset_ns: Nanoseconds


Fact = (
    PowerApplied
    | PowerRemoved
    | RestartRequested
    | ShutdownRequested
    | DeadlineReached
    | ReaderAttached
    | ReaderLost
    | FeatureKeyInserted
    | FeatureKeyRemoved
    | FeatureKeyUnreadable
    | LicenceAdded
    | LicenceRemoved
    | ConfigurationLoaded
    | PartFitted
    | PartWithdrawn
    | PartConfigured
    | FaultSet
    | FaultCleared
    | DateSet
)

FACTS: dict[str, type[Fact]] = {fact.TYPE: fact for fact in Fact.__args__}


@dataclass(frozen=True, slots=True)
class Event:
    """A fact at a moment of simulation time (nanoseconds since 1970 UTC, never going back), and who caused it."""

    at: Nanoseconds
    fact: Fact
    cause: str = ""


def fact_data(fact: Fact) -> dict[str, Any]:
    """The fields of a fact as JSON values."""
    return {f.name: getattr(fact, f.name) for f in fields(fact)}


def fact_from(type_name: str, data: dict[str, Any]) -> Fact:
    """The fact of that type with those fields; KeyError for an unknown type, TypeError for wrong fields."""
    fact = FACTS[type_name]
    if fact is FeatureKeyUnreadable and "reason" in data:
        data = {**data, "reason": KeyReason(data["reason"])}
    return fact(**data)
