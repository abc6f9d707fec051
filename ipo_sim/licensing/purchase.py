"""Which licences to buy, so that what is wanted is licensed: prerequisites included, all ways compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations, product
from typing import NamedTuple

from ipo_sim.catalogue.types import EditionRule, LicenceType
from ipo_sim.licensing.packs import Cost, Pack, cheapest_packs, cost_of
from ipo_sim.licensing.status import settle

Names = frozenset[str]
# Of each set of names one must be Valid.
OneOf = tuple[tuple[str, ...], ...]


class Terms(NamedTuple):
    """What is wanted under one edition: `one_of`, and licensed instances by feature.

    `shortfall` counts what no licence gives in this edition: one that gives more is better whatever it costs.
    """

    edition: EditionRule
    one_of: OneOf
    demands: Mapping[str, int]
    shortfall: int = 0


class Market(NamedTuple):
    """What can be had: licences by name that release and model use, those of them that are sold, and editions.

    `held` are instances by licence name of strings that match the card, are in date and in use.
    """

    licences: Mapping[str, LicenceType]
    sold: Names
    held: Mapping[str, int]
    rules: Sequence[EditionRule]


class Purchase(NamedTuple):
    """What to buy, under which terms, and which licences must be Valid then."""

    terms: Terms
    packs: tuple[Pack, ...]
    names: Names


def cheapest_purchase(market: Market, choices: Iterable[Terms]) -> Purchase | None:
    """The cheapest of all ways; None: there is none.

    What is held already shall hold as well, so that no key that was paid for stays Dormant; unless nothing can help it.
    """
    market = market._replace(held=_helpable(market))
    ways = (_bought(market, terms, names) for terms in choices for names in _ways(market, terms))
    return min((way for way in ways if way is not None), key=_order, default=None)


def _order(purchase: Purchase) -> tuple[int, Cost, list[tuple[int, int]]]:
    """The last member only makes the choice among equals the same each time."""
    codes = sorted((pack.licence.code, pack.instances) for pack in purchase.packs)
    return purchase.terms.shortfall, cost_of(purchase.packs), codes


def _helpable(market: Market) -> Mapping[str, int]:
    """Without what is Dormant in every edition, whatever is bought."""
    return {
        name: number
        for name, number in market.held.items()
        if any(next(_closed(market, rule, frozenset(), ((name,),)), None) is not None for rule in market.rules)
    }


def _ways(market: Market, terms: Terms) -> set[Names]:
    """Sets of licences that together meet the terms, each with its prerequisites."""
    feeding = [_feeding(market, feature) for feature, number in terms.demands.items() if number]
    held = tuple((name,) for name in market.held)
    ways: set[Names] = set()
    for chosen in product(*map(_subsets, feeding)):
        first = tuple((name,) for name in chain.from_iterable(chosen))
        ways.update(_closed(market, terms.edition, frozenset(), (*first, *held, *terms.one_of)))
    return ways


def _feeding(market: Market, feature: str) -> list[str]:
    return [name for name, kind in market.licences.items() if kind.feature == feature]


def _subsets(names: list[str]) -> list[tuple[str, ...]]:
    """All of them but the empty one."""
    return [chosen for size in range(1, len(names) + 1) for chosen in combinations(names, size)]


def _closed(market: Market, edition: EditionRule, chosen: Names, pending: OneOf) -> Iterator[Names]:
    """Every way to meet the `pending` sets and the prerequisites of what meets them."""
    for index, alternatives in enumerate(pending):
        if not chosen.isdisjoint(alternatives):
            continue
        for name in alternatives:
            kind = market.licences.get(name)
            obtainable = kind is not None and (name in market.sold or name in market.held)
            if kind is not None and obtainable and name not in edition.dormant_licences:
                yield from _closed(market, edition, chosen | {name}, pending[index + 1 :] + kind.prerequisites)
        return
    yield chosen


def _bought(market: Market, terms: Terms, names: Names) -> Purchase | None:
    """The packs that make the names Valid and meet the demands; None when these names do not do it."""
    settlement = settle([market.licences[name] for name in names], market.rules)
    if settlement.valid != names or settlement.edition is not terms.edition:
        return None
    packs: list[Pack] = []
    for feature in sorted({market.licences[name].feature for name in names}):
        mine = [market.licences[name] for name in sorted(names) if market.licences[name].feature == feature]
        missing = terms.demands.get(feature, 0) - sum(market.held.get(kind.name, 0) for kind in mine)
        offered = [kind for kind in mine if kind.name in market.sold]
        bought = cheapest_packs(offered, [kind for kind in mine if kind.name not in market.held], missing)
        if bought is None:
            return None
        packs += bought
    if any(number and not _licensed(market, feature, names) for feature, number in terms.demands.items()):
        return None
    return Purchase(terms, tuple(packs), names)


def _licensed(market: Market, feature: str, names: Names) -> bool:
    return any(market.licences[name].feature == feature for name in names)
