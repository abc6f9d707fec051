"""What is used of what is licensed: the instance pools with their holders, users and phones."""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.catalogue.types import Consumption
from ipo_sim.core.draft import UP, Draft
from ipo_sim.core.holdings import Shares, held_of, share_out
from ipo_sim.core.licence_check import Licensing
from ipo_sim.core.life import CONTROLLER_INDEX, CONTROLLER_NAME, life_cause
from ipo_sim.core.model import Cause, Extension, Feature, Holding, Licence, Part, PhoneState, User
from ipo_sim.core.people import endpoint_of
from ipo_sim.core.pools import PRI, Pools, licence_name
from ipo_sim.licensing.status import LicenceStatus

PRI_CHANNELS_REDUCED = 34
PRI_CALL_REJECTED = 35


class Usage(NamedTuple):
    """Pools, holders, users and IP extensions as they are after the event."""

    features: tuple[Feature, ...]
    holdings: tuple[Holding, ...]
    users: tuple[User, ...]
    extensions: tuple[Extension, ...]


def settle_usage(draft: Draft, licensing: Licensing, parts: tuple[Part, ...]) -> Usage:
    """Share the pools out, and say of each user and phone whether it got what it needs."""
    old = draft.old
    if (
        licensing.ledger is old.ledger
        and parts is old.parts
        and draft.life is old.life
        and licensing.edition is old.edition
        and draft.holdings is old.holdings
        and draft.users is old.users
        and draft.extensions is old.extensions
        and not draft.claims
    ):
        return Usage(old.features, old.holdings, old.users, old.extensions)
    pools = Pools(draft, licensing.ledger, parts)
    shares = share_out(draft, pools.usable)
    _notify_pri(draft, licensing)
    features = _features(draft, licensing, pools, shares)
    by_name = {feature.name: feature for feature in features}
    return Usage(
        features,
        shares.holdings,
        _users(draft, shares, by_name),
        _extensions(draft, licensing, shares, by_name),
    )


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


def _features(draft: Draft, licensing: Licensing, pools: Pools, shares: Shares) -> tuple[Feature, ...]:
    """A pool for each feature that a string names, that has free instances, or that somebody holds or wants."""
    catalogue = draft.catalogue
    held = held_of(shares.holdings)
    wanting = _wanting(shares.holdings)
    names = dict.fromkeys((*licensing.ledger.strings, *held, *wanting, *shares.refused))
    names.update(dict.fromkeys(name for name, rule in catalogue.pools.items() if rule.free and pools.of(name).free))
    old = {feature.name: feature for feature in draft.old.features}
    touched = {licence.type_name for pair in licensing.moved for licence in pair if licence is not None}
    features = []
    for name in sorted(names):
        pool = pools.of(name)
        before = old.get(name)
        licence = licence_name(catalogue, draft.definition.release_profile, name)
        refused = name in shares.refused
        used = held.get(name, 0)
        stays = before is not None and touched.isdisjoint(_feeding(draft, name))
        cause: Cause = ()
        if not pool.licensed and name in licensing.ledger.strings:
            cause = before.cause if stays and before is not None and before.cause else _blocked(draft, licensing, name)
        elif refused or wanting.get(name):
            cause = before.cause if before is not None and before.cause else (f"licence:{licence}", draft.event_ref)
        feature = Feature(
            name,
            licence,
            pool.licensed,
            pool.free,
            pool.usable,
            used,
            max(0, pool.usable - used),
            refused,
            wanting.get(name, 0),
            cause,
        )
        features.append(before if before == feature and before is not None else feature)
    settled = tuple(features)
    return draft.old.features if settled == draft.old.features else settled


def _feeding(draft: Draft, feature: str) -> frozenset[str]:
    return frozenset(kind.name for kind in draft.catalogue.licences_by_feature[feature])


def _blocked(draft: Draft, licensing: Licensing, feature: str) -> Cause:
    """Why the first string that feeds the pool is not Valid."""
    for licence in licensing.licences:
        if licence.status is not LicenceStatus.VALID and _feature_of(draft, licence) == feature:
            return (f"licence:{licence.type_name}", *licence.cause)
    return ()


def _feature_of(draft: Draft, licence: Licence) -> str | None:
    return draft.catalogue.licences[licence.decoded.licence_code].feature if licence.decoded else None


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
