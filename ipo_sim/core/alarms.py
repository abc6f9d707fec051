"""Alarms with the maker's event numbers, derived from what is out of order; what comes and goes is notified."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ipo_sim.catalogue.types import OnExhaustion
from ipo_sim.core.draft import UP, Draft
from ipo_sim.core.effects import Notification
from ipo_sim.core.feature_key import KEY_PATH
from ipo_sim.core.key_server import LINK_FAILURE, READER_PATH, is_server_lost
from ipo_sim.core.life import CONTROLLER_INDEX, CONTROLLER_NAME
from ipo_sim.core.model import Alarm, Dect, Feature, Hold, KeyCondition, KeyReason, Part, Severity
from ipo_sim.core.words import KEY_INDEX, KEY_NAME

ENTITY_FAILURE = 20
FEATURE_KEY = 40
CONFIGURATION_FAILURE = 42
SERVICE_FAILURE = 46

HARDWARE_TYPE_FAILURE = 4
FEATURE_LICENCE_MISSING = 5
ALL_LICENCES_IN_USE = 6
NO_FREE_CHANNELS = 9
LICENCE_ERROR = 32

KEY_ALARM = "40-feature-key"
LINK_ALARM = "24-reader"

# Half the cost of a named tuple's own constructor, where a cascade makes dozens.
_new = tuple.__new__
# Calling the enumeration costs more than a look-up, and a cascade asks dozens of times.
_SEVERITIES = {int(severity): severity for severity in Severity}
_KEY_TEXTS = {
    KeyReason.NOT_PRESENT: "feature key not present",
    KeyReason.NO_REGISTER_ACCESS: "feature key does not answer",
    KeyReason.INVALID_REGISTERS: "feature key registers not in order",
    KeyReason.NON_SPECIFIC_ERROR: "feature key reader lost or failing",
}


def raise_alarms(draft: Draft, parts: tuple[Part, ...], features: tuple[Feature, ...]) -> tuple[Alarm, ...]:
    """The active alarms; an alarm that stands keeps its age, every coming, change and going is notified.

    A unit that is not up has none, and its going down clears them without a word.
    """
    old = draft.old
    same_dect = draft.dect is old.dect
    if (
        parts is old.parts
        and draft.key is old.key
        and draft.life is old.life
        and features is old.features
        and same_dect
        and draft.reader is old.reader
    ):
        return old.alarms
    if not draft.up:
        return ()
    standing = {alarm.id: alarm for alarm in old.alarms}
    alarms = []
    for alarm in _alarms(draft, parts, features, standing):
        before = standing.pop(alarm.id, None)
        if before is None or (before.severity, before.reason) != (alarm.severity, alarm.reason):
            _notify(draft, alarm)
        alarms.append(alarm)
    for gone in standing.values():
        _notify_cleared(draft, gone)
    return tuple(alarms)


def _alarms(
    draft: Draft, parts: tuple[Part, ...], features: tuple[Feature, ...], standing: Mapping[str, Alarm]
) -> list[Alarm]:
    alarms = []
    if draft.key.condition in (KeyCondition.GRACE, KeyCondition.NOT_IN_ORDER):
        alarms.append(_key_alarm(draft, standing))
    if is_server_lost(draft.reader):
        alarms.append(_link_alarm(draft, standing))
    for part in parts:
        if part.failed or part.service.hold in _HELD:
            _part_alarms(draft, part, standing, alarms)
    alarms.extend(
        _feature_alarm(draft, feature, standing) for feature in features if feature.refused or feature.wanting
    )
    if draft.dect is not None and not draft.dect.dect.voice:
        alarms.append(_dect_alarm(draft, draft.dect.dect, standing))
    return alarms


def _key_alarm(draft: Draft, standing: Mapping[str, Alarm]) -> Alarm:
    key = draft.key
    before = standing.get(KEY_ALARM)
    return Alarm(
        KEY_ALARM,
        FEATURE_KEY,
        draft.catalogue.alarms[FEATURE_KEY].name,
        Severity.WARNING if key.condition is KeyCondition.GRACE else Severity.CRITICAL,
        int(key.reason),
        KEY_PATH,
        KEY_NAME,
        KEY_INDEX,
        draft.unit_time if before is None else before.since,
        draft.seq if before is None else before.seq,
        _KEY_TEXTS.get(key.reason, "feature key not in order"),
        key.cause,
    )


def _link_alarm(draft: Draft, standing: Mapping[str, Alarm]) -> Alarm:
    reader = draft.reader
    before = standing.get(LINK_ALARM)
    kind = draft.catalogue.alarms[LINK_FAILURE]
    return Alarm(
        LINK_ALARM,
        LINK_FAILURE,
        kind.name,
        _SEVERITIES[kind.severity],
        None,
        READER_PATH,
        KEY_NAME,
        KEY_INDEX,
        draft.unit_time if before is None else before.since,
        draft.seq if before is None else before.seq,
        f"licence key server {reader.name} lost: {reader.last_error}",
        reader.cause,
    )


_HELD = frozenset({Hold.MISSING, Hold.MISMATCH, Hold.SURPLUS, Hold.LICENCE})


def _part_alarms(draft: Draft, part: Part, standing: Mapping[str, Alarm], alarms: list[Alarm]) -> None:
    hold = part.service.hold
    if part.failed:
        alarms.append(_part_alarm(draft, part, standing, ENTITY_FAILURE, None, _failure_text(hold)))
    if hold is Hold.LICENCE:
        text = part.service.cause[0].removeprefix("licence:")
        alarms.append(_part_alarm(draft, part, standing, SERVICE_FAILURE, FEATURE_LICENCE_MISSING, text))
    elif hold in (Hold.MISMATCH, Hold.SURPLUS) or (hold is Hold.MISSING and not part.failed):
        text = _configuration_text(part)
        alarms.append(_part_alarm(draft, part, standing, CONFIGURATION_FAILURE, HARDWARE_TYPE_FAILURE, text))


def _part_alarm(
    draft: Draft, part: Part, standing: Mapping[str, Alarm], event: int, reason: int | None, text: str
) -> Alarm:
    kind = draft.catalogue.alarms[event]
    place = part.place
    name = _alarm_id(event, place.path)
    before = standing.get(name)
    if before is not None and before.reason == reason and before.text == text and before.cause == part.service.cause:
        return before
    return _new(
        Alarm,
        (
            name,
            event,
            kind.name,
            _SEVERITIES[kind.severity],
            reason,
            place.path,
            part.entity_name,
            part.entity_index,
            draft.unit_time if before is None else before.since,
            draft.seq if before is None else before.seq,
            text,
            part.service.cause,
        ),
    )


def _feature_alarm(draft: Draft, feature: Feature, standing: Mapping[str, Alarm]) -> Alarm:
    """Configured without a licence before a use that was refused: the first is out of service, the second goes on."""
    path = f"features/{feature.name}"
    name = _alarm_id(SERVICE_FAILURE, path)
    before = standing.get(name)
    kind = draft.catalogue.alarms[SERVICE_FAILURE]
    alarm = Alarm(
        name,
        SERVICE_FAILURE,
        kind.name,
        _SEVERITIES[kind.severity],
        FEATURE_LICENCE_MISSING if feature.wanting else _exhausted_reason(draft, feature),
        path,
        CONTROLLER_NAME,
        CONTROLLER_INDEX,
        draft.unit_time if before is None else before.since,
        draft.seq if before is None else before.seq,
        feature.licence,
        feature.cause,
    )
    return before if before == alarm else alarm


def _dect_alarm(draft: Draft, dect: Dect, standing: Mapping[str, Alarm]) -> Alarm:
    """No event is documented for it: the one of a service out of order, for its licence (licensing.md 9)."""
    name = _alarm_id(SERVICE_FAILURE, "dect")
    before = standing.get(name)
    kind = draft.catalogue.alarms[SERVICE_FAILURE]
    alarm = Alarm(
        name,
        SERVICE_FAILURE,
        kind.name,
        _SEVERITIES[kind.severity],
        LICENCE_ERROR,
        "dect",
        CONTROLLER_NAME,
        CONTROLLER_INDEX,
        draft.unit_time if before is None else before.since,
        draft.seq if before is None else before.seq,
        f"IP DECT {dect.state.replace('_', ' ')}",
        dect.cause,
    )
    return before if before == alarm else alarm


def _exhausted_reason(draft: Draft, feature: Feature) -> int:
    kinds = draft.catalogue.licences_by_feature[feature.name]
    calls = any(kind.on_exhaustion is OnExhaustion.CALL_FAILS for kind in kinds)
    return NO_FREE_CHANNELS if calls else ALL_LICENCES_IN_USE


@lru_cache(maxsize=1_024)
def _alarm_id(event: int, path: str) -> str:
    return f"{event}-{path.replace('/', '-')}"


def _failure_text(hold: Hold | None) -> str:
    if hold in (Hold.EMPTY, Hold.MISSING):
        return "withdrawn while in service"
    return "stopped for want of a licence" if hold is Hold.LICENCE else "failed"


def _configuration_text(part: Part) -> str:
    if part.service.hold is Hold.SURPLUS:
        return part.service.cause[0].removeprefix("limit:")
    configured = part.configured.code if part.configured else "nothing"
    fitted = part.fitted.code if part.fitted else "nothing"
    return f"{configured} configured, {fitted} fitted"


def _notify(draft: Draft, alarm: Alarm) -> None:
    entity = (alarm.entity, alarm.entity_name, alarm.entity_index)
    said = (alarm.event, alarm.name, alarm.severity, *entity, alarm.reason, alarm.text, "", alarm.cause)
    draft.notifications.append(_new(Notification, said))


def _notify_cleared(draft: Draft, alarm: Alarm) -> None:
    cleared_by = draft.catalogue.alarms[alarm.event].cleared_by
    if cleared_by is None or draft.old.life.state not in UP:
        return
    draft.notifications.append(
        Notification(
            cleared_by,
            draft.catalogue.alarms[cleared_by].name,
            Severity.CLEARED,
            alarm.entity,
            alarm.entity_name,
            alarm.entity_index,
            int(KeyReason.NO_REASON) if alarm.event == FEATURE_KEY else alarm.reason,
            alarm.text,
            "",
            (draft.event_ref,),
        )
    )
