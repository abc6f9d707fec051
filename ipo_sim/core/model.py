"""The unit as frozen values: what it is defined to be, what is in it, what state it is in, and why.

What is made often, or by the dozen in a cascade, is a named tuple: it costs a third of a frozen dataclass to build.
"""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.dect_model import BaseStation, Dect, DectSystem
from ipo_sim.core.definition import (
    BaseDefinition,
    Card,
    DectDefinition,
    ExtensionDefinition,
    PartDefinition,
    UnitDefinition,
    UserDefinition,
)
from ipo_sim.core.fault_model import InjectedFault, KeyReport
from ipo_sim.core.parts_model import Part, Place, Port, Service
from ipo_sim.core.usage_model import Extension, Feature, Holding, User
from ipo_sim.core.words import (
    SECOND_NS,
    Availability,
    BootPolicy,
    Cause,
    ExtensionKind,
    Hold,
    KeyCondition,
    KeyPresence,
    KeyReason,
    Lifecycle,
    Nanoseconds,
    OperState,
    PhoneState,
    Reserve,
    Severity,
    UnitName,
)
from ipo_sim.licensing.dect import DectState, ViolationTimer
from ipo_sim.licensing.key import LicenceKey
from ipo_sim.licensing.ledger import Ledger
from ipo_sim.licensing.status import LicenceStatus

__all__ = [
    "SECOND_NS",
    "Alarm",
    "Availability",
    "BaseDefinition",
    "BaseStation",
    "BootPolicy",
    "Card",
    "Cause",
    "Dect",
    "DectDefinition",
    "DectState",
    "DectSystem",
    "Edition",
    "Entity",
    "Extension",
    "ExtensionDefinition",
    "ExtensionKind",
    "Feature",
    "FeatureKey",
    "Hold",
    "Holding",
    "InjectedFault",
    "KeyCondition",
    "KeyPresence",
    "KeyReason",
    "Led",
    "Licence",
    "LicenceStatus",
    "Life",
    "Lifecycle",
    "Nanoseconds",
    "OperState",
    "Part",
    "PartDefinition",
    "PhoneState",
    "Place",
    "Port",
    "Reader",
    "Reserve",
    "Service",
    "Severity",
    "Unit",
    "UnitDefinition",
    "UnitName",
    "UnitStatus",
    "User",
    "UserDefinition",
    "ViolationTimer",
]


class Life(NamedTuple):
    """Where the unit is in its life: since which event, and when it goes on by itself.

    `until` is the deadline of `starting`, `shutting_down` and a timed `shutdown`. `shutdown_minutes`: 0 = without end.
    `last_start` is the event of the last power-up or restart, `cold` whether the start that goes on is from power loss.
    """

    state: Lifecycle
    seq: int
    until: Nanoseconds | None = None
    shutdown_minutes: int = 0
    last_start: int = 0
    cold: bool = False


class FeatureKey(NamedTuple):
    """The feature key as the unit sees it.

    `serial`, `law`, `kind`, `assurance` are the card's that is present now, else None. `validated_serial` is what
    licence strings count against: it outlives the card during the grace; None: nothing holds. `last_serial` is the
    last serial ever validated. `detail`: why a card is unreadable, in the reader's words. `seq` is the event that made
    it what it is.
    """

    presence: KeyPresence
    reason: KeyReason
    condition: KeyCondition
    seq: int
    serial: str | None = None
    law: str | None = None
    kind: str | None = None
    identity: str | None = None
    assurance: str | None = None
    counter: int = 0
    grace_until: Nanoseconds | None = None
    validated_serial: str | None = None
    last_serial: str | None = None
    detail: str | None = None
    cause: Cause = ()


class Reader(NamedTuple):
    """The feature key reader: kind and name from the configuration, whether it is attached, why not."""

    kind: str
    name: str
    attached: bool
    seq: int
    last_error: str | None = None
    cause: Cause = ()


class Licence(NamedTuple):
    """One licence string in the unit's configuration.

    `number` never changes and is never used again. `type_name` is the licence's name, or `Invalid` when the string is
    not recognised. `loaded` is False between entry and the next load of the configuration. `matches` remembers the
    outcome of the last check: the serial it was made against and what came out.
    """

    number: int
    text: str
    decoded: LicenceKey | None
    type_name: str
    loaded: bool
    seq: int
    status: LicenceStatus
    matches: tuple[str, bool] | None = None
    cause: Cause = ()


class Edition(NamedTuple):
    """The edition that the valid licences make, and how many expansion modules it drives.

    `max_modules_extended` counts for a unit with a 4-port expansion card. `module_cause` says, when both are 0, why.
    `max_users` None: the unit's capacity. `phones_cause` says why phones are unlicensed, if they are.
    """

    name: str
    max_modules: int
    max_modules_extended: int
    module_cause: Cause = ()
    max_users: int | None = None
    phones_cause: Cause = ()


class Led(NamedTuple):
    """One LED: `colour` and `pattern` in the words of the catalogue."""

    name: str
    colour: str
    pattern: str


class Alarm(NamedTuple):
    """An active alarm: the maker's event number, name and severity.

    `entity` is the path of the part, `entity_name` its chain of names; `since` is unit time.
    """

    id: str
    event: int
    name: str
    severity: Severity
    reason: int | None
    entity: str
    entity_name: str
    entity_index: int
    since: Nanoseconds
    seq: int
    text: str
    cause: Cause = ()


class UnitStatus(NamedTuple):
    """The unit in one line: what the `unit` topic says."""

    name: UnitName
    model: str
    system_name: str
    mac: str
    release_profile: str
    release: str
    state: Lifecycle
    edition: str
    telephony: bool
    until: Nanoseconds | None
    clock_offset_ns: Nanoseconds
    utc_offset_minutes: int
    licence_server: str
    cause: Cause = ()


# What the outside can see of a unit, each under its own path.
_Thing = Licence | Feature | User | Extension | BaseStation | Dect | Part | Port | Led | Alarm | InjectedFault
Entity = UnitStatus | FeatureKey | Reader | _Thing


class Unit(NamedTuple):
    """The whole unit after event `seq` at `at`. Paths of `parts`, `features`, `leds`, `alarms` are unique.

    Units are equal when all but their ledgers is: those follow from the rest.
    """

    definition: UnitDefinition
    catalogue: Catalogue
    seq: int
    at: Nanoseconds
    clock_offset_ns: Nanoseconds
    life: Life
    key: FeatureKey
    reader: Reader
    licences: tuple[Licence, ...]
    next_licence: int
    parts: tuple[Part, ...]
    edition: Edition
    features: tuple[Feature, ...]
    leds: tuple[Led, ...]
    alarms: tuple[Alarm, ...]
    status: UnitStatus
    expiry_at: Nanoseconds | None
    holdings: tuple[Holding, ...] = ()
    users: tuple[User, ...] = ()
    extensions: tuple[Extension, ...] = ()
    dect: DectSystem | None = None
    faults: tuple[InjectedFault, ...] = ()
    # What the reader says, while faults stand between it and the unit.
    report: KeyReport | None = None
    # Those at which something is.
    ports: tuple[Port, ...] = ()
    # Derived once more by whoever needs it: a restored unit has none.
    ledger: Ledger | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unit) and self[:-1] == other[:-1]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:-1])

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in self._fields if name not in ("catalogue", "ledger"))
        return f"Unit({', '.join(shown)})"
