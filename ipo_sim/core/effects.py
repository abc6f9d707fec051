"""What one event makes visible outside: changed entities in the order of a cascade, and notifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ipo_sim.core.model import Cause, Entity, Nanoseconds, Severity

# New values of entities by path; None: it exists no longer.
Changes = Mapping[str, Entity | None]


class Notification(NamedTuple):
    """One of the maker's events as a trap would carry it."""

    event: int
    name: str
    severity: Severity
    entity: str
    entity_name: str
    entity_index: int
    reason: int | None = None
    text: str = ""
    data: str = ""
    cause: Cause = ()


class Effects(NamedTuple):
    """All that event `seq` did. `unit_time` is the unit's own clock, nanoseconds since 1970 UTC.

    `changes` keep the order: feature key, reader, licences, features, users, extensions, slots and modules, ports,
    LEDs, alarms, unit. `refused` names the licences of which the event found no free instance.
    """

    seq: int
    at: Nanoseconds
    unit_time: Nanoseconds
    changes: Changes
    notifications: tuple[Notification, ...]
    refused: tuple[str, ...] = ()
