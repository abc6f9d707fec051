"""Faults between the card and the unit: the unit sees what they leave of what the reader says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipo_sim.core.draft import Draft
from ipo_sim.core.events import (
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    KeyServerPollMissed,
    ReaderAttached,
    ReaderLost,
)
from ipo_sim.core.fault_model import InjectedFault, KeyReport
from ipo_sim.core.feature_key import attach_reader, fail_key, insert_key, lose_reader, remove_key
from ipo_sim.core.model import KeyPresence, KeyReason, Unit
from ipo_sim.errors import CommandRejected

REPORTS: frozenset[type[Fact]] = frozenset(
    {ReaderAttached, ReaderLost, FeatureKeyInserted, FeatureKeyRemoved, FeatureKeyUnreadable, KeyServerPollMissed}
)
Mask = Callable[[KeyReport, InjectedFault], KeyReport]


def report_of(unit: Draft | Unit) -> KeyReport:
    """What the reader has said, as long as no fault hides it."""
    reader, key = unit.reader, unit.key
    return KeyReport(
        reader.attached,
        reader.name,
        reader.last_error,
        key.presence,
        key.reason,
        key.detail or "",
        key.serial,
        key.law,
        key.kind,
        key.identity,
        key.assurance,
        key.counter,
    )


def heard(report: KeyReport, fact: Fact) -> KeyReport:
    """The report after one more fact; CommandRejected when it tells nothing new."""
    new = _heard(report, fact)
    if new == report:
        raise CommandRejected("unchanged", "the reader has said that already, behind the faults that hide it")
    return new


def _heard(report: KeyReport, fact: Fact) -> KeyReport:
    match fact:
        case ReaderAttached(name):
            return report._replace(attached=True, name=name, error=None)
        case ReaderLost(error):
            return _without_card(report, KeyPresence.UNKNOWN, KeyReason.NON_SPECIFIC_ERROR)._replace(
                attached=False, error=error
            )
        case FeatureKeyInserted(serial, kind, identity, law, assurance, counter):
            return report._replace(
                presence=KeyPresence.PRESENT,
                reason=KeyReason.NO_REASON,
                detail="",
                serial=serial,
                law=law,
                kind=kind,
                identity=identity,
                assurance=assurance,
                counter=counter,
            )
        case FeatureKeyRemoved(counter):
            return _without_card(report, KeyPresence.ABSENT, KeyReason.NOT_PRESENT)._replace(counter=counter)
        case FeatureKeyUnreadable(reason, detail):
            return _without_card(report, KeyPresence.UNREADABLE, reason)._replace(detail=detail)
    return report


def _without_card(report: KeyReport, presence: KeyPresence, reason: KeyReason) -> KeyReport:
    return report._replace(
        presence=presence,
        reason=reason,
        detail="",
        serial=None,
        law=None,
        kind=None,
        identity=None,
        assurance=None,
    )


def show(draft: Draft) -> None:
    """Let the unit see what the faults that strike leave of the report; nothing happens where that is as before."""
    assert draft.report is not None
    seen = draft.report
    hiding = None
    for fault in draft.faults:
        mask = MASKS.get(fault.fault)
        if mask is not None and fault.striking and (left := mask(seen, fault)) != seen:
            seen, hiding = left, fault
    before = draft.key, draft.reader
    _show_reader(draft, seen)
    if seen.attached or draft.reader.last_error is None:
        _show_key(draft, seen)
    if hiding is not None:
        _blame(draft, hiding, *before)


def _show_reader(draft: Draft, seen: KeyReport) -> None:
    reader = draft.reader
    if seen.attached and not (reader.attached and reader.name == seen.name):
        attach_reader(draft, ReaderAttached(seen.name))
    elif not seen.attached and seen.error is not None and (reader.attached or reader.last_error != seen.error):
        lose_reader(draft, ReaderLost(seen.error))


def _show_key(draft: Draft, seen: KeyReport) -> None:
    key = draft.key
    if seen.presence is KeyPresence.PRESENT:
        now = (key.serial, key.law, key.kind, key.assurance)
        if key.presence is not seen.presence or now != (seen.serial, seen.law, seen.kind, seen.assurance):
            insert_key(draft, _inserted(seen))
    elif seen.presence is KeyPresence.ABSENT and key.presence is not seen.presence:
        remove_key(draft, FeatureKeyRemoved(seen.counter))
    elif seen.presence is KeyPresence.UNREADABLE and (key.presence, key.reason) != (seen.presence, seen.reason):
        fail_key(draft, FeatureKeyUnreadable(seen.reason, seen.detail))


def _inserted(seen: KeyReport) -> FeatureKeyInserted:
    assert seen.serial is not None
    return FeatureKeyInserted(
        seen.serial,
        kind=seen.kind or "",
        identity=seen.identity or "",
        law=seen.law or "",
        assurance=seen.assurance or "",
        counter=seen.counter,
    )


def _blame(draft: Draft, fault: InjectedFault, key: object, reader: object) -> None:
    """What is out of order because of a fault says so, ahead of the event that brought it."""
    ref = f"faults/{fault.id}"
    if draft.key is not key and draft.key.cause and ref not in draft.key.cause:
        draft.key = draft.key._replace(cause=(*draft.key.cause[:-1], ref, draft.key.cause[-1]))
    if draft.reader is not reader and draft.reader.cause and ref not in draft.reader.cause:
        draft.reader = draft.reader._replace(cause=(ref, *draft.reader.cause))


def _unreadable(reason: KeyReason, detail: str) -> Mask:
    def mask(report: KeyReport, _: InjectedFault) -> KeyReport:
        if report.presence is not KeyPresence.PRESENT:
            return report
        return _without_card(report, KeyPresence.UNREADABLE, reason)._replace(detail=detail)

    return mask


def _by_reason(report: KeyReport, fault: InjectedFault) -> KeyReport:
    return _unreadable(KeyReason(fault.number("reason")), "")(report, fault)


def _open(report: KeyReport, fault: InjectedFault) -> KeyReport:
    """A contact is open every other time; of a card that is read slowly nothing is known until it is."""
    is_open = fault.fault == "slow-card" or fault.phase % 2
    if not is_open or report.presence is not KeyPresence.PRESENT:
        return report
    return _without_card(report, KeyPresence.ABSENT, KeyReason.NOT_PRESENT)


def _lost(error: str) -> Mask:
    def mask(report: KeyReport, fault: InjectedFault) -> KeyReport:
        if fault.fault == "key-server-slow" and fault.phase < fault.number("misses"):
            return report
        gone = _without_card(report, KeyPresence.UNKNOWN, KeyReason.NON_SPECIFIC_ERROR)
        return gone._replace(attached=False, error=error)

    return mask


def _lying(report: KeyReport, fault: InjectedFault) -> KeyReport:
    if report.presence is not KeyPresence.PRESENT:
        return report
    return report._replace(serial=fault.option("serial"))


# What each fault leaves of a report while it strikes.
MASKS: Mapping[str, Mask] = {
    "card-unreadable": _by_reason,
    "card-mute": _unreadable(KeyReason.NO_REGISTER_ACCESS, "no answer to reset"),
    "wrong-atr": _unreadable(KeyReason.INVALID_REGISTERS, "its answer to reset is that of no feature key"),
    "slow-card": _open,
    "flaky-contact": _open,
    "reader-lost": _lost("injected fault reader-lost"),
    "key-server-slow": _lost("no answer in time, injected fault key-server-slow"),
    "key-server-lying": _lying,
}
