"""What is used of what is licensed: the instance pools with their holders, users and phones."""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.catalogue.types import Consumption, PlaceKind
from ipo_sim.core.draft import UP, Draft
from ipo_sim.core.holdings import Shares, held_of, share_out
from ipo_sim.core.licence_check import Licensing
from ipo_sim.core.life import CONTROLLER_INDEX, CONTROLLER_NAME, life_cause
from ipo_sim.core.model import Cause, Extension, Feature, Holding, Licence, Part, PhoneState, User
from ipo_sim.core.people import endpoint_of
from ipo_sim.core.pools import PRI, Pools, facts_of

PRI_CHANNELS_REDUCED = 34
PRI_CALL_REJECTED = 35
# Half the cost of a named tuple's own constructor, where a cascade makes many.
_new = tuple.__new__
# Strings that an event moves up to which it is cheaper to look for the first of a feature than to index all.
FEW = 2


class Usage(NamedTuple):
    """Pools, holders, users and IP extensions as they are after the event."""

    features: tuple[Feature, ...]
    holdings: tuple[Holding, ...]
    users: tuple[User, ...]
    extensions: tuple[Extension, ...]


def settle_usage(draft: Draft, licensing: Licensing, parts: tuple[Part, ...]) -> Usage:
    """Share the pools out, and say of each user and phone whether it got what it needs."""
    old = draft.old
    steady = (
        (parts is old.parts or _same_cards(parts, old.parts))
        and draft.life is old.life
        and licensing.edition is old.edition
        and draft.holdings is old.holdings
        and draft.users is old.users
        and draft.extensions is old.extensions
        and not draft.claims
    )
    if steady and licensing.ledger is old.ledger:
        return _new(Usage, (old.features, old.holdings, old.users, old.extensions))
    pools = Pools(draft, licensing.ledger, parts)
    shares = share_out(draft, pools.usable)
    _notify_pri(draft, licensing)
    touched = _touched(draft, licensing) if steady and shares.holdings == old.holdings and not shares.refused else None
    features = _features(draft, licensing, pools, shares, touched)
    if not draft.users and not draft.extensions and not shares.granted:
        return _new(Usage, (features, shares.holdings, draft.users, draft.extensions))
    by_name = {feature.name: feature for feature in features}
    return Usage(
        features,
        shares.holdings,
        _users(draft, shares, by_name),
        _extensions(draft, licensing, shares, by_name),
    )


def _same_cards(parts: tuple[Part, ...], old: tuple[Part, ...]) -> bool:
    """Whether all that brings channels is as it was: modules, which come last, bring none."""
    for part, before in zip(parts, old, strict=True):
        if part.place.kind is PlaceKind.EXPANSION:
            return True
        if part is not before:
            return False
    return True


def _notify_pri(draft: Draft, licensing: Licensing) -> None:
    """PRI trunks have events of their own: fewer licensed channels, and a call rejected for want of one."""
    before = draft.old.ledger.licensed.get(PRI, 0) if draft.old.ledger else 0
    now = licensing.ledger.licensed.get(PRI, 0)
    if now < before and draft.up and draft.old.life.state in UP:
        text = f"licensed PRI channels reduced from {before} to {now}"
        draft.notify(PRI_CHANNELS_REDUCED, "features/pri-channels", CONTROLLER_NAME, CONTROLLER_INDEX, text=text)
    if PRI in draft.refused:
        text = "PRI call rejected for want of a licensed channel"
        draft.notify(PRI_CALL_REJECTED, "features/pri-channels", CONTROLLER_NAME, CONTROLLER_INDEX, text=text)


def _touched(draft: Draft, licensing: Licensing) -> set[str] | None:
    """The features of which this event moved strings; None: it changed what all strings are worth, or many."""
    ledger, before = licensing.ledger, draft.old.ledger
    if before is None or ledger.settlement is not before.settlement or len(licensing.moved) > FEW:
        return None
    kinds = draft.catalogue.licences
    moved = (licence for pair in licensing.moved for licence in pair if licence is not None)
    return {kinds[licence.decoded.licence_code].feature for licence in moved if licence.decoded is not None}


def _features(
    draft: Draft, licensing: Licensing, pools: Pools, shares: Shares, touched: set[str] | None
) -> tuple[Feature, ...]:
    """A pool for each feature that a string names, that has free instances, or that somebody holds or wants.

    Where only those in `touched` can have changed, the others stay as they are.
    """
    strings, holdings, refusing = licensing.ledger.strings, shares.holdings, shares.refused
    held, wanting = held_of(holdings), _wanting(holdings)
    names = {*strings, *refusing, *pools.free_features(), *(holding.feature for holding in holdings)}
    old = {feature.name: feature for feature in draft.old.features}
    causes = _Causes(licensing)
    features = []
    for name in sorted(names):
        before = old.get(name)
        if touched is not None and before is not None and name not in touched:
            features.append(before)
            continue
        pool, used = pools.of(name), held.get(name, 0)
        licensed, free, usable = pool
        refused, idle = name in refusing, wanting.get(name, 0)
        numbers = (licensed, free, usable, used, usable - used if usable > used else 0, refused, idle)
        if before is not None and before[2:9] == numbers and not before[9] and (licensed or name not in strings):
            features.append(before)  # in order before and with the same numbers now
            continue
        facts = facts_of(draft.catalogue, draft.definition.model, draft.definition.release_profile, name)
        cause: Cause = ()
        if not licensed and name in strings:
            cause = causes.of(facts.feeding, before)
        elif refused or idle:
            cause = before.cause if before and before.cause else (f"licence:{facts.licence}", draft.event_ref)
        feature = _new(Feature, (name, facts.licence, *numbers, cause))
        features.append(before if before == feature else feature)
    settled = tuple(features)
    return draft.old.features if settled == draft.old.features else settled


class _Causes:
    """Why a feature with strings has no Valid one: what the first of them says.

    A pool that this event has not touched keeps its cause, so that thousands of strings are not gone through for one.
    """

    def __init__(self, licensing: Licensing) -> None:
        self._touched = {licence[3] for pair in licensing.moved for licence in pair if licence is not None}
        # The first string of each licence, as far as the strings have been looked through.
        self._first: dict[str, Licence] = {}
        self._rest = iter(licensing.licences)

    def of(self, feeding: frozenset[str], before: Feature | None) -> Cause:
        """The chain from the licence that is wanting to the event."""
        if before is not None and before.cause and self._touched.isdisjoint(feeding):
            return before.cause
        return _blocked(self._first_of(feeding))

    def _first_of(self, feeding: frozenset[str]) -> Licence:
        known = [self._first[name] for name in feeding if name in self._first]
        while not known:
            licence = next(self._rest)
            self._first.setdefault(licence[3], licence)
            if licence[3] in feeding:
                known.append(licence)
        return min(known)


def _blocked(licence: Licence) -> Cause:
    return (f"licence:{licence.type_name}", *licence.cause)


def _wanting(holdings: tuple[Holding, ...]) -> dict[str, int]:
    wanting: dict[str, int] = {}
    for held in holdings:
        if not held.active and held.consumption is Consumption.CONFIGURED:
            wanting[held.feature] = wanting.get(held.feature, 0) + held.instances
    return wanting


def _users(draft: Draft, shares: Shares, features: dict[str, Feature]) -> tuple[User, ...]:
    users = {user.name: user for user in draft.users}
    for claim in shares.granted:
        if claim.user is not None:
            users[claim.user.name] = claim.user
    if not users:
        return draft.users
    idle = {held.holder: held for held in reversed(shares.holdings) if not held.active}
    settled = tuple(_user(draft, user, idle.get(f"user:{user.name}"), features) for user in users.values())
    return draft.old.users if settled == draft.old.users else settled


def _user(draft: Draft, user: User, idle: Holding | None, features: dict[str, Feature]) -> User:
    if not draft.up:
        return user._replace(active=False, cause=(f"unit:{draft.life.state}", *life_cause(draft)))
    if idle is None:
        return user._replace(active=True, cause=())
    return user._replace(active=False, cause=_chain(idle, features))


def _extensions(
    draft: Draft, licensing: Licensing, shares: Shares, features: dict[str, Feature]
) -> tuple[Extension, ...]:
    extensions = {extension.number: extension for extension in draft.extensions}
    for claim in shares.granted:
        if claim.extension is not None:
            extensions[claim.extension.number] = claim.extension
    if not extensions:
        return draft.extensions
    held = {(holding.holder, holding.feature): holding for holding in shares.holdings}
    settled = tuple(
        _extension(
            draft,
            licensing,
            extension,
            held.get((f"extension:{extension.number}", endpoint_of(extension.kind))),
            features,
        )
        for extension in extensions.values()
    )
    return draft.old.extensions if settled == draft.old.extensions else settled


def _extension(
    draft: Draft, licensing: Licensing, extension: Extension, holding: Holding | None, features: dict[str, Feature]
) -> Extension:
    if extension.registered is None:
        return extension._replace(state=PhoneState.UNREGISTERED, cause=())
    if life := life_cause(draft):
        return extension._replace(state=PhoneState.UNLICENSED, cause=life)
    if licensing.edition.phones_cause:
        return extension._replace(state=PhoneState.UNLICENSED, cause=licensing.edition.phones_cause)
    if holding is None or holding.active:
        return extension._replace(state=PhoneState.LICENSED, cause=())
    return extension._replace(state=PhoneState.UNLICENSED, cause=_chain(holding, features))


def _chain(holding: Holding, features: dict[str, Feature]) -> Cause:
    """Down the licence that is wanting; when strings for it are Valid but all taken, to the claim that found none."""
    feature = features[holding.feature]
    return feature.cause or (f"licence:{feature.licence}", f"event:{holding.seq}")
