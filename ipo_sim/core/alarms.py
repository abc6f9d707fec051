"""Alarms with the maker's event numbers, derived from what is out of order; what comes and goes is notified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from ipo_sim.catalogue.types import OnExhaustion
from ipo_sim.core.draft import UP, Draft
from ipo_sim.core.effects import Notification
from ipo_sim.core.feature_key import KEY_PATH
from ipo_sim.core.key_server import LINK_FAILURE, READER_PATH, is_server_lost
from ipo_sim.core.life import CONTROLLER_INDEX, CONTROLLER_NAME
from ipo_sim.core.model import Alarm, Cause, Dect, Feature, FeatureKey, Hold, KeyCondition, KeyReason, Part, Severity
from ipo_sim.core.part_faults import PORT
from ipo_sim.core.unit_faults import CORRUPT
from ipo_sim.core.words import KEY_INDEX, KEY_NAME

ENTITY_FAILURE = 20
LOOPBACK = 28
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
DECT_ALARM = "46-dect"
# Those that neither a part nor a pool of instances raises.
_OF_THE_UNIT = frozenset({KEY_ALARM, LINK_ALARM, DECT_ALARM})

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
        and draft.faults is old.faults
    ):
        return old.alarms
    if not draft.up:
        return ()
    standing = {alarm.id: alarm for alarm in old.alarms}
    same_others = parts is old.parts and features is old.features and draft.faults is old.faults
    if same_others and old.life.state in UP:
        others = [alarm for alarm in old.alarms if alarm.id not in _OF_THE_UNIT]
        raised = [*_key_alarms(draft, standing), *others, *_dect_alarms(draft, standing)]
    else:
        raised = _alarms(draft, parts, features, standing)
    alarms = []
    for alarm in raised:
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
    alarms = _key_alarms(draft, standing)
    for part in parts:
        hold = part.service.hold
        if part.failed or (hold is not None and hold in _HELD):
            _part_alarms(draft, part, standing, alarms)
    for feature in features:
        if feature.refused or feature.wanting:
            alarms.append(_feature_alarm(draft, feature, standing))
    alarms.extend(_dect_alarms(draft, standing))
    alarms.extend(_fault_alarms(draft, parts, standing))
    return alarms


def _fault_alarms(draft: Draft, parts: tuple[Part, ...], standing: Mapping[str, Alarm]) -> Iterator[Alarm]:
    """Of injected faults that no part and no key tells of: a port, the configuration."""
    for fault in draft.faults:
        cause = (f"faults/{fault.id}", *fault.cause)
        if fault.striking and fault.fault == PORT:
            part = next(part for part in draft.parts if part.place.path == fault.target)
            entity = (f"{fault.target}/port/{fault.option('port')}", part.entity_name, part.entity_index)
            said: _Said = (ENTITY_FAILURE, None, f"port {fault.option('port')} failed")
            yield _part_alarm(draft, entity, cause, standing, said)
        elif fault.striking and fault.fault == CORRUPT:
            of_unit = ("configuration", CONTROLLER_NAME, CONTROLLER_INDEX)
            yield _part_alarm(draft, of_unit, cause, standing, (CONFIGURATION_FAILURE, None, "it cannot be read"))
        elif fault.striking and draft.catalogue.faults[fault.fault].alarm is not None:
            from ipo_sim.core.signal_faults import signal  # noqa: PLC0415 - only a unit with such a fault pays for it

            yield from signal(draft, fault, parts, standing)


def _key_alarms(draft: Draft, standing: Mapping[str, Alarm]) -> list[Alarm]:
    """The key's own and that of the link to its server."""
    alarms = []
    if draft.key.condition in (KeyCondition.GRACE, KeyCondition.NOT_IN_ORDER):
        alarms.append(_key_alarm(draft, standing))
    if is_server_lost(draft.reader):
        alarms.append(_link_alarm(draft, standing))
    return alarms


def _dect_alarms(draft: Draft, standing: Mapping[str, Alarm]) -> list[Alarm]:
    if draft.dect is not None and not draft.dect.dect.voice:
        return [_dect_alarm(draft, draft.dect.dect, standing)]
    return []


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
        _key_text(key),
        key.cause,
    )


def _key_text(key: FeatureKey) -> str:
    text = _KEY_TEXTS.get(key.reason, "feature key not in order")
    return f"{text}: {key.detail}" if key.detail else text


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


# The maker's event, its reason, its text.
_Said = tuple[int, int | None, str]
_HELD = frozenset({Hold.FAULT, Hold.MISSING, Hold.MISMATCH, Hold.SURPLUS, Hold.LICENCE})


def _part_alarms(draft: Draft, part: Part, standing: Mapping[str, Alarm], alarms: list[Alarm]) -> None:
    hold = part.service.hold
    entity = (part.place.path, part.entity_name, part.entity_index)
    cause = part.service.cause
    said: tuple[int, int | None, str]
    if part.failed or hold is Hold.FAULT:
        said = (ENTITY_FAILURE, None, _failure_text(hold))
        alarms.append(_part_alarm(draft, entity, cause, standing, said))
    if hold is Hold.LICENCE:
        said = (SERVICE_FAILURE, FEATURE_LICENCE_MISSING, cause[0].removeprefix("licence:"))
        alarms.append(_part_alarm(draft, entity, cause, standing, said))
    elif hold in (Hold.MISMATCH, Hold.SURPLUS) or (hold is Hold.MISSING and not part.failed):
        said = (CONFIGURATION_FAILURE, HARDWARE_TYPE_FAILURE, _configuration_text(part))
        alarms.append(_part_alarm(draft, entity, cause, standing, said))


def _part_alarm(
    draft: Draft, entity: tuple[str, str, int], cause: Cause, standing: Mapping[str, Alarm], what: _Said
) -> Alarm:
    event, reason, text = what
    kind = draft.catalogue.alarms[event]
    path, entity_name, entity_index = entity
    name = _alarm_id(event, path)
    before = standing.get(name)
    if before is None:
        since, seq = draft.at + draft.clock_offset_ns, draft.seq
    elif before.reason == reason and before.text == text and before.cause == cause:
        return before
    else:
        since, seq = before.since, before.seq
    severity = _SEVERITIES[kind.severity]
    said = (name, event, kind.name, severity, reason, path, entity_name, entity_index, since, seq, text, cause)
    return _new(Alarm, said)


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
    name = DECT_ALARM
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
    _, event, name, severity, reason, entity, entity_name, entity_index, _, _, text, cause = alarm
    said = (event, name, severity, entity, entity_name, entity_index, reason, text, "", cause)
    draft.notifications.append(_new(Notification, said))


def _notify_cleared(draft: Draft, alarm: Alarm) -> None:
    kind = draft.catalogue.alarms[alarm.event]
    # Event 28 tells of each change of a loopback, the end of it too, and has one severity for all [MIB].
    cleared_by = LOOPBACK if alarm.event == LOOPBACK else kind.cleared_by
    if cleared_by is None or draft.old.life.state not in UP:
        return
    clearing = draft.catalogue.alarms[cleared_by]
    draft.notifications.append(
        Notification(
            cleared_by,
            clearing.name,
            Severity.CLEARED if cleared_by == kind.cleared_by == alarm.event else _SEVERITIES[clearing.severity],
            alarm.entity,
            alarm.entity_name,
            alarm.entity_index,
            int(KeyReason.NO_REASON) if alarm.event == FEATURE_KEY else alarm.reason,
            alarm.text if alarm.event != LOOPBACK else "no loopback",
            "",
            (draft.event_ref,),
        )
    )
