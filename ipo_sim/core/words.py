"""The words of the field: states, severities, reasons and kinds that the unit's values are made of."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NewType

UnitName = NewType("UnitName", str)
Nanoseconds = NewType("Nanoseconds", int)

SECOND_NS = 1_000_000_000

# The feature key as the maker's events name it, and its `entPhysicalIndex`.
KEY_NAME = "Controller, Feature Key"
KEY_INDEX = 2

# The reader that asks a licence key server, and two addresses of servers that mean something else (licensing.md 8).
KEY_SERVER = "key-server"
ANY_SERVER = "255.255.255.255"
NO_SERVER = "0.0.0.0"  # noqa: S104 - nothing binds to it: the dongle is on the unit itself

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


class ExtensionKind(StrEnum):
    """IP phones that register; ports of cards and modules need no record of their own."""

    AVAYA_IP = "avaya-ip"
    THIRD_PARTY_IP = "third-party-ip"
    DECT = "dect"


class Reserve(StrEnum):
    """Which endpoint licences an extension keeps for itself, registered or not."""

    NONE = "none"
    AVAYA = "avaya"
    THIRD_PARTY = "third-party"
    BOTH = "both"


class HuntMode(StrEnum):
    """How a hunt group rings: all at once, in order, in order from the last one on, or who has waited longest."""

    GROUP = "group"
    HUNT = "hunt"
    ROTARY = "rotary"
    LONGEST_WAITING = "longest-waiting"


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


class PhoneState(StrEnum):
    """An IP phone as it shows itself: an unlicensed one makes emergency calls only."""

    UNREGISTERED = "unregistered"
    LICENSED = "licensed"
    UNLICENSED = "unlicensed"
