"""The unit as frozen values: what it is defined to be, what is in it, what state it is in, and why.

What is made often, or by the dozen in a cascade, is a named tuple: it costs a third of a frozen dataclass to build.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NamedTuple, NewType

from ipo_sim.catalogue.types import Catalogue, PartType, PlaceKind
from ipo_sim.licensing.key import LicenceKey
from ipo_sim.licensing.status import LicenceStatus

UnitName = NewType("UnitName", str)
Nanoseconds = NewType("Nanoseconds", int)

SECOND_NS = 1_000_000_000

# A cause chain runs from near to far and ends at the event that did it: ("licence:...", "feature-key", "event:118").
Cause = tuple[str, ...]


class Lifecycle(StrEnum):
    """States of the control unit."""

    OFF = "off"
    STARTING = "starting"
    AWAITING_FEATURE_KEY = "awaiting_feature_key"
    RUNNING = "running"
    SHUTTING_DOWN = "shutting_down"
    SHUTDOWN = "shutdown"


class BootPolicy(StrEnum):
    """What a unit without a sound feature key does: stop before telephony, or run as Standard Edition."""

    HALT = "halt"
    UNLICENSED = "unlicensed"


class OperState(StrEnum):
    """ITU-T X.731 operational state."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class Availability(StrEnum):
    """ITU-T X.731 availability status of a part that is not in service."""

    FAILED = "failed"
    POWER_OFF = "power_off"
    OFF_LINE = "off_line"
    DEPENDENCY = "dependency"
    NOT_INSTALLED = "not_installed"


class Severity(IntEnum):
    """X.733 severities with the maker's numbers."""

    CLEARED = 1
    INDETERMINATE = 2
    CRITICAL = 3
    MAJOR = 4
    MINOR = 5
    WARNING = 6


class KeyReason(IntEnum):
    """The maker's reasons of event 40 that an IP500 uses."""

    NO_REASON = 1
    NOT_PRESENT = 2
    NO_REGISTER_ACCESS = 3
    INVALID_REGISTERS = 4
    NON_SPECIFIC_ERROR = 9


class KeyPresence(StrEnum):
    """What the reader says of the card: `unknown` while no reader answers."""

    PRESENT = "present"
    ABSENT = "absent"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"


class KeyCondition(StrEnum):
    """`in_order`; `grace`: not in order, licences hold; `not_in_order`: nothing holds; `unchecked`: unit not up."""

    IN_ORDER = "in_order"
    GRACE = "grace"
    NOT_IN_ORDER = "not_in_order"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Card:
    """A feature key card in the virtual reader: serial of 10 decimal digits, `alaw` or `mulaw`."""

    serial: str
    law: str = "alaw"


@dataclass(frozen=True, slots=True)
class PartDefinition:
    """What stands at a place (`slots/1`, `slots/1/daughter`, `expansion/3`) when the unit is first powered.

    `configured` is the type that the unit's configuration expects; None: it takes over what is fitted.
    """

    path: str
    fitted: str | None
    configured: str | None = None


@dataclass(frozen=True, slots=True)
class UnitDefinition:
    """A unit as the configuration file describes it; everything else is history."""

    name: UnitName
    model: str
    release_profile: str
    mac: str
    system_name: str
    release: str
    secret: bytes = field(repr=False)
    boot_policy: BootPolicy
    grace_ns: Nanoseconds
    poll_ns: Nanoseconds
    utc_offset_minutes: int
    reader_kind: str
    reader_name: str
    card: Card | None
    parts: tuple[PartDefinition, ...]
    licences: tuple[str, ...]


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
    last serial ever validated. `seq` is the event that made it what it is.
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


class Hold(StrEnum):
    """What keeps a part from serving; the first in this order that applies."""

    EMPTY = "empty"
    MISSING = "missing"
    UNIT = "unit"
    FAULT = "fault"
    RESTART = "restart"
    MISMATCH = "mismatch"
    SURPLUS = "surplus"
    CARRIER = "carrier"
    LICENCE = "licence"
    KEY = "feature-key"


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


class Edition(NamedTuple):
    """The edition that the valid licences make, and how many expansion modules it drives.

    `max_modules_extended` counts for a unit with a 4-port expansion card. `module_cause` says, when both are 0, why.
    """

    name: str
    max_modules: int
    max_modules_extended: int
    module_cause: Cause = ()


class Feature(NamedTuple):
    """The instance pool of one licensed feature. `free` are instances that need no licence."""

    name: str
    licence: str
    licensed: int
    free: int
    in_use: int
    available: int
    cause: Cause = ()


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
    cause: Cause = ()


# What the outside can see of a unit, each under its own path.
Entity = UnitStatus | FeatureKey | Reader | Licence | Feature | Part | Led | Alarm


@dataclass(frozen=True, slots=True)
class Unit:
    """The whole unit after event `seq` at `at`. Paths of `parts`, `features`, `leds`, `alarms` are unique."""

    definition: UnitDefinition
    catalogue: Catalogue = field(repr=False, compare=False)
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
