"""What can happen to a unit: past-tense facts, and the event that carries one into the core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from ipo_sim.core.dect_events import (
    BaseStationConfigured,
    BaseStationLost,
    BaseStationReachable,
    BaseStationRemoved,
    DectLicenceEntered,
    DectLicenceRemoved,
)
from ipo_sim.core.fault_events import FaultInjected, FaultWithdrawn
from ipo_sim.core.model import ExtensionKind, KeyReason, Nanoseconds, Reserve
from ipo_sim.core.signal_events import EventReported, PortPhoneChanged


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
class KeyServerPollMissed:
    """The key server left one poll unanswered, the `misses`-th in a row, and is not given up yet."""

    TYPE: ClassVar[str] = "key-server-poll-missed"
    misses: int = 1


@dataclass(frozen=True, slots=True)
class FeatureKeyInserted:
    """A readable card or dongle. `serial` is 10 decimal digits; `counter` counts insertions at this reader.

    `kind` is the reader's word for it: `dongle-parallel`, `dongle-usb`, `dongle-serial`, a type of card, `virtual`.
    """

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
    """A card that cannot be read, or whose registers are not in order. `detail`: why, in the reader's words."""

    TYPE: ClassVar[str] = "feature-key-unreadable"
    reason: KeyReason = KeyReason.NO_REGISTER_ACCESS
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LicenceAdded:
    """A licence string entered into the configuration; Unknown until that is loaded."""

    TYPE: ClassVar[str] = "licence-added"
    key: str


@dataclass(frozen=True, slots=True)
class LicencesImported:
    """Many licence strings entered at once; those that are there already are passed over."""

    TYPE: ClassVar[str] = "licences-imported"
    keys: tuple[str, ...]


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


@dataclass(frozen=True, slots=True)
class InstancesRequested:
    """Somebody wants instances of a feature, and gets them or is refused; `request` tells claims of a holder apart."""

    TYPE: ClassVar[str] = "instances-requested"
    feature: str
    holder: str
    instances: int = 1
    request: str = ""


@dataclass(frozen=True, slots=True)
class InstancesReleased:
    """A holder gives instances of a feature back; without `request` all that it holds."""

    TYPE: ClassVar[str] = "instances-released"
    feature: str
    holder: str
    request: str | None = None


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call wants channels, all of them or none: voice compression, PRI, SIP trunk, voicemail ports.

    `extension` is the IP extension that makes it; empty: another phone, or nobody's. `trunk` is the card or module on
    whose `port` it has a line; empty: on none that is named.
    """

    TYPE: ClassVar[str] = "call-started"
    call: str
    vcm: int = 0
    pri: int = 0
    sip: int = 0
    voicemail: int = 0
    extension: str = ""
    trunk: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call is over, its channels are free."""

    TYPE: ClassVar[str] = "call-ended"
    call: str


@dataclass(frozen=True, slots=True)
class UserConfigured:
    """A user is made or changed; profile and features take licences, or the change is refused."""

    TYPE: ClassVar[str] = "user-configured"
    name: str
    full_name: str = ""
    extension: str = ""
    profile: str = "basic"
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserRemoved:
    """A user is deleted."""

    TYPE: ClassVar[str] = "user-removed"
    name: str


@dataclass(frozen=True, slots=True)
class ExtensionConfigured:
    """An IP extension is made or changed; what is reserved for it holds from the next start on."""

    TYPE: ClassVar[str] = "extension-configured"
    number: str
    kind: ExtensionKind = ExtensionKind.AVAYA_IP
    reserve: Reserve = Reserve.NONE


@dataclass(frozen=True, slots=True)
class ExtensionRemoved:
    """An IP extension is deleted, its phone unregistered."""

    TYPE: ClassVar[str] = "extension-removed"
    number: str


@dataclass(frozen=True, slots=True)
class PhoneRegistered:
    """An IP phone registers at its extension."""

    TYPE: ClassVar[str] = "phone-registered"
    extension: str
    mac: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class PhoneUnregistered:
    """An IP phone is gone."""

    TYPE: ClassVar[str] = "phone-unregistered"
    extension: str


Fact = (
    PowerApplied
    | PowerRemoved
    | RestartRequested
    | ShutdownRequested
    | DeadlineReached
    | ReaderAttached
    | ReaderLost
    | KeyServerPollMissed
    | FeatureKeyInserted
    | FeatureKeyRemoved
    | FeatureKeyUnreadable
    | LicenceAdded
    | LicencesImported
    | LicenceRemoved
    | ConfigurationLoaded
    | PartFitted
    | PartWithdrawn
    | PartConfigured
    | FaultSet
    | FaultCleared
    | DateSet
    | InstancesRequested
    | InstancesReleased
    | CallStarted
    | CallEnded
    | UserConfigured
    | UserRemoved
    | ExtensionConfigured
    | ExtensionRemoved
    | PhoneRegistered
    | PhoneUnregistered
    | DectLicenceEntered
    | DectLicenceRemoved
    | BaseStationConfigured
    | BaseStationRemoved
    | BaseStationReachable
    | BaseStationLost
    | FaultInjected
    | FaultWithdrawn
    | EventReported
    | PortPhoneChanged
)

FACTS: dict[str, type[Fact]] = {fact.TYPE: fact for fact in Fact.__args__}
_NAMES = {fact: tuple(field.name for field in fields(fact)) for fact in FACTS.values()}


@dataclass(frozen=True, slots=True)
class Event:
    """A fact at a moment of simulation time (nanoseconds since 1970 UTC, never going back), and who caused it."""

    at: Nanoseconds
    fact: Fact
    cause: str = ""


def fact_data(fact: Fact) -> dict[str, Any]:
    """The fields of a fact as JSON values."""
    return {name: _plain(getattr(fact, name)) for name in _NAMES[type(fact)]}


def fact_from(type_name: str, data: dict[str, Any]) -> Fact:
    """The fact of that type with those fields; KeyError: unknown type, TypeError or ValueError: wrong fields."""
    fact = FACTS[type_name]
    typed = _TYPED.get(fact)
    if typed is not None:
        data = {name: typed[name](value) if name in typed else value for name, value in data.items()}
    return fact(**data)


def _plain(value: object) -> object:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


# Fields that JSON writes in another type.
_TYPED: Mapping[type[Fact], Mapping[str, Callable[[Any], object]]] = {
    FeatureKeyUnreadable: {"reason": KeyReason},
    LicencesImported: {"keys": tuple},
    UserConfigured: {"features": tuple},
    FaultInjected: {"options": lambda pairs: tuple(map(tuple, pairs))},
    ExtensionConfigured: {"kind": ExtensionKind, "reserve": Reserve},
}
