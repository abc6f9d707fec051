"""Who holds instances of a feature: granting, refusing, taking away when they shrink, giving back when they return."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ipo_sim.catalogue.types import Consumption
from ipo_sim.core.draft import Claim, Draft
from ipo_sim.core.model import Holding, Lifecycle

Usable = Callable[[str], int]


class Shares(NamedTuple):
    """All holdings; the claims that were granted; features of which a use was refused and none has been free since."""

    holdings: tuple[Holding, ...]
    granted: tuple[Claim, ...]
    refused: frozenset[str]


_NOBODY = Shares((), (), frozenset())


def share_out(draft: Draft, usable: Usable) -> Shares:
    """Settle all claims against the pools: what is in use stays, what is configured or registered yields.

    A use ends with telephony. Of what yields, the latest goes first; what is freed goes to `first` ones, then by age.
    """
    holdings = draft.holdings
    refused = {feature.name for feature in draft.old.features if feature.refused}
    if not holdings and not draft.claims and not refused:
        return _NOBODY
    if draft.life.state is not Lifecycle.RUNNING:
        holdings = tuple(held for held in holdings if held.consumption is not Consumption.IN_USE)
    holdings = _fit(holdings, usable)
    granted = []
    for claim in draft.claims:
        rest = tuple(held for held in holdings if held not in claim.gives)
        short = [held.feature for held in claim.takes if not _fits(rest, held, usable)]
        if short:
            draft.refused.update(short)
        else:
            holdings = _fit((*rest, *claim.takes), usable)
            granted.append(claim)
            draft.refused.update(
                held.feature for held in holdings if held.seq == draft.seq and not held.active and draft.up
            )
    refused |= draft.refused
    totals = _totals(holdings)
    still = frozenset(name for name in refused if usable(name) <= totals.get(name, 0))
    return Shares(holdings, tuple(granted), still)


def held_of(holdings: Iterable[Holding]) -> dict[str, int]:
    """Instances that are really held, by feature."""
    return _totals(holdings)


def _fits(holdings: tuple[Holding, ...], claim: Holding, usable: Usable) -> bool:
    held = _totals(other for other in holdings if other.feature == claim.feature)
    return not claim.active or held.get(claim.feature, 0) + claim.instances <= usable(claim.feature)


def _totals(holdings: Iterable[Holding]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for held in holdings:
        if held.active:
            totals[held.feature] = totals.get(held.feature, 0) + held.instances
    return totals


def _fit(holdings: tuple[Holding, ...], usable: Usable) -> tuple[Holding, ...]:
    """Every claim active that its pool bears; the same tuple when nothing changes."""
    totals = _totals(holdings)
    waiting = {held.feature for held in holdings if not held.active}
    unfit = [name for name in {*totals, *waiting} if name in waiting or totals[name] > usable(name)]
    if not unfit:
        return holdings
    settled = list(holdings)
    for feature in sorted(unfit):
        mine = [index for index, held in enumerate(settled) if held.feature == feature]
        free = usable(feature) - totals.get(feature, 0)
        free = _yield(settled, mine, free)
        _serve(settled, mine, free)
    fitted = tuple(settled)
    return holdings if fitted == holdings else fitted


def _yield(holdings: list[Holding], mine: list[int], free: int) -> int:
    """While more is held than there is, the latest claim that yields goes; returns what is free then."""
    for index in sorted(mine, key=lambda index: (-holdings[index].seq, -index)):
        if free >= 0:
            break
        held = holdings[index]
        if held.active and held.consumption is not Consumption.IN_USE:
            holdings[index] = held._replace(active=False)
            free += held.instances
    return free


def _serve(holdings: list[Holding], mine: list[int], free: int) -> None:
    """Give what is free to those that wait, in their order."""
    for index in sorted(mine, key=lambda index: (not holdings[index].first, holdings[index].seq, index)):
        held = holdings[index]
        if not held.active and held.instances <= free:
            holdings[index] = held._replace(active=True)
            free -= held.instances
