"""Entities as answers show them: plain JSON values, moments as RFC 3339 in unit time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipo_sim.core.codec import encode
from ipo_sim.core.model import SECOND_NS, Alarm, Dect, Entity, FeatureKey, Nanoseconds, Part, UnitStatus
from ipo_sim.runtime.moment import rfc3339
from ipo_sim.runtime.store import Entry


def view(entity: Entity, clock_offset_ns: Nanoseconds) -> dict[str, Any]:
    """An entity of a unit whose clock is `clock_offset_ns` ahead of simulation time."""
    match entity:
        case Part():
            return _part(entity)
        case Alarm():
            return {**encode(entity), "severity": entity.severity.name.lower(), "since": rfc3339(entity.since)}
        case FeatureKey():
            return {**encode(entity), "grace_until": _unit_time(entity.grace_until, clock_offset_ns)}
        case Dect():
            return {**encode(entity), "timer": _timer(entity, clock_offset_ns)}
        case UnitStatus():
            return {**encode(entity), "until": _unit_time(entity.until, clock_offset_ns)}
        case _:
            return dict(encode(entity))


def store_view(entries: Mapping[str, Entry], clock_offset_ns: Nanoseconds) -> dict[str, dict[str, Any]]:
    """All entities by path, each with the event and the unit time of its last change."""
    return {
        path: {"seq": entry.seq, "at": rfc3339(entry.at), **view(entry.value, clock_offset_ns)}
        for path, entry in entries.items()
        if entry.value is not None
    }


def _timer(dect: Dect, clock_offset_ns: Nanoseconds) -> dict[str, Any] | None:
    timer = dect.timer
    if timer is None:
        return None
    deadline = timer.deadline()
    until = None if deadline is None else Nanoseconds(deadline)
    return {
        "left_s": timer.left_ns / SECOND_NS,
        "violated": timer.violated,
        "until": _unit_time(until, clock_offset_ns),
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "fitted": part.fitted.code if part.fitted else None,
        "configured": part.configured.code if part.configured else None,
        "entity_name": part.entity_name,
        "entity_index": part.entity_index,
        "detected": part.detected,
        "fault": part.fault,
        **encode(part.service),
    }


def _unit_time(moment: Nanoseconds | None, clock_offset_ns: Nanoseconds) -> str | None:
    return None if moment is None else rfc3339(Nanoseconds(moment + clock_offset_ns))
