"""What the licence strings are worth now: statuses with their causes, the edition, the next expiry."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from ipo_sim.core.draft import DAY_NS, MINUTE_NS, UP, Draft, Moved
from ipo_sim.core.model import Cause, Edition, Licence, Nanoseconds
from ipo_sim.licensing.key import verify
from ipo_sim.licensing.ledger import Ledger, empty_ledger
from ipo_sim.licensing.status import LicenceStatus, Settlement, modules_allowed, settle

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_IN_DATE = frozenset({LicenceStatus.VALID, LicenceStatus.DORMANT, LicenceStatus.OBSOLETE})
_number = attrgetter("number")
# Half the cost of a named tuple's own constructor, where a cascade makes dozens.
_new = tuple.__new__


class Licensing(NamedTuple):
    """Everything that follows from the strings, the key and the day; `moved` are the strings before and after."""

    licences: tuple[Licence, ...]
    ledger: Ledger
    edition: Edition
    moved: tuple[Moved, ...]


# A status before Dormant is decided (None: a candidate for Valid), and its cause.
_Ruling = tuple[LicenceStatus | None, Cause]
_CANDIDATE: _Ruling = (None, ())


def check_licences(draft: Draft) -> Licensing:
    """Evaluate in the stated order: Unknown, Invalid, Expired, Obsolete, Dormant, Valid (licensing.md 2)."""
    old = draft.old
    if old.ledger is None or _situation_changed(draft):
        return _check_all(draft)
    if draft.licences is old.licences:
        return Licensing(old.licences, old.ledger, old.edition, ())
    return _check_entered(draft, old.ledger) or _check_all(draft)


def _situation_changed(draft: Draft) -> bool:
    """Whether something that all strings depend on is not what it was."""
    old, key = draft.old, draft.key
    if draft.up != (old.life.state in UP):
        return True
    if not draft.up:
        return draft.life is not old.life
    if key.validated_serial != old.key.validated_serial:
        return True
    if key.validated_serial is None and key.cause != old.key.cause:
        return True
    return draft.clock_offset_ns != old.clock_offset_ns or (old.expiry_at is not None and draft.at >= old.expiry_at)


def _check_all(draft: Draft) -> Licensing:
    checked = _check_serial(draft)
    rulings = _rulings(draft, checked)
    candidates = [
        draft.catalogue.licences[licence.decoded.licence_code]
        for licence, ruling in zip(checked, rulings, strict=True)
        if ruling is _CANDIDATE and licence.decoded is not None
    ]
    settlement = settle(candidates, draft.catalogue.editions[draft.edition_profile])
    licences = _decide(draft, checked, rulings, settlement)
    ledger = empty_ledger(settlement, _expiry_day(draft, licences))
    for licence in licences:
        _count(draft, ledger, licence, 1)
    return Licensing(licences, ledger, _edition(draft, licences, settlement), _moved(draft.old.licences, licences))


def _moved(old: tuple[Licence, ...], new: tuple[Licence, ...]) -> tuple[Moved, ...]:
    if len(old) == len(new) and (not new or new[-1].number == old[-1].number):
        return tuple([pair for pair in zip(old, new, strict=True) if pair[0] is not pair[1]])
    before = {licence.number: licence for licence in old}
    pairs: list[Moved] = [(before.pop(licence.number, None), licence) for licence in new]
    pairs.extend((licence, None) for licence in before.values())
    return tuple([pair for pair in pairs if pair[0] is not pair[1]])


def _check_entered(draft: Draft, old: Ledger) -> Licensing | None:
    """Check only the strings that this event entered, deleted or loaded; None: they change what others are worth."""
    ledger = old.copy()
    settlement = old.settlement
    wanted = {*settlement.edition.modules_any_of, *settlement.missing.values(), *_edition_names(draft)}
    licences, moved = draft.licences, []
    for before, after in draft.entered:
        if before is not None:
            _count(draft, ledger, before, -1)
        if after is not None:
            decided = _check_one(draft, after, settlement)
            if decided is None:
                return None
            licences = _put(licences, decided)
            after = decided  # noqa: PLW2901 - the string as it is worth now
            _count(draft, ledger, after, 1)
        if wanted & {licence.type_name for licence in (before, after) if licence is not None}:
            return None
        moved.append((before, after))
    if ledger.candidates.keys() != old.candidates.keys():
        return None
    day = ledger.expiry_day
    if any(_counting_expiry(before) == day for before, _ in moved if before is not None):
        ledger = ledger._replace(expiry_day=_expiry_day(draft, licences))
    else:
        ledger = ledger._replace(expiry_day=_earliest(day, *(_counting_expiry(after) for _, after in moved if after)))
    return Licensing(licences, ledger, draft.old.edition, tuple(moved))


def _edition_names(draft: Draft) -> Iterable[str]:
    return (name for rule in draft.catalogue.editions[draft.edition_profile] for name in rule.any_of)


def _check_one(draft: Draft, licence: Licence, settlement: Settlement) -> Licence | None:
    """The string with its status, unless it is Dormant: then the chain of its cause needs a look at all."""
    (checked,) = _check_serial(draft, (licence,))
    ((status, cause),) = _rulings(draft, (checked,))
    if status is not None:
        return _with(checked, status, cause)
    return _with(checked, LicenceStatus.VALID, ()) if checked.type_name in settlement.valid else None


def _count(draft: Draft, ledger: Ledger, licence: Licence, times: int) -> None:
    if licence.decoded is not None:
        ledger.enter(draft.catalogue.licences[licence.decoded.licence_code], licence.decoded, licence.status, times)


def _put(licences: tuple[Licence, ...], licence: Licence) -> tuple[Licence, ...]:
    """In place of the string of the same number; numbers ascend."""
    index = bisect_left(licences, licence.number, key=_number)
    return (*licences[:index], licence, *licences[index + 1 :])


def _check_serial(draft: Draft, licences: tuple[Licence, ...] | None = None) -> tuple[Licence, ...]:
    """Strings checked against the serial that counts now; a check is remembered, so each is made once a card."""
    licences = draft.licences if licences is None else licences
    serial = draft.key.validated_serial
    if serial is None:
        return licences
    secret = draft.definition.secret
    return tuple(
        [
            licence
            if licence.decoded is None or (licence.matches and licence.matches[0] == serial)
            else licence._replace(matches=(serial, verify(licence.decoded, serial, secret)))
            for licence in licences
        ]
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
    entry = (licence.number, licence.text, licence.decoded, licence.type_name, licence.loaded, licence.seq)
    return _new(Licence, (*entry, status, licence.matches, cause))


def _edition(draft: Draft, licences: Iterable[Licence], settlement: Settlement) -> Edition:
    rule = settlement.edition
    allowed = modules_allowed(rule, settlement.valid, extended=False)
    extended = modules_allowed(rule, settlement.valid, extended=True)
    old = draft.old.edition
    modules: Cause = ()
    phones: Cause = ()
    if not allowed and draft.up:
        modules = _wanting(draft, licences, rule.modules_any_of, old.module_cause)
    if not rule.phones_licensed and draft.up:
        higher = draft.catalogue.editions[draft.edition_profile]
        names = tuple(name for other in reversed(higher) if other.phones_licensed for name in other.any_of)
        phones = _wanting(draft, licences, names, old.phones_cause)
    edition = Edition(rule.edition, allowed, extended, modules, rule.max_users, phones)
    return old if edition == old else edition


def _wanting(draft: Draft, licences: Iterable[Licence], names: tuple[str, ...], old: Cause) -> Cause:
    """Why none of these licences is Valid: down the first string that would be one, or since none is there."""
    for licence in licences:
        if licence.type_name in names:
            return (f"licence:{licence.type_name}", *licence.cause)
    head = f"licence:{names[0]}" if names else f"release-profile:{draft.definition.release_profile}"
    return _held_since(draft, old, (head,))


def _expiry_day(draft: Draft, licences: Iterable[Licence]) -> int | None:
    """The first day, from 1970-01-01, at whose end a string that counts is over."""
    return _earliest(*map(_counting_expiry, licences)) if draft.up else None


def _counting_expiry(licence: Licence) -> int | None:
    if licence.decoded is None or licence.decoded.expiry is None or licence.status not in _IN_DATE:
        return None
    return licence.decoded.expiry.toordinal() - EPOCH_ORDINAL


def _earliest(*days: int | None) -> int | None:
    return min((day for day in days if day is not None), default=None)


def expiry_at(draft: Draft, day: int | None) -> Nanoseconds | None:
    """The end of that day in unit local time, as simulation time."""
    if day is None:
        return None
    local = (day + 1) * DAY_NS - draft.definition.utc_offset_minutes * MINUTE_NS
    return Nanoseconds(local - draft.clock_offset_ns)
