"""A unit as the configuration file describes it; everything else is history."""

from __future__ import annotations

from dataclasses import dataclass, field

from ipo_sim.core.words import ANY_SERVER, BootPolicy, ExtensionKind, HuntMode, Nanoseconds, Reserve, UnitName


@dataclass(frozen=True, slots=True)
class Card:
    """A feature key in the virtual reader: serial of 10 decimal digits, `alaw` or `mulaw`, what it is."""

    serial: str
    law: str = "alaw"
    kind: str = "virtual"


@dataclass(frozen=True, slots=True)
class PartDefinition:
    """What stands at a place (`slots/1`, `slots/1/daughter`, `expansion/3`) when the unit is first powered.

    `configured` is the type that the unit's configuration expects; None: it takes over what is fitted.
    """

    path: str
    fitted: str | None
    configured: str | None = None


@dataclass(frozen=True, slots=True)
class UserDefinition:
    """A user: `profile` and `features` are names of features that the catalogue consumes when configured.

    `basic` is the profile that needs none; `extension` is the number to dial or empty.
    """

    name: str
    full_name: str = ""
    extension: str = ""
    profile: str = "basic"
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExtensionDefinition:
    """An IP extension: the number to dial, what kind of phone registers there, what is reserved for it."""

    number: str
    kind: ExtensionKind
    reserve: Reserve = Reserve.NONE


@dataclass(frozen=True, slots=True)
class BaseDefinition:
    """A base station of the IP DECT system: `admm` manages the others, `carries_calls` says whether it has voice."""

    mac: str
    admm: bool = False
    carries_calls: bool = True
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class DectDefinition:
    """The IP DECT system of a unit: its PARK, its licence key or empty, its bases, and whether violations are borne."""

    park: str
    key: str = ""
    bases: tuple[BaseDefinition, ...] = ()
    violation_timer: bool = False


@dataclass(frozen=True, slots=True)
class DirectoryDefinition:
    """A record of the system directory."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class HuntGroupDefinition:
    """A hunt group; `members` are extension numbers in order."""

    name: str
    extension: str
    ring: HuntMode = HuntMode.GROUP
    members: tuple[str, ...] = ()
    queuing: bool = False
    voicemail: bool = False
    broadcast: bool = False
    voicemail_email: str = ""


@dataclass(frozen=True, slots=True)
class ShortCodeDefinition:
    """A system short code: dialling `code` does `feature` with `number`."""

    code: str
    number: str
    feature: str


@dataclass(frozen=True, slots=True)
class UnitDefinition:
    """A unit as the configuration file describes it; everything else is history.

    `licence_server` is the field License Server IP Address: of the PC, 255.255.255.255 (look for it by broadcast) or
    0.0.0.0 (the dongle is on the unit itself). An IP500 has the field and ignores it. `seed` decides all chance,
    `state` names what it starts as; empty: cold.
    """

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
    users: tuple[UserDefinition, ...] = ()
    extensions: tuple[ExtensionDefinition, ...] = ()
    dect: DectDefinition | None = None
    directory: tuple[DirectoryDefinition, ...] = ()
    hunt_groups: tuple[HuntGroupDefinition, ...] = ()
    short_codes: tuple[ShortCodeDefinition, ...] = ()
    licence_server: str = ANY_SERVER
    seed: int = 0
    state: str = ""
