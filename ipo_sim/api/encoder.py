"""Core entities and records into payload bytes: the fields of the models in `payloads`, in their order.

The models are for the schema and for tests, which hold what is made here to them; a daemon does without their weight.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from ipo_sim.api.paths import READER, UNIT
from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.effects import Notification
from ipo_sim.core.events import fact_data
from ipo_sim.core.licence_form import dongle_serial_number
from ipo_sim.core.model import (
    SECOND_NS,
    Alarm,
    BaseStation,
    Cause,
    Dect,
    Extension,
    Feature,
    FeatureKey,
    InjectedFault,
    Led,
    Licence,
    Part,
    Port,
    Reader,
    Severity,
    UnitName,
    UnitStatus,
    User,
)
from ipo_sim.runtime.bus import Bus, Record
from ipo_sim.runtime.store import Entry

# Version of the payloads: whoever changes or takes away a field raises it.
VERSION = 1

SEVERITIES = {
    Severity.CLEARED: "cleared",
    Severity.INDETERMINATE: "indeterminate",
    Severity.CRITICAL: "critical",
    Severity.MAJOR: "major",
    Severity.MINOR: "minor",
    Severity.WARNING: "warning",
}

Counters = Callable[[UnitName], Mapping[str, int]]
# Fields of a payload, in the order in which they are written.
Fields = dict[str, Any]

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The years that RFC 3339 can write; a unit's clock may be set anywhere.
_EARLIEST, _LATEST = (
    (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1),
    (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1),
)


def moment(nanoseconds: int) -> datetime:
    """The UTC time of nanoseconds since 1970, cut to microseconds and to the years that RFC 3339 can write."""
    microseconds = min(max(nanoseconds // 1000, _EARLIEST), _LATEST)
    return _EPOCH + timedelta(microseconds=microseconds)


class Encoder:
    """Builds payloads. `daemon` is the client id of a shared connection; `counters` are those of a unit's reader.

    The bus knows each unit's clock: what the core keeps in simulation time goes out in unit time.
    """

    def __init__(
        self, bus: Bus, catalogue: Catalogue, *, daemon: str | None = None, counters: Counters | None = None
    ) -> None:
        self._bus = bus
        self._catalogue = catalogue
        self._daemon = daemon
        self._counters = counters
        self._fields: dict[type, Callable[[UnitName, Any, int], Fields]] = {
            UnitStatus: self._unit,
            FeatureKey: self._feature_key,
            Reader: self._reader,
            Licence: self._licence,
            Feature: _feature,
            User: _user,
            Extension: _extension,
            BaseStation: _base,
            Dect: self._dect,
            Part: _part,
            Port: _port,
            Led: _led,
            Alarm: _alarm,
            InjectedFault: self._fault,
        }

    def entity(self, unit: UnitName, entry: Entry) -> bytes:
        """The payload of an entity as it now is; empty when it exists no longer."""
        value = entry.value
        if value is None:
            return b""
        return _payload(entry.seq, entry.at, self._fields[type(value)](unit, value, entry.at))

    def event(self, record: Record) -> bytes:
        """The payload of one accepted event."""
        fact, effects = record.event.fact, record.effects
        fields = {
            "unit": record.unit,
            "type": fact.TYPE,
            "data": fact_data(fact),
            "cause": record.event.cause,
            "notifications": [_notification(notification) for notification in effects.notifications],
        }
        return _payload(effects.seq, effects.unit_time, fields)

    def _unit(self, _: UnitName, status: UnitStatus, at: int) -> Fields:
        zone = timezone(timedelta(minutes=status.utc_offset_minutes))
        return {
            "name": status.name,
            "model": status.model,
            "system_name": status.system_name,
            "mac": status.mac,
            "release": status.release,
            "release_profile": status.release_profile,
            "state": status.state,
            "until": _optional_moment(status.until, status.clock_offset_ns),
            "edition": status.edition,
            "telephony": status.telephony,
            "licence_server": status.licence_server,
            "clock": _written(moment(at).astimezone(zone)),
            **({} if self._daemon is None else {"daemon": self._daemon}),
            **_caused(status.cause),
        }

    def _reader(self, unit: UnitName, reader: Reader, _: int) -> Fields:
        return {
            "kind": reader.kind,
            "name": reader.name,
            "state": "attached" if reader.attached else "lost",
            "counters": dict(self._counters(unit)) if self._counters else {},
            "last_error": reader.last_error,
            **_caused(reader.cause),
        }

    def _licence(self, _: UnitName, licence: Licence, __: int) -> Fields:
        decoded = licence.decoded
        row = self._catalogue.licences.get(decoded.licence_code) if decoded else None
        return {
            "number": licence.number,
            "key": licence.text,
            "type": licence.type_name,
            "id": row.licence_id if row else None,
            "instances": decoded.instances if decoded else None,
            "status": licence.status,
            "expiry": decoded.expiry.isoformat() if decoded and decoded.expiry else None,
            "loaded": licence.loaded,
            **_caused(licence.cause),
        }

    def _feature_key(self, unit: UnitName, key: FeatureKey, _: int) -> Fields:
        return {
            "presence": key.presence,
            "condition": key.condition,
            "reason": key.reason,
            "detail": key.detail,
            "serial": key.serial,
            "law": key.law,
            "kind": key.kind,
            "identity": key.identity,
            "assurance": key.assurance,
            "counter": key.counter,
            "grace_until": _optional_moment(key.grace_until, self._offset(unit)),
            "validated_serial": key.validated_serial,
            "last_serial": key.last_serial,
            "dongle_serial_number": dongle_serial_number(key, self._reader_kind(unit)),
            **_caused(key.cause),
        }

    def _reader_kind(self, unit: UnitName) -> str:
        entry = self._bus.latest(unit).get(READER)
        return entry.value.kind if entry is not None and isinstance(entry.value, Reader) else ""

    def _fault(self, unit: UnitName, fault: InjectedFault, _: int) -> Fields:
        offset = self._offset(unit)
        return {
            "id": fault.id,
            "fault": fault.fault,
            "target": fault.target,
            "options": dict(fault.options),
            "state": "active" if fault.begun else "waiting",
            "striking": fault.striking,
            "strikes": fault.strikes,
            "probability": fault.probability,
            "clear_after": fault.clear_after,
            "starts": _optional_moment(fault.starts, offset),
            "until": _optional_moment(fault.until, offset),
            "seed": fault.seed,
            **_caused(fault.cause),
        }

    def _dect(self, unit: UnitName, dect: Dect, _: int) -> Fields:
        timer = dect.timer
        return {
            "state": dect.state,
            "voice": dect.voice,
            "park": dect.park,
            "key": dect.key,
            "licensed_bases": dect.licensed_bases,
            "licensed_macs": dect.licensed_macs,
            "required": dect.required,
            "present": dect.present,
            "violation_timer": timer is not None,
            "left_s": None if timer is None else timer.left_ns / SECOND_NS,
            "until": None if timer is None else _optional_moment(timer.deadline(), self._offset(unit)),
            "handsets": dect.handsets,
            "active_handsets": dect.active_handsets,
            "advised_handsets": dect.advised_handsets,
            "calls": dect.calls,
            **_caused(dect.cause),
        }

    def _offset(self, unit: UnitName) -> int:
        entry = self._bus.latest(unit).get(UNIT)
        return entry.value.clock_offset_ns if entry is not None and isinstance(entry.value, UnitStatus) else 0


def _feature(_: UnitName, feature: Feature, __: int) -> Fields:
    return {
        "name": feature.name,
        "licence": feature.licence,
        "licensed": feature.licensed,
        "free": feature.free,
        "usable": feature.usable,
        "in_use": feature.in_use,
        "available": feature.available,
        "refused": feature.refused,
        "wanting": feature.wanting,
        **_caused(feature.cause),
    }


def _user(_: UnitName, user: User, __: int) -> Fields:
    return {
        "name": user.name,
        "full_name": user.full_name,
        "extension": user.extension,
        "profile": user.profile,
        "features": user.features,
        "active": user.active,
        **_caused(user.cause),
    }


def _extension(_: UnitName, extension: Extension, __: int) -> Fields:
    return {
        "number": extension.number,
        "kind": extension.kind,
        "reserve": extension.reserve,
        "reserved": extension.reserved,
        "state": extension.state,
        "mac": extension.mac,
        "address": extension.address,
        **_caused(extension.cause),
    }


def _base(_: UnitName, base: BaseStation, __: int) -> Fields:
    return {
        "mac": base.mac,
        "admm": base.admm,
        "licensed": base.licensed,
        "carries_calls": base.carries_calls,
        "reachable": base.reachable,
        **_caused(base.cause),
    }


def _part(_: UnitName, part: Part, __: int) -> Fields:
    place, service, fitted = part.place, part.service, part.fitted
    return {
        "kind": place.kind,
        "number": place.number,
        "fitted": fitted.code if fitted else None,
        "configured": part.configured.code if part.configured else None,
        "detected": part.detected,
        "oper_state": service.oper_state,
        "availability": service.availability,
        "hold": service.hold,
        "ports": [{"kind": run.kind, "first": run.first, "count": run.count} for run in fitted.ports] if fitted else [],
        "entity_name": part.entity_name,
        "entity_index": part.entity_index,
        "fault": part.fault,
        **_caused(service.cause),
    }


def _port(_: UnitName, port: Port, __: int) -> Fields:
    return {
        "name": port.name,
        "place": port.place,
        "number": port.number,
        "kind": port.kind,
        "phone": port.phone or None,
        "calls": port.calls,
    }


def _led(_: UnitName, led: Led, __: int) -> Fields:
    return {"name": led.name, "colour": led.colour, "pattern": led.pattern}


def _alarm(_: UnitName, alarm: Alarm, __: int) -> Fields:
    return {
        "id": alarm.id,
        "event": alarm.event,
        "name": alarm.name,
        "severity": SEVERITIES[alarm.severity],
        "reason": alarm.reason,
        "entity": alarm.entity,
        "entity_name": alarm.entity_name,
        "entity_index": alarm.entity_index,
        "since": _rfc3339(alarm.since),
        "text": alarm.text,
        **_caused(alarm.cause),
    }


def _notification(notification: Notification) -> Fields:
    return {
        "event": notification.event,
        "name": notification.name,
        "severity": SEVERITIES[notification.severity],
        "reason": notification.reason,
        "entity": notification.entity,
        "entity_name": notification.entity_name,
        "entity_index": notification.entity_index,
        "text": notification.text,
        "data": notification.data,
        **_caused(notification.cause),
    }


def _payload(seq: int, at: int, fields: Fields) -> bytes:
    return _compact({"v": VERSION, "seq": seq, "at": _rfc3339(at), **fields}).encode()


def _caused(cause: Cause) -> Fields:
    """What is in order has no `cause`."""
    return {"cause": cause} if cause else {}


def _optional_moment(nanoseconds: int | None, offset: int) -> str | None:
    return None if nanoseconds is None else _rfc3339(nanoseconds + offset)


@lru_cache(maxsize=16)
def _rfc3339(nanoseconds: int) -> str:
    return _written(moment(nanoseconds))


def _written(time: datetime) -> str:
    text = time.isoformat()
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
