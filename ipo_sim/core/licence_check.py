"""What the licence strings are worth now: statuses with their causes, the edition, the next expiry."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.draft import DAY_NS, MINUTE_NS, UP, Draft, Moved
from ipo_sim.core.licence_ruling import EPOCH_ORDINAL, Judge, Match, Ruling
from ipo_sim.core.model import Cause, Edition, Licence, Nanoseconds
from ipo_sim.licensing.ledger import CANDIDATES, Ledger, empty_ledger, instances
from ipo_sim.licensing.of_model import licences_of
from ipo_sim.licensing.status import LicenceStatus, Settlement, modules_allowed, settle

_IN_DATE = frozenset({LicenceStatus.VALID, LicenceStatus.DORMANT, LicenceStatus.OBSOLETE})
_number = itemgetter(0)
# Strings of an event up to which nothing is gained by a look at all of them first.
FEW = 8
# Half the cost of a named tuple's own constructor, where a cascade makes dozens.
_new = tuple.__new__


class Licensing(NamedTuple):
    """Everything that follows from the strings, the key and the day; `moved` are the strings before and after."""

    licences: tuple[Licence, ...]
    ledger: Ledger
    edition: Edition
    moved: tuple[Moved, ...]


def check_licences(draft: Draft) -> Licensing:
    """Evaluate in the stated order: Unknown, Invalid, Expired, Obsolete, Dormant, Valid (licensing.md 2)."""
    old = draft.old
    if old.ledger is None or _situation_changed(draft):
        return _check_all(draft)
    if draft.licences is old.licences and not draft.loads:
        return tuple.__new__(Licensing, (old.licences, old.ledger, old.edition, ()))  # the everyday case is to be quick
    return (_check_entered(draft, old.ledger) if draft.entered else None) or _check_all(draft)


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
    judge = Judge(draft)
    rulings = [judge.rule(licence) for licence in draft.licences]
    codes = {
        licence.decoded.licence_code: None
        for licence, ruling in zip(draft.licences, rulings, strict=True)
        if ruling[0] is None and licence.decoded is not None
    }
    settlement = _settlement(draft.catalogue, draft.definition.model, draft.edition_profile, tuple(codes))
    licences = _decide(draft, rulings, settlement)
    moved = _moved(draft.old.licences, licences)
    edition = _edition(draft, licences, settlement)
    day = _expiry_day(draft, licences)
    ledger = draft.old.ledger
    if moved or ledger is None or ledger.settlement is not settlement or ledger.expiry_day != day:
        ledger = empty_ledger(settlement, day)
        _count(draft, ledger, licences, 1)
    return Licensing(licences, ledger, edition, moved)


@lru_cache(maxsize=256)
def _settlement(catalogue: Catalogue, model: str, edition_profile: str, codes: tuple[int, ...]) -> Settlement:
    """What candidates of these kinds settle to: the same few sets come and go with the card."""
    kinds = licences_of(catalogue, model)
    return settle([kinds[code] for code in codes], catalogue.editions[edition_profile])


def _moved(old: tuple[Licence, ...], new: tuple[Licence, ...]) -> tuple[Moved, ...]:
    if len(old) == len(new) and (not new or new[-1].number == old[-1].number):
        return tuple([pair for pair in zip(old, new, strict=True) if pair[0] is not pair[1]])
    before = {licence.number: licence for licence in old}
    pairs: list[Moved] = [(before.pop(licence.number, None), licence) for licence in new]
    pairs.extend((licence, None) for licence in before.values())
    return tuple([pair for pair in pairs if pair[0] is not pair[1]])


def _check_entered(draft: Draft, old: Ledger) -> Licensing | None:
    """Check only the strings that this event entered, deleted or loaded; None: they change what others are worth."""
    before, after = draft.entered[0]
    if before is None and after is not None and draft.up:
        return _check_fresh(draft, old)
    settlement = old.settlement
    if _touches_others(draft, settlement):
        return None
    ledger, judge = old.copy(), Judge(draft)
    moved: list[Moved] = []
    for was, entered in draft.entered:
        decided = None
        if entered is not None:
            status, cause, matches = judge.rule(entered)
            if status is None:
                if entered.type_name not in settlement.valid:
                    return None
                status = LicenceStatus.VALID
            decided = _with(entered, status, cause, matches, loads=draft.loads)
        moved.append((was, decided))
    _count(draft, ledger, [was for was, _ in moved if was is not None], -1)
    _count(draft, ledger, [now for _, now in moved if now is not None], 1)
    if ledger.candidates.keys() != old.candidates.keys():
        return None
    licences = _put(draft.licences, [now for _, now in moved if now is not None])
    ledger = _with_expiry(draft, ledger, licences, moved)
    return Licensing(licences, ledger, draft.old.edition, tuple(moved))


def _check_fresh(draft: Draft, old: Ledger) -> Licensing | None:
    """What is just entered waits for the configuration; it matters to others as the first of its kind only."""
    new = draft.licences[-len(draft.entered) :]
    names = _wanted(draft, old.settlement) & {licence[3] for licence in new}
    if names and not _are_there(names, draft.old.licences):
        return None
    ledger = old.copy()
    _count(draft, ledger, new, 1)
    return Licensing(draft.licences, ledger, draft.old.edition, tuple(draft.entered))


def _are_there(names: set[str], licences: Iterable[Licence]) -> bool:
    """Whether each of these licences has a string; of many strings the first ones are likely to tell."""
    missing = set(names)
    for licence in licences:
        missing.discard(licence[3])
        if not missing:
            return True
    return False


def _touches_others(draft: Draft, settlement: Settlement) -> bool:
    """Whether a string of this event may decide of others, or be named as why they do not hold."""
    wanted = _wanted(draft, settlement)
    # What may be a kind's first that counts is found out here before any key of a long list is verified.
    many = len(draft.entered) > FEW
    for before, after in draft.entered:
        licence = after or before
        if licence is not None:
            name = licence[3]
            if name in wanted or (many and licence[2] is not None and name not in settlement.valid):
                return True
    return False


def _wanted(draft: Draft, settlement: Settlement) -> set[str]:
    """Licences that others depend on, or that are named where they are missing."""
    rules = draft.catalogue.editions[draft.edition_profile]
    names = {name for rule in rules for name in rule.any_of}
    return names.union(settlement.edition.modules_any_of, settlement.missing.values())


def _with_expiry(draft: Draft, ledger: Ledger, licences: tuple[Licence, ...], moved: list[Moved]) -> Ledger:
    day = ledger.expiry_day
    if day is not None and any(_counting_expiry(before) == day for before, _ in moved if before is not None):
        return ledger._replace(expiry_day=_expiry_day(draft, licences))
    return ledger._replace(expiry_day=_earliest(day, *(_counting_expiry(after) for _, after in moved if after)))


def _count(draft: Draft, ledger: Ledger, licences: Iterable[Licence], times: int) -> None:
    """Enter strings into the ledger, or with `times` -1 take them out."""
    kinds = draft.catalogue.licences
    _, candidates, strings, licensed, _ = ledger
    for licence in licences:
        key, status = licence[2], licence[6]
        if key is None:
            continue
        kind = kinds[key[1]]
        feature = kind.feature
        strings[feature] = strings.get(feature, 0) + times
        if status in CANDIDATES:
            candidates[kind.name] = candidates.get(kind.name, 0) + times
            if status is LicenceStatus.VALID:
                licensed[feature] = licensed.get(feature, 0) + times * instances(kind, key)
    if times < 0:
        ledger.drop_zeros()


def _put(licences: tuple[Licence, ...], decided: list[Licence]) -> tuple[Licence, ...]:
    """In place of the strings of the same numbers; numbers ascend."""
    if not decided:
        return licences
    first = bisect_left(licences, decided[0].number, key=_number)
    end = first + len(decided)
    assert licences[end - 1].number == decided[-1].number, "what an event enters or loads stands together"
    return (*licences[:first], *decided, *licences[end:])


def _decide(draft: Draft, rulings: list[Ruling], settlement: Settlement) -> tuple[Licence, ...]:
    valid, loads = settlement.valid, draft.loads
    causes: dict[str, Cause] | None = None
    decided = []
    for licence, (ruled, cause, matches) in zip(draft.licences, rulings, strict=True):
        status = ruled
        if status is None:
            status = LicenceStatus.VALID
            if licence[3] not in valid:
                status = LicenceStatus.DORMANT
                causes = _first_causes(draft, rulings) if causes is None else causes
                cause = _dormant_cause(draft, licence, settlement, causes)  # noqa: PLW2901 - a candidate has none yet
        # Not by `_with`: there can be 100,000.
        number, text, key, name, loaded, seq, was, matched, old_cause = licence
        if was is status and matched == matches and old_cause == cause and (loaded or not loads):
            decided.append(licence)
        else:
            decided.append(_new(Licence, (number, text, key, name, loaded or loads, seq, status, matches, cause)))
    return tuple(decided)


def _first_causes(draft: Draft, rulings: list[Ruling]) -> dict[str, Cause]:
    """Why the first string of each licence that is ruled out does not hold."""
    causes: dict[str, Cause] = {}
    for licence, ruling in zip(draft.licences, rulings, strict=True):
        if ruling[0] is not None:
            causes.setdefault(licence.type_name, ruling[1])
    return causes


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


def _with(licence: Licence, status: LicenceStatus, cause: Cause, matches: Match | None, *, loads: bool) -> Licence:
    number, text, key, name, loaded, seq, was, matched, old_cause = licence
    if was is status and matched == matches and old_cause == cause and (loaded or not loads):
        return licence
    return _new(Licence, (number, text, key, name, loaded or loads, seq, status, matches, cause))


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
    if not draft.up:
        return None
    ending = [licence for licence in licences if licence[2] is not None and licence[2][3] is not None]
    return _earliest(*map(_counting_expiry, ending))


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
