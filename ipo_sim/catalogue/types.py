"""What the catalogue knows: frozen rows, each with the grade of its source.

Rows are named tuples: a start makes a class of them in a seventh of the time and the memory of a frozen dataclass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ipo_sim.catalogue.faults import FaultType
from ipo_sim.catalogue.grade import Grade

SERIAL_DONGLE = "dongle-serial"
VIRTUAL_CARD = "virtual"


class PlaceKind(StrEnum):
    """Where a part can be fitted."""

    SLOT = "slot"
    DAUGHTER = "daughter"
    CARRIER = "carrier"
    EXPANSION = "expansion"


class SlotKind(StrEnum):
    """What a slot takes: IP500 base cards, or IP400 trunk or voice compression cards."""

    GENERIC = "generic"
    TRUNK = "trunk"
    VCM = "vcm"


class LicenceKind(StrEnum):
    """What one licence opens: a feature whole, a number of users, of ports or channels, or feature and number."""

    FEATURE = "feature"
    USERS = "users"
    PORTS = "ports"
    FEATURE_AND_PORTS = "feature-and-ports"


class OnExhaustion(StrEnum):
    """What happens to the next use when no instance is left; use that exists is never cut."""

    REFUSED = "refused"
    CALL_FAILS = "call-fails"
    CALL_REJECTED = "call-rejected"
    NO_VOICEMAIL = "no-voicemail"
    FUNCTION_OFF = "function-off"
    USER_NOT_ENABLED = "user-not-enabled"
    LITE = "lite"
    NO_IP_AUDIO = "no-ip-audio"
    CANNOT_REGISTER = "cannot-register"
    UNLICENSED_PHONE = "unlicensed-phone"
    PROFILE_REFUSED = "profile-refused"


class AlarmGroup(StrEnum):
    """Groups of the maker's events, by which a trap destination chooses what it gets."""

    GENERIC = "generic"
    ENTITY = "entity"
    LICENCE = "licence"
    LOOPBACK = "loopback"
    APPLICATION = "application"
    SYSTEM = "system"
    PHONES = "phones"
    CONFIG = "config"
    SERVICE = "service"
    TRUNK = "trunk"
    LINK = "link"


class Consumption(StrEnum):
    """When an instance is taken."""

    NONE = "none"
    CONFIGURED = "configured"
    IN_USE = "in-use"
    REGISTRATION = "registration"


@dataclass(frozen=True, slots=True)
class Ports:
    """A run of equal ports: kind (`DS`, `POT`, `ATM`, `BRI`, `PRI`, `S0`, `WAN`, `EXP`), first number, count."""

    kind: str
    first: int
    count: int


class PartType(NamedTuple):
    """A base card, trunk daughter card or expansion module as it can be bought.

    `code` is the name in configurations (`DS8`), `identity` the maker's object name without `ipoProd`,
    `name` its `entPhysicalName` (`DS EXP 30`). `limit_group` and `limit` hold the most of a kind in one
    unit. `carries_daughter`: a base card takes a trunk daughter card, `carries_ip400`: an IP400 trunk and a VCM card.
    `slots` names the only slots that take it (empty: any), `expansion_ports` the numbers of expansion ports it adds.
    `extensions` is how many extension ports it brings, `vcm_channels` its voice compression channels,
    `trunk_channels` the channels of its trunks. `slot_kind` is the kind of slot that takes a card.
    """

    code: str
    place: PlaceKind
    identity: str
    name: str
    ports: tuple[Ports, ...]
    models: tuple[str, ...]
    profiles: tuple[str, ...]
    grade: Grade
    description: str = ""
    limit_group: str | None = None
    limit: int | None = None
    carries_daughter: bool = False
    carries_ip400: bool = False
    slots: tuple[int, ...] = ()
    expansion_ports: tuple[int, ...] = ()
    extensions: int = 0
    vcm_channels: int = 0
    trunk_channels: int = 0
    slot_kind: SlotKind = SlotKind.GENERIC


class Capacities(NamedTuple):
    """The most that a control unit serves, extensions aside; None: what is fitted decides, or nothing is documented.

    `users` None: as many as extensions. `data_channels_voicemail_extended` holds with a 4-port card.
    `voicemail_channels` and `voicemail_hours` are those of embedded voicemail without a licence.
    """

    users: int | None = None
    vcm_channels: int | None = None
    conference_parties: int | None = None
    conference_analog_trunks: int | None = None
    data_channels: int | None = None
    data_channels_voicemail: int | None = None
    data_channels_voicemail_extended: int | None = None
    analog_trunks: int | None = None
    pri_channels: int | None = None
    voicemail_channels: int | None = None
    voicemail_hours: int | None = None


class ModelType(NamedTuple):
    """A control unit: slots, rear expansion ports, form of feature key, words of its identity.

    `dongles` are the kinds of dongle that an IP400 system takes (`dongle-parallel`), empty: it takes a card. One that
    `runs_without_key` never halts for want of it.
    `identity` is the maker's object name without `ipoProd`, `sys_descr` how its `sysDescr` begins.
    `max_extensions` is keyed by release profile, `edition_profiles` too: names of edition rules, empty: those of the
    release. `slot_kinds` is empty where all slots are generic. `ports`, `extensions`, `trunk_channels` and
    `vcm_channels` are built into the unit itself; of the last, `vcm_free` need no licence.
    """

    code: str
    title: str
    slots: int
    expansion_ports: int
    key_form: str
    release_profiles: tuple[str, ...]
    max_extensions: Mapping[str, int]
    grade: Grade
    identity: str = ""
    sys_descr: str = ""
    aux_button: bool = False
    dongles: tuple[str, ...] = ()
    runs_without_key: bool = False
    edition_profiles: Mapping[str, str] = MappingProxyType({})
    capacities: Capacities = Capacities()
    slot_kinds: tuple[SlotKind, ...] = ()
    ports: tuple[Ports, ...] = ()
    extensions: int = 0
    trunk_channels: int = 0
    vcm_channels: int = 0
    vcm_free: int = 0

    def slot_kind(self, number: int) -> SlotKind:
        """What slot `number`, from 1, takes."""
        return self.slot_kinds[number - 1] if self.slot_kinds else SlotKind.GENERIC

    @property
    def takes_base_cards(self) -> bool:
        """Whether it is of the IP500 family, with base cards that carry daughter cards."""
        return SlotKind.GENERIC in self.slot_kinds or not self.slot_kinds

    def edition_profile(self, release_profile: str) -> str:
        """The name of the edition rules that hold in a release."""
        return self.edition_profiles.get(release_profile, release_profile)

    @property
    def own_key_kind(self) -> str:
        """What lies in a virtual reader of the unit itself: the dongle in its serial port, or a card."""
        return SERIAL_DONGLE if SERIAL_DONGLE in self.dongles else VIRTUAL_CARD


class LicenceType(NamedTuple):
    """One row of the licence catalogue.

    `code` (1-65535) is what our keys carry and is unique; `licence_id` is the numeric id of public client
    tables, which several rows may share. `feature` is the topic-safe name of the instance pool it feeds.
    `prerequisites`: each entry is a set of licence names of which one must be Valid.
    `profiles` and `models` list the release profiles and models that use it: a key that matches is Obsolete in any
    other. `packs` are the numbers of instances sold, empty: any; what is not `sold` comes out of another licence.
    `hardware`: parts of which one must be fitted for its instances to be of use, or models that have it built in,
    empty: none. A prerequisite none of whose licences the model uses is none there.
    """

    code: int
    name: str
    feature: str
    licence_id: int
    kind: LicenceKind
    packs: tuple[int, ...]
    prerequisites: tuple[tuple[str, ...], ...]
    profiles: tuple[str, ...]
    models: tuple[str, ...]
    consumption: Consumption
    on_exhaustion: OnExhaustion
    grade: Grade
    hardware: tuple[str, ...] = ()
    sold: bool = True


class EditionRule(NamedTuple):
    """What an edition of one release profile gives and forbids, decided by licences of which one must be Valid.

    Within a profile the first rule whose `any_of` has a Valid licence wins; the last has none and always holds.
    `max_modules` counts rear expansion ports, `max_modules_extended` the unit with a 4-port card. They serve when
    `max_modules` is above 0 and `modules_any_of` is empty or holds a Valid licence; else its first licence is why not.
    `dormant_licences` are the names that stay Dormant in this edition. `max_users`, `sip_max` None: no limit;
    `vcm_free_per_card` None: all channels are free. `ip_endpoints_free_per_card` counts for each VCM card,
    `ip_endpoints_free_per_channel` for each channel of an IP400 VCM card.
    `phones_licensed` False: phones show `unlicensed` and make emergency calls only.
    """

    profile: str
    edition: str
    any_of: tuple[str, ...]
    max_modules: int
    max_modules_extended: int
    max_users: int | None
    vcm_free_per_card: int | None
    pri_free_channels: int
    sip_free: int
    dormant_licences: frozenset[str]
    modules_any_of: tuple[str, ...]
    grade: Grade
    sip_max: int | None = None
    ip_endpoints_free_per_card: int = 0
    ip_endpoints_free_per_channel: int = 0
    phones_licensed: bool = True


class Timings(NamedTuple):
    """Durations in seconds of unit time; `grades` says of each by its name how it is known."""

    module_delay_s: float
    card_initialisation_s: float
    shutdown_s: float
    shutdown_ucm_s: float
    shutdown_minutes_min: int
    shutdown_minutes_max: int
    grace_s: float
    poll_s: float
    grades: Mapping[str, Grade]


class DectLimits(NamedTuple):
    """The most that an IP DECT system serves; `grades` says of each by its name how it is known.

    `handsets` can be configured, `active_handsets` registered; `advised_handsets` is what the maker advises when the
    base station that is the ADMM carries calls itself.
    """

    bases: int
    calls_per_base: int
    handsets: int
    active_handsets: int
    advised_handsets: int
    violation_hours: int
    grades: Mapping[str, Grade]


class LedPattern(NamedTuple):
    """What one LED shows: colour (`off`, `red`, `green`, `orange`, `red/green`) and pattern of the vocabulary.

    `never`: why no LED here ever shows it, and the grade of that.
    """

    colour: str
    pattern: str
    grade: Grade
    never: tuple[str, Grade] | None = None


class LedRhythm(NamedTuple):
    """Seconds lit and seconds dark of a pattern, or seconds of the first and of the second colour; 0: steady."""

    first_s: float
    second_s: float


class AlarmType(NamedTuple):
    """One event of the maker's list: number, name, default severity, number of the event that clears it.

    An event that clears itself comes again with severity cleared. `grade` is that of the severity. `passing`: it only
    tells of something, and can be sent by command. `never`: why no unit here ever sends it, and the grade of that.
    """

    number: int
    name: str
    severity: int
    cleared_by: int | None
    grade: Grade
    group: AlarmGroup
    passing: bool = False
    never: tuple[str, Grade] | None = None


class PoolRule(NamedTuple):
    """What instance pool of a feature has besides its licences, and what it can use at most.

    `free` and `cap` name where the number comes from (see pools.yaml); `maximum` is a plain number by release profile.
    `title` is the pool's name where no licence of model and release feeds it.
    """

    feature: str
    title: str | None
    free: str | None
    cap: str | None
    maximum: Mapping[str, int]
    grade: Grade


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """All data that the core stands on; itself and nothing else is equal to it, so that it can key a cache.

    `parts` and `models` are keyed by code, `licences` too; `editions` by release profile; `leds` by subject and state
    (`cpu.running`); `led_patterns` by pattern; `alarms` by event number.
    """

    models: Mapping[str, ModelType]
    parts: Mapping[str, PartType]
    licences: Mapping[int, LicenceType]
    licences_by_name: Mapping[str, LicenceType]
    licences_by_feature: Mapping[str, tuple[LicenceType, ...]]
    editions: Mapping[str, tuple[EditionRule, ...]]
    pools: Mapping[str, PoolRule]
    timings: Timings
    dect: DectLimits
    leds: Mapping[str, LedPattern]
    led_patterns: Mapping[str, LedRhythm]
    alarms: Mapping[int, AlarmType]
    faults: Mapping[str, FaultType]
