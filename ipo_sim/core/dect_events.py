"""What can happen to the IP DECT system of a unit: past-tense facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class DectLicenceEntered:
    """A licence key was entered in the IP DECT system, with its PARK if that is another one."""

    TYPE: ClassVar[str] = "dect-licence-entered"
    key: str
    park: str = ""


@dataclass(frozen=True, slots=True)
class DectLicenceRemoved:
    """The licence key of the IP DECT system was deleted."""

    TYPE: ClassVar[str] = "dect-licence-removed"


@dataclass(frozen=True, slots=True)
class BaseStationConfigured:
    """A base station is made or changed; the one that is the ADMM takes over from the one before."""

    TYPE: ClassVar[str] = "base-station-configured"
    mac: str
    admm: bool = False
    carries_calls: bool = True
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class BaseStationRemoved:
    """A base station is deleted."""

    TYPE: ClassVar[str] = "base-station-removed"
    mac: str


@dataclass(frozen=True, slots=True)
class BaseStationReachable:
    """A base station answers again."""

    TYPE: ClassVar[str] = "base-station-reachable"
    mac: str


@dataclass(frozen=True, slots=True)
class BaseStationLost:
    """A base station does not answer any more."""

    TYPE: ClassVar[str] = "base-station-lost"
    mac: str
