"""Alarms with the maker's event numbers, derived from what is out of order; what comes and goes is notified."""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.core.draft import UP, Draft
from ipo_sim.core.effects import Notification
from ipo_sim.core.feature_key import KEY_INDEX, KEY_NAME, KEY_PATH
from ipo_sim.core.model import Alarm, Cause, Hold, KeyCondition, KeyReason, Part, Severity

ENTITY_FAILURE = 20
FEATURE_KEY = 40
CONFIGURATION_FAILURE = 42
SERVICE_FAILURE = 46

HARDWARE_TYPE_FAILURE = 4
FEATURE_LICENCE_MISSING = 5

_KEY_TEXTS = {
    KeyReason.NOT_PRESENT: "feature key not present",
    KeyReason.NO_REGISTER_ACCESS: "feature key does not answer",
    KeyReason.INVALID_REGISTERS: "feature key registers not in order",
    KeyReason.NON_SPECIFIC_ERROR: "feature key reader lost or failing",
}


class _Condition(NamedTuple):
    """One thing out of order, as an alarm says it."""

    id: str
    event: int
    severity: Severity
    reason: int | None
    entity: str
    entity_name: str
    entity_index: int
    text: str
    cause: Cause


def raise_alarms(draft: Draft, parts: tuple[Part, ...]) -> tuple[Alarm, ...]:
    """The active alarms; an alarm that stands keeps its age, every coming, change and going is notified.

    A unit that is not up has none, and its going down clears them without a word.
    """
    old = draft.old
    if parts is old.parts and draft.key is old.key and draft.life is old.life:
        return old.alarms
    standing = {alarm.id: alarm for alarm in old.alarms}
    if not draft.up:
        return ()
    alarms = []
    for condition in _conditions(draft, parts):
        before = standing.pop(condition.id, None)
        alarm = _alarm(draft, condition, before)
        if before is None or (before.severity, before.reason) != (alarm.severity, alarm.reason):
            _notify(draft, alarm)
        alarms.append(alarm)
    for gone in standing.values():
        _notify_cleared(draft, gone)
    return tuple(alarms)


def _conditions(draft: Draft, parts: tuple[Part, ...]) -> list[_Condition]:
    conditions = []
    key = draft.key
    if key.condition in (KeyCondition.GRACE, KeyCondition.NOT_IN_ORDER):
        severity = Severity.WARNING if key.condition is KeyCondition.GRACE else Severity.CRITICAL
        text = _KEY_TEXTS.get(key.reason, "feature key not in order")
        conditions.append(
            _Condition(
                "40-feature-key", FEATURE_KEY, severity, int(key.reason), KEY_PATH, KEY_NAME, KEY_INDEX, text, key.cause
            )
        )
    for part in parts:
        if part.failed or part.service.hold in _HELD:
            conditions.extend(_part_conditions(draft, part))
    return conditions


_HELD = frozenset({Hold.MISSING, Hold.MISMATCH, Hold.SURPLUS, Hold.LICENCE})


def _part_conditions(draft: Draft, part: Part) -> list[_Condition]:
    hold, cause = part.service.hold, part.service.cause
    found = []
    if part.failed:
        found.append(_condition(draft, part, ENTITY_FAILURE, None, _failure_text(hold), cause))
    if hold is Hold.LICENCE:
        text = cause[0].removeprefix("licence:")
        found.append(_condition(draft, part, SERVICE_FAILURE, FEATURE_LICENCE_MISSING, text, cause))
    elif hold in (Hold.MISMATCH, Hold.SURPLUS) or (hold is Hold.MISSING and not part.failed):
        text = _configuration_text(part)
        found.append(_condition(draft, part, CONFIGURATION_FAILURE, HARDWARE_TYPE_FAILURE, text, cause))
    return found


def _condition(draft: Draft, part: Part, event: int, reason: int | None, text: str, cause: Cause) -> _Condition:
    place = part.place
    severity = Severity(draft.catalogue.alarms[event].severity)
    name = f"{event}-{place.path.replace('/', '-')}"
    return _Condition(name, event, severity, reason, place.path, part.entity_name, part.entity_index, text, cause)


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


def _alarm(draft: Draft, condition: _Condition, before: Alarm | None) -> Alarm:
    if before is not None and (before.severity, before.reason, before.text, before.cause) == (
        condition.severity,
        condition.reason,
        condition.text,
        condition.cause,
    ):
        return before
    return Alarm(
        condition.id,
        condition.event,
        draft.catalogue.alarms[condition.event].name,
        condition.severity,
        condition.reason,
        condition.entity,
        condition.entity_name,
        condition.entity_index,
        draft.unit_time if before is None else before.since,
        draft.seq if before is None else before.seq,
        condition.text,
        condition.cause,
    )


def _notify(draft: Draft, alarm: Alarm) -> None:
    draft.notifications.append(
        Notification(
            alarm.event,
            alarm.name,
            alarm.severity,
            alarm.entity,
            alarm.entity_name,
            alarm.entity_index,
            alarm.reason,
            alarm.text,
            "",
            alarm.cause,
        )
    )


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
