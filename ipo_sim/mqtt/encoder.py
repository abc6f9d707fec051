"""Core entities and records into payload bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.effects import Notification
from ipo_sim.core.events import fact_data
from ipo_sim.core.model import (
    Alarm,
    Cause,
    Extension,
    Feature,
    FeatureKey,
    Led,
    Licence,
    Part,
    Reader,
    UnitName,
    UnitStatus,
    User,
)
from ipo_sim.mqtt.payloads import (
    SEVERITIES,
    VERSION,
    AlarmPayload,
    EntityPayload,
    EventPayload,
    ExtensionPayload,
    FeatureKeyPayload,
    FeaturePayload,
    LedPayload,
    LicencePayload,
    NotificationPayload,
    PartPayload,
    ReaderPayload,
    UnitPayload,
    UserPayload,
)
from ipo_sim.mqtt.topics import UNIT
from ipo_sim.runtime.bus import Bus, Entry, Record

Counters = Callable[[UnitName], Mapping[str, int]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The years that RFC 3339 can write; a unit's clock may be set anywhere.
_EARLIEST, _LATEST = (
    (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1),
    (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1),
)


@lru_cache(maxsize=16)
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
        self._builders: dict[type, Callable[[UnitName, Any, dict[str, Any]], EntityPayload]] = {
            UnitStatus: self._unit,
            FeatureKey: self._feature_key,
            Reader: self._reader,
            Licence: self._licence,
            Feature: _feature,
            User: _user,
            Extension: _extension,
            Part: _part,
            Led: _led,
            Alarm: _alarm,
        }

    def entity(self, unit: UnitName, entry: Entry) -> bytes:
        """The payload of an entity as it now is; empty when it exists no longer."""
        value = entry.value
        if value is None:
            return b""
        head = {"v": VERSION, "seq": entry.seq, "at": moment(entry.at)}
        return self._builders[type(value)](unit, value, head).model_dump_json(exclude_unset=True).encode()

    def event(self, record: Record) -> bytes:
        """The payload of one accepted event."""
        fact, effects = record.event.fact, record.effects
        payload = EventPayload(
            v=VERSION,
            seq=effects.seq,
            at=moment(effects.unit_time),
            unit=record.unit,
            type=fact.TYPE,
            data=fact_data(fact),
            cause=record.event.cause,
            notifications=tuple(map(_notification, effects.notifications)),
        )
        return payload.model_dump_json(exclude_unset=True).encode()

    def _unit(self, _: UnitName, status: UnitStatus, head: dict[str, Any]) -> UnitPayload:
        zone = timezone(timedelta(minutes=status.utc_offset_minutes))
        if self._daemon is not None:
            head["daemon"] = self._daemon
        return UnitPayload(
            name=status.name,
            model=status.model,
            system_name=status.system_name,
            mac=status.mac,
            release=status.release,
            release_profile=status.release_profile,
            state=status.state,
            until=_optional_moment(status.until, status.clock_offset_ns),
            edition=status.edition,
            telephony=status.telephony,
            clock=head["at"].astimezone(zone),
            **_caused(head, status.cause),
        )

    def _reader(self, unit: UnitName, reader: Reader, head: dict[str, Any]) -> ReaderPayload:
        return ReaderPayload(
            kind=reader.kind,
            name=reader.name,
            state="attached" if reader.attached else "lost",
            counters=dict(self._counters(unit)) if self._counters else {},
            last_error=reader.last_error,
            **_caused(head, reader.cause),
        )

    def _licence(self, _: UnitName, licence: Licence, head: dict[str, Any]) -> LicencePayload:
        decoded = licence.decoded
        row = self._catalogue.licences.get(decoded.licence_code) if decoded else None
        return LicencePayload(
            number=licence.number,
            key=licence.text,
            type=licence.type_name,
            id=row.licence_id if row else None,
            instances=decoded.instances if decoded else None,
            status=licence.status,
            expiry=decoded.expiry if decoded else None,
            loaded=licence.loaded,
            **_caused(head, licence.cause),
        )

    def _feature_key(self, unit: UnitName, key: FeatureKey, head: dict[str, Any]) -> FeatureKeyPayload:
        return FeatureKeyPayload(
            presence=key.presence,
            condition=key.condition,
            reason=key.reason,
            serial=key.serial,
            law=key.law,
            kind=key.kind,
            identity=key.identity,
            assurance=key.assurance,
            counter=key.counter,
            grace_until=_optional_moment(key.grace_until, self._offset(unit)),
            validated_serial=key.validated_serial,
            last_serial=key.last_serial,
            **_caused(head, key.cause),
        )

    def _offset(self, unit: UnitName) -> int:
        entry = self._bus.latest(unit).get(UNIT)
        return entry.value.clock_offset_ns if entry is not None and isinstance(entry.value, UnitStatus) else 0


def _feature(_: UnitName, feature: Feature, head: dict[str, Any]) -> FeaturePayload:
    return FeaturePayload(
        name=feature.name,
        licence=feature.licence,
        licensed=feature.licensed,
        free=feature.free,
        usable=feature.usable,
        in_use=feature.in_use,
        available=feature.available,
        refused=feature.refused,
        wanting=feature.wanting,
        **_caused(head, feature.cause),
    )


def _user(_: UnitName, user: User, head: dict[str, Any]) -> UserPayload:
    return UserPayload(
        name=user.name,
        full_name=user.full_name,
        extension=user.extension,
        profile=user.profile,
        features=user.features,
        active=user.active,
        **_caused(head, user.cause),
    )


def _extension(_: UnitName, extension: Extension, head: dict[str, Any]) -> ExtensionPayload:
    return ExtensionPayload(
        number=extension.number,
        kind=extension.kind,
        reserve=extension.reserve,
        reserved=extension.reserved,
        state=extension.state,
        mac=extension.mac,
        address=extension.address,
        **_caused(head, extension.cause),
    )


def _part(_: UnitName, part: Part, head: dict[str, Any]) -> PartPayload:
    place, service = part.place, part.service
    return PartPayload(
        kind=place.kind,
        number=place.number,
        fitted=part.fitted.code if part.fitted else None,
        configured=part.configured.code if part.configured else None,
        detected=part.detected,
        oper_state=service.oper_state,
        availability=service.availability,
        hold=service.hold,
        ports=part.fitted.ports if part.fitted else (),
        entity_name=part.entity_name,
        entity_index=part.entity_index,
        fault=part.fault,
        **_caused(head, service.cause),
    )


def _led(_: UnitName, led: Led, head: dict[str, Any]) -> LedPayload:
    return LedPayload(name=led.name, colour=led.colour, pattern=led.pattern, **head)


def _alarm(_: UnitName, alarm: Alarm, head: dict[str, Any]) -> AlarmPayload:
    return AlarmPayload(
        id=alarm.id,
        event=alarm.event,
        name=alarm.name,
        severity=SEVERITIES[alarm.severity],
        reason=alarm.reason,
        entity=alarm.entity,
        entity_name=alarm.entity_name,
        entity_index=alarm.entity_index,
        since=moment(alarm.since),
        text=alarm.text,
        **_caused(head, alarm.cause),
    )


def _notification(notification: Notification) -> NotificationPayload:
    return NotificationPayload(
        event=notification.event,
        name=notification.name,
        severity=SEVERITIES[notification.severity],
        reason=notification.reason,
        entity=notification.entity,
        entity_name=notification.entity_name,
        entity_index=notification.entity_index,
        text=notification.text,
        data=notification.data,
        **_caused({}, notification.cause),
    )


def _caused(head: dict[str, Any], cause: Cause) -> dict[str, Any]:
    """Unset fields stay out of the payload: what is in order has no `cause`."""
    if cause:
        head["cause"] = cause
    return head


def _optional_moment(nanoseconds: int | None, offset: int) -> datetime | None:
    return None if nanoseconds is None else moment(nanoseconds + offset)
