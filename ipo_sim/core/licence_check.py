"""What the licence strings are worth now: statuses with causes, the edition, the instance pools, the next expiry."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from ipo_sim.catalogue.types import LicenceKind, LicenceType
from ipo_sim.core.draft import DAY_NS, MINUTE_NS, UP, Draft
from ipo_sim.core.model import Cause, Edition, Feature, Licence, Nanoseconds
from ipo_sim.licensing.key import verify
from ipo_sim.licensing.status import LicenceStatus, Settlement, modules_allowed, settle

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class Licensing(NamedTuple):
    """Everything that follows from the strings, the key and the day."""

    licences: tuple[Licence, ...]
    edition: Edition
    features: tuple[Feature, ...]
    expiry_at: Nanoseconds | None


class _Ruling(NamedTuple):
    """A status before Dormant is decided: None stands for a candidate."""

    status: LicenceStatus | None
    cause: Cause
    matches: tuple[str, bool] | None


def check_licences(draft: Draft) -> Licensing:
    """Evaluate in the stated order: Unknown, Invalid, Expired, Obsolete, Dormant, Valid (licensing.md 2)."""
    old = draft.old
    if not _must_check(draft):
        return Licensing(draft.licences, old.edition, old.features, old.expiry_at)
    rulings = [_rule(draft, licence) for licence in draft.licences]
    candidates = [
        kind
        for licence, ruling in zip(draft.licences, rulings, strict=True)
        if ruling.status is None and (kind := _kind(draft, licence))
    ]
    rules = draft.catalogue.editions[draft.definition.release_profile]
    settlement = settle(candidates, rules)
    licences = _decide(draft, rulings, settlement)
    return Licensing(
        licences, _edition(draft, licences, settlement), _features(draft, licences), _expiry_at(draft, licences)
    )


def _must_check(draft: Draft) -> bool:
    old, key = draft.old, draft.key
    old_up = old.life.state in UP
    if draft.licences is not old.licences or draft.up != old_up:
        return True
    if not draft.up:
        return draft.life is not old.life
    if key.validated_serial != old.key.validated_serial:
        return True
    if key.validated_serial is None and key.cause != old.key.cause:
        return True
    return draft.clock_offset_ns != old.clock_offset_ns or (old.expiry_at is not None and draft.at >= old.expiry_at)


def _kind(draft: Draft, licence: Licence) -> LicenceType | None:
    return draft.catalogue.licences[licence.decoded.licence_code] if licence.decoded else None


def _rule(draft: Draft, licence: Licence) -> _Ruling:
    if not draft.up:
        return _Ruling(LicenceStatus.UNKNOWN, (f"unit:{draft.life.state}", f"event:{draft.life.seq}"), licence.matches)
    if not licence.loaded:
        return _Ruling(LicenceStatus.UNKNOWN, ("configuration", f"event:{licence.seq}"), licence.matches)
    kind = _kind(draft, licence)
    if kind is None or licence.decoded is None:
        return _Ruling(LicenceStatus.INVALID, ("licence-string", f"event:{licence.seq}"), None)
    serial = draft.key.validated_serial
    if serial is None:
        return _Ruling(LicenceStatus.INVALID, ("feature-key", *draft.key.cause), licence.matches)
    matches = licence.matches
    if matches is None or matches[0] != serial:
        matches = (serial, verify(licence.decoded, serial, draft.definition.secret))
    if not matches[1]:
        return _Ruling(LicenceStatus.INVALID, _since(draft, licence, LicenceStatus.INVALID, "feature-key"), matches)
    expiry = licence.decoded.expiry
    if expiry is not None and expiry.toordinal() - EPOCH_ORDINAL < draft.local_day:
        head = f"expiry:{expiry.isoformat()}"
        return _Ruling(LicenceStatus.EXPIRED, _since(draft, licence, LicenceStatus.EXPIRED, head), matches)
    if draft.definition.release_profile not in kind.profiles or draft.definition.model not in kind.models:
        head = f"release-profile:{draft.definition.release_profile}"
        return _Ruling(LicenceStatus.OBSOLETE, (head, f"event:{licence.seq}"), matches)
    return _Ruling(None, (), matches)


def _since(draft: Draft, licence: Licence, status: LicenceStatus, head: str) -> Cause:
    """The cause that stands since an earlier event, or this event."""
    if licence.status is status and licence.cause[:1] == (head,):
        return licence.cause
    last = f"event:{draft.key.seq}" if head == "feature-key" else draft.event_ref
    return (head, last)


def _decide(draft: Draft, rulings: list[_Ruling], settlement: Settlement) -> tuple[Licence, ...]:
    licences = draft.licences
    causes: dict[str, Cause] = {}
    for licence, ruling in zip(licences, rulings, strict=True):
        if ruling.status is not None:
            causes.setdefault(licence.type_name, ruling.cause)
    decided = []
    for licence, ruling in zip(licences, rulings, strict=True):
        status, cause = ruling.status, ruling.cause
        if status is None:
            if licence.type_name in settlement.valid:
                status = LicenceStatus.VALID
            else:
                status = LicenceStatus.DORMANT
                cause = _dormant_cause(draft, licence, settlement, causes)
        decided.append(_with(licence, status, cause, ruling.matches))
    return tuple(decided)


def _dormant_cause(draft: Draft, licence: Licence, settlement: Settlement, causes: dict[str, Cause]) -> Cause:
    """The chain over missing prerequisites down to the string that fails, or to the event since when none is there."""
    chain: list[str] = []
    name = licence.type_name
    while name in settlement.missing and f"licence:{settlement.missing[name]}" not in chain:
        name = settlement.missing[name]
        chain.append(f"licence:{name}")
    if name in causes:
        return (*chain, *causes[name])
    return _held_since(draft, licence.cause, tuple(chain))


def _held_since(draft: Draft, old: Cause, head: Cause) -> Cause:
    """A chain that ends at an absent licence keeps the event that it has held since."""
    return old if len(old) == len(head) + 1 and old[:-1] == head else (*head, draft.event_ref)


def _with(licence: Licence, status: LicenceStatus, cause: Cause, matches: tuple[str, bool] | None) -> Licence:
    if licence.status is status and licence.cause == cause and licence.matches == matches:
        return licence
    return Licence(
        licence.number,
        licence.text,
        licence.decoded,
        licence.type_name,
        licence.loaded,
        licence.seq,
        status,
        matches,
        cause,
    )


def _edition(draft: Draft, licences: Iterable[Licence], settlement: Settlement) -> Edition:
    rule = settlement.edition
    allowed = modules_allowed(rule, settlement.valid, extended=False)
    extended = modules_allowed(rule, settlement.valid, extended=True)
    old = draft.old.edition
    cause: Cause = ()
    if not allowed and draft.up:
        cause = _module_cause(draft, licences, rule.modules_any_of)
    edition = Edition(rule.edition, allowed, extended, cause)
    return old if edition == old else edition


def _module_cause(draft: Draft, licences: Iterable[Licence], names: tuple[str, ...]) -> Cause:
    """Why no licence lets the unit drive modules: down the first string that would, or since it is not there."""
    for licence in licences:
        if licence.type_name in names:
            return (f"licence:{licence.type_name}", *licence.cause)
    head = f"licence:{names[0]}" if names else f"release-profile:{draft.definition.release_profile}"
    return _held_since(draft, draft.old.edition.module_cause, (head,))


def _features(draft: Draft, licences: Iterable[Licence]) -> tuple[Feature, ...]:
    """One pool for each feature that a recognised string names; several strings add up."""
    pools: dict[str, tuple[str, int, Cause]] = {}
    for licence in licences:
        kind = _kind(draft, licence)
        if kind is None or licence.decoded is None:
            continue
        name, licensed, cause = pools.get(kind.feature, (kind.name, 0, ()))
        if licence.status is LicenceStatus.VALID:
            licensed += 1 if kind.kind is LicenceKind.FEATURE else licence.decoded.instances
        elif not cause:
            cause = (f"licence:{kind.name}", *licence.cause)
        pools[kind.feature] = (name, licensed, cause)
    old = {feature.name: feature for feature in draft.old.features}
    return tuple(_feature(feature, *pool, old=old.get(feature)) for feature, pool in pools.items())


def _feature(feature: str, licence: str, licensed: int, cause: Cause, *, old: Feature | None) -> Feature:
    cause = () if licensed else cause
    if old is not None and old.licensed == licensed and old.cause == cause and old.licence == licence:
        return old
    return Feature(feature, licence, licensed, 0, 0, licensed, cause)


def _expiry_at(draft: Draft, licences: Iterable[Licence]) -> Nanoseconds | None:
    """The first midnight, in simulation time, at which a string that still counts ends."""
    if not draft.up:
        return None
    days = [
        licence.decoded.expiry.toordinal() - EPOCH_ORDINAL + 1
        for licence in licences
        if licence.decoded is not None
        and licence.decoded.expiry is not None
        and licence.status in (LicenceStatus.VALID, LicenceStatus.DORMANT, LicenceStatus.OBSOLETE)
    ]
    if not days:
        return None
    local = min(days) * DAY_NS - draft.definition.utc_offset_minutes * MINUTE_NS
    return Nanoseconds(local - draft.clock_offset_ns)
