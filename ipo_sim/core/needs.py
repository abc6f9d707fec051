"""What a unit, as it is configured and fitted, needs licences for to run fully."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ipo_sim.catalogue.types import EditionRule, PlaceKind
from ipo_sim.core.acquisition import MAX_INSTANCES
from ipo_sim.core.model import Hold, Part, Unit
from ipo_sim.core.people import RESERVES, endpoint_of, licensed_features
from ipo_sim.core.pools import PRI, SIP, VCM, VOICEMAIL, Supply, needs_licence, supply_of, survey
from ipo_sim.licensing.purchase import Terms

# A module that is held for one of these serves once a licence is there.
_LICENSABLE = frozenset({None, Hold.LICENCE, Hold.SURPLUS})


class Channels(NamedTuple):
    """Channels that shall be usable at one time; None: all that the cards in service have."""

    vcm: int | None = None
    pri: int | None = None
    sip: int = 0
    voicemail: int = 0


class Wish(NamedTuple):
    """Instances of a feature that shall be usable, and what for."""

    feature: str
    wanted: int
    why: str


class Equipment(NamedTuple):
    """What the edition decides about: expansion modules, whether a 4-port card is there, users, phones of any kind."""

    modules: int
    extended: bool
    users: int
    phones: int


def wishes_of(unit: Unit, channels: Channels) -> list[Wish]:
    """What users, IP phones and channels take."""
    return [*_users(unit), *_phones(unit), *_channels(unit, channels)]


def equipment_of(unit: Unit) -> Equipment:
    """What is there, whether it serves now or not."""
    modules = [part for part in unit.parts if part.place.kind is PlaceKind.EXPANSION and _would_serve(part)]
    extended = any(part.detected and part.fitted and part.fitted.expansion_ports for part in unit.parts)
    ports = sum(part.fitted.extensions for part in unit.parts if part.fitted)
    return Equipment(len(modules), extended, len(unit.users), ports + len(unit.extensions))


def terms_of(unit: Unit, wishes: Sequence[Wish]) -> list[Terms]:
    """What each edition of the release asks for, and what it leaves short."""
    rules = rules_of(unit)
    equipment = equipment_of(unit)
    return [_terms(unit, rule, wishes, equipment) for rule in rules]


def rules_of(unit: Unit) -> tuple[EditionRule, ...]:
    """The editions of the unit's model and release, the highest first."""
    model = unit.catalogue.models[unit.definition.model]
    return unit.catalogue.editions[model.edition_profile(unit.definition.release_profile)]


def within(supply: Supply, wish: Wish) -> tuple[int, int]:
    """Of a wish, how many instances can be usable at all, and how many of those have to be licensed."""
    most = min(wish.wanted, supply.pool(wish.feature, MAX_INSTANCES).usable)
    return most, max(0, most - supply.pool(wish.feature, 0).free)


def _terms(unit: Unit, rule: EditionRule, wishes: Sequence[Wish], equipment: Equipment) -> Terms:
    supply = supply_of(unit.catalogue, unit.definition, rule, unit.parts)
    bounds = {wish.feature: within(supply, wish) for wish in wishes}
    beyond = sum(wish.wanted - bounds[wish.feature][0] for wish in wishes)
    one_of = [rule.any_of] if rule.any_of else []
    if equipment.modules and rule.modules_any_of:
        one_of.append(rule.modules_any_of)
    demands = {feature: licensed for feature, (_, licensed) in bounds.items()}
    return Terms(rule, tuple(one_of), demands, beyond + edition_shortfall(rule, equipment))


def edition_shortfall(rule: EditionRule, equipment: Equipment) -> int:
    """How much of the equipment an edition leaves without service."""
    modules = rule.max_modules_extended if equipment.extended else rule.max_modules
    users = equipment.users if rule.max_users is None else rule.max_users
    phones = 0 if rule.phones_licensed else equipment.phones
    return max(0, equipment.modules - modules) + max(0, equipment.users - users) + phones


def _would_serve(part: Part) -> bool:
    return part.fitted is not None and part.surplus is None and part.service.hold in _LICENSABLE


def _users(unit: Unit) -> Iterator[Wish]:
    profile = unit.definition.release_profile
    counts = Counter(
        feature
        for user in unit.users
        for feature in licensed_features(unit.catalogue, profile, user.profile, user.features)
    )
    return (Wish(feature, number, _counted(number, "user")) for feature, number in sorted(counts.items()))


def _phones(unit: Unit) -> Iterator[Wish]:
    profile = unit.definition.release_profile
    counts = Counter(
        feature
        for extension in unit.extensions
        for feature in {endpoint_of(extension.kind), *RESERVES[extension.reserve]}
        if needs_licence(unit.catalogue, profile, feature)
    )
    return (Wish(feature, number, _counted(number, "IP extension")) for feature, number in sorted(counts.items()))


def _channels(unit: Unit, channels: Channels) -> Iterator[Wish]:
    """Of VCM and PRI channels as many as the cards have and the unit can use, unless asked for otherwise."""
    model = unit.catalogue.models[unit.definition.model]
    hardware, capacities = survey(model, rules_of(unit)[0], unit.parts), model.capacities
    vcm = min(hardware.vcm, hardware.vcm if capacities.vcm_channels is None else capacities.vcm_channels)
    pri = min(hardware.pri, hardware.pri if capacities.pri_channels is None else capacities.pri_channels)
    for feature, asked, fitted in (
        (VCM, channels.vcm, vcm),
        (PRI, channels.pri, pri),
        (SIP, channels.sip, 0),
        (VOICEMAIL, channels.voicemail, 0),
    ):
        number = fitted if asked is None else asked
        if number:
            yield Wish(feature, number, _counted(number, "channel") + (" of the cards" if asked is None else ""))


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
