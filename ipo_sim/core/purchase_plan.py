"""The licences that a unit needs to run fully, what it has of them, and what to buy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ipo_sim.catalogue.types import LicenceType
from ipo_sim.core.model import Unit
from ipo_sim.core.needs import (
    Channels,
    Equipment,
    Wish,
    edition_shortfall,
    equipment_of,
    rules_of,
    terms_of,
    wishes_of,
    within,
)
from ipo_sim.core.pools import licence_name, supply_of
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.ledger import CANDIDATES, instances
from ipo_sim.licensing.of_model import licences_of
from ipo_sim.licensing.packs import Pack
from ipo_sim.licensing.purchase import Market, Purchase, Terms, cheapest_purchase


class PlanRow(NamedTuple):
    """One feature: of `wanted` instances `free` need no licence; `has` is what keys give that match and are in date."""

    feature: str
    licence: str
    why: tuple[str, ...]
    wanted: int
    free: int
    needed: int
    has: int
    missing: int
    buy: tuple[Pack, ...]


class Plan(NamedTuple):
    """`edition` is what the unit will be; `beyond` tells what no licence can give it."""

    edition: str
    rows: tuple[PlanRow, ...]
    beyond: tuple[str, ...]

    @property
    def packs(self) -> tuple[Pack, ...]:
        """All that is to be bought."""
        return tuple(pack for row in self.rows for pack in row.buy)

    @property
    def complete(self) -> bool:
        """Whether the unit runs fully as it is."""
        return not self.packs and not self.beyond


def plan_purchase(unit: Unit, channels: Channels) -> Plan:
    """The plan for a unit that is up, its card in the reader; CommandRejected when no licences can do it."""
    if unit.key.validated_serial is None:
        raise CommandRejected("no-card", f"{unit.definition.name} has no card that its keys could be checked against")
    market, wishes = _market(unit), wishes_of(unit, channels)
    purchase = cheapest_purchase(market, terms_of(unit, wishes))
    if purchase is None:
        raise CommandRejected("no-way", f"no licences make {unit.definition.name} run as it is configured")
    return Plan(
        purchase.terms.edition.edition,
        tuple(_rows(unit, market, purchase, wishes)),
        tuple(_beyond(unit, purchase.terms, wishes)),
    )


def _market(unit: Unit) -> Market:
    definition = unit.definition
    used = {
        kind.name: kind
        for kind in licences_of(unit.catalogue, definition.model).values()
        if definition.release_profile in kind.profiles and definition.model in kind.models
    }
    held: dict[str, int] = {}
    for licence in unit.licences:
        if licence.decoded is not None and licence.status in CANDIDATES:
            number = instances(used[licence.type_name], licence.decoded)
            held[licence.type_name] = held.get(licence.type_name, 0) + number
    return Market(used, frozenset(name for name, kind in used.items() if kind.sold), held, rules_of(unit))


def _rows(unit: Unit, market: Market, purchase: Purchase, wishes: Sequence[Wish]) -> Iterator[PlanRow]:
    """Features that the edition stands on or that others need first, then what is wanted for itself."""
    wished = {wish.feature: wish for wish in wishes}
    kinds = sorted((market.licences[name] for name in purchase.names), key=lambda kind: kind.code)
    order = dict.fromkeys(kind.feature for kind in kinds if kind.feature not in wished)
    for feature in (*order, *wished):
        mine = [kind for kind in kinds if kind.feature == feature]
        buy = tuple(pack for pack in purchase.packs if pack.licence.feature == feature)
        why = tuple(dict.fromkeys(reason for kind in mine for reason in _reasons(unit, market, purchase, kind)))
        wish = wished.get(feature)
        has = sum(number for name, number in market.held.items() if market.licences[name].feature == feature)
        if wish is None:
            if why:
                names = [kind.name for kind in mine if any(_reasons(unit, market, purchase, kind))]
                missing = sum(name not in market.held for name in names)
                yield PlanRow(feature, " + ".join(names), why, 1, 0, 1, has, missing, buy)
            continue
        supply = supply_of(unit.catalogue, unit.definition, purchase.terms.edition, unit.parts)
        most, needed = within(supply, wish)
        first = (
            mine[0].name
            if mine
            else licence_name(unit.catalogue, unit.definition.model, unit.definition.release_profile, feature)
        )
        missing = max(0, needed - has)
        yield PlanRow(feature, first, (wish.why, *why), wish.wanted, most - needed, needed, has, missing, buy)


def _reasons(unit: Unit, market: Market, purchase: Purchase, kind: LicenceType) -> Iterator[str]:
    """What a licence is needed for besides instances of its own."""
    rule, equipment = purchase.terms.edition, equipment_of(unit)
    if equipment.modules and kind.name in rule.modules_any_of + rule.any_of:
        lower = [other for other in market.rules if kind.name not in other.any_of]
        if kind.name in rule.modules_any_of or any(edition_shortfall(other, equipment) for other in lower):
            yield f"{equipment.modules} expansion module{'s' if equipment.modules > 1 else ''}"
    if kind.name in rule.any_of:
        yield from _edition_reasons(market, equipment)
    for name in sorted(purchase.names):
        other = market.licences[name]
        if any(kind.name in alternatives for alternatives in other.prerequisites) or (
            kind.name in rule.any_of and any(name in lower.dormant_licences for lower in market.rules)
        ):
            yield f"for {name}"


def _edition_reasons(market: Market, equipment: Equipment) -> Iterator[str]:
    """What only a higher edition than the lowest serves."""
    lowest = market.rules[-1]
    if lowest.max_users is not None and equipment.users > lowest.max_users:
        yield f"more than {lowest.max_users} users"
    if not lowest.phones_licensed and equipment.phones:
        yield "phones"


def _beyond(unit: Unit, terms: Terms, wishes: Sequence[Wish]) -> Iterator[str]:
    supply = supply_of(unit.catalogue, unit.definition, terms.edition, unit.parts)
    for wish in wishes:
        most, _ = within(supply, wish)
        if most < wish.wanted:
            yield f"{wish.feature}: {wish.wanted} wanted, hardware and capacity of this unit allow {most}"
    equipment = equipment_of(unit)
    short = edition_shortfall(terms.edition, equipment)
    if short:
        yield f"{terms.edition.edition} edition: {short} of its modules, users or phones are too many"
