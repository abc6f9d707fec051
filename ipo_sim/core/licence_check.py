"""What the licence strings are worth now: statuses with causes, the edition, the instance pools, the next expiry."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from ipo_sim.catalogue.types import LicenceKind
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


# A status before Dormant is decided (None: a candidate for Valid), and its cause.
_Ruling = tuple[LicenceStatus | None, Cause]
_CANDIDATE: _Ruling = (None, ())


def check_licences(draft: Draft) -> Licensing:
    """Evaluate in the stated order: Unknown, Invalid, Expired, Obsolete, Dormant, Valid (licensing.md 2)."""
    old = draft.old
    if not _must_check(draft):
        return Licensing(draft.licences, old.edition, old.features, old.expiry_at)
    checked = _check_serial(draft)
    rulings = _rulings(draft, checked)
    candidates = [
        draft.catalogue.licences[licence.decoded.licence_code]
        for licence, ruling in zip(checked, rulings, strict=True)
        if ruling is _CANDIDATE and licence.decoded is not None
    ]
    settlement = settle(candidates, draft.catalogue.editions[draft.definition.release_profile])
    licences = _decide(draft, checked, rulings, settlement)
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


def _check_serial(draft: Draft) -> tuple[Licence, ...]:
    """Every string checked against the serial that counts now; a check is remembered, so each is made once a card."""
    serial = draft.key.validated_serial
    if serial is None or all(licence.matches and licence.matches[0] == serial for licence in draft.licences):
        return draft.licences
    secret = draft.definition.secret
    return tuple(
        licence
        if licence.decoded is None or (licence.matches and licence.matches[0] == serial)
        else licence._replace(matches=(serial, verify(licence.decoded, serial, secret)))
        for licence in draft.licences
    )


def _rulings(draft: Draft, licences: tuple[Licence, ...]) -> list[_Ruling]:
    """In the stated order up to Obsolete."""
    if not draft.up:
        unknown: _Ruling = (LicenceStatus.UNKNOWN, (f"unit:{draft.life.state}", f"event:{draft.life.seq}"))
        return [unknown] * len(licences)
    keyless: _Ruling | None = None
    if draft.key.validated_serial is None:
        keyless = (LicenceStatus.INVALID, ("feature-key", *draft.key.cause))
    day = draft.local_day
    return [_string_ruling(licence) or keyless or _card_ruling(draft, licence, day) for licence in licences]


def _string_ruling(licence: Licence) -> _Ruling | None:
    """What a string's text and entry alone decide."""
    if not licence.loaded:
        return LicenceStatus.UNKNOWN, ("configuration", f"event:{licence.seq}")
    if licence.decoded is None:
        return LicenceStatus.INVALID, ("licence-string", f"event:{licence.seq}")
    return None


def _card_ruling(draft: Draft, licence: Licence, day: int) -> _Ruling:
    """What the card, the day and the release decide of a recognised string."""
    decoded = licence.decoded
    if decoded is None or licence.matches is None or not licence.matches[1]:
        return LicenceStatus.INVALID, _since(draft, licence, LicenceStatus.INVALID, "feature-key")
    expiry = decoded.expiry
    if expiry is not None and expiry.toordinal() - EPOCH_ORDINAL < day:
        return LicenceStatus.EXPIRED, _since(draft, licence, LicenceStatus.EXPIRED, f"expiry:{expiry.isoformat()}")
    kind = draft.catalogue.licences[decoded.licence_code]
    if draft.definition.release_profile not in kind.profiles or draft.definition.model not in kind.models:
        head = f"release-profile:{draft.definition.release_profile}"
        return LicenceStatus.OBSOLETE, (head, f"event:{licence.seq}")
    return _CANDIDATE


def _since(draft: Draft, licence: Licence, status: LicenceStatus, head: str) -> Cause:
    """The cause that stands since an earlier event, or this event."""
    if licence.status is status and licence.cause[:1] == (head,):
        return licence.cause
    last = f"event:{draft.key.seq}" if head == "feature-key" else draft.event_ref
    return (head, last)


def _decide(
    draft: Draft, licences: tuple[Licence, ...], rulings: list[_Ruling], settlement: Settlement
) -> tuple[Licence, ...]:
    causes: dict[str, Cause] = {}
    for licence, (status, cause) in zip(licences, rulings, strict=True):
        if status is not None:
            causes.setdefault(licence.type_name, cause)
    decided = []
    for licence, (status, cause) in zip(licences, rulings, strict=True):
        if status is not None:
            decided.append(_with(licence, status, cause))
        elif licence.type_name in settlement.valid:
            decided.append(_with(licence, LicenceStatus.VALID, ()))
        else:
            dormant = _dormant_cause(draft, licence, settlement, causes)
            decided.append(_with(licence, LicenceStatus.DORMANT, dormant))
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


def _with(licence: Licence, status: LicenceStatus, cause: Cause) -> Licence:
    if licence.status is status and licence.cause == cause:
        return licence
    return Licence(
        licence.number,
        licence.text,
        licence.decoded,
        licence.type_name,
        licence.loaded,
        licence.seq,
        status,
        licence.matches,
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


def _features(draft: Draft, licences: tuple[Licence, ...]) -> tuple[Feature, ...]:
    """One pool for each feature that a recognised string names; several strings add up."""
    kinds = draft.catalogue.licences
    pools: dict[str, tuple[str, int, Cause]] = {}
    for licence in licences:
        if licence.decoded is None:
            continue
        kind = kinds[licence.decoded.licence_code]
        name, licensed, cause = pools.get(kind.feature, _NO_POOL)
        if licence.status is LicenceStatus.VALID:
            licensed += 1 if kind.kind is LicenceKind.FEATURE else licence.decoded.instances
        elif not cause:
            cause = (f"licence:{kind.name}", *licence.cause)
        pools[kind.feature] = (name or kind.name, licensed, cause)
    old = {feature.name: feature for feature in draft.old.features}
    return tuple([_feature(feature, *pool, old.get(feature)) for feature, pool in pools.items()])


_NO_POOL: tuple[str, int, Cause] = ("", 0, ())


def _feature(name: str, licence: str, licensed: int, cause: Cause, old: Feature | None) -> Feature:
    cause = () if licensed else cause
    if old is not None and old.licensed == licensed and old.cause == cause and old.licence == licence:
        return old
    return Feature(name, licence, licensed, 0, 0, licensed, cause)


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
