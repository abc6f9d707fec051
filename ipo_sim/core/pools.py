"""How many instances of a feature there are: licensed ones, free ones, and what hardware and capacity let be used."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ipo_sim.catalogue.types import Catalogue, EditionRule, ModelType, PlaceKind, PoolRule, SlotKind
from ipo_sim.core.draft import Draft
from ipo_sim.core.model import Part, UnitDefinition
from ipo_sim.licensing.ledger import Ledger

VCM, PRI, SIP, VOICEMAIL = "vcm-channels", "pri-channels", "sip-trunk-channels", "voicemail-pro-ports"
AVAYA_ENDPOINTS, THIRD_PARTY_ENDPOINTS = "avaya-ip-endpoints", "third-party-ip-endpoints"
VCM_CARDS = "VCM"
# Caps that are 0 without the hardware anyway, whichever card has the channels.
COUNTED_IN_HARDWARE = frozenset({"vcm", "pri"})


class Pool(NamedTuple):
    """Instances of one feature: from Valid strings, without a licence, and what of both can be used."""

    licensed: int
    free: int
    usable: int


class Hardware(NamedTuple):
    """What unit and cards in service bring: codes, VCM cards, channels in all and those that need no licence.

    `ip400_vcm` are the channels of IP400 VCM cards, which `vcm` and `vcm_free` count as well.
    """

    codes: frozenset[str]
    vcm_cards: int
    ip400_vcm: int
    vcm: int
    vcm_free: int
    pri: int
    pri_free: int


class Pools:
    """The pools of a unit with the strings and parts of one moment."""

    def __init__(self, draft: Draft, ledger: Ledger, parts: tuple[Part, ...]) -> None:
        self._licensed = ledger.licensed
        self._supply = supply_of(draft.catalogue, draft.definition, ledger.settlement.edition, parts)

    def of(self, feature: str) -> Pool:
        """The pool of a feature; one that no string and no rule feeds is empty."""
        return _pool(self._supply, feature, self._licensed.get(feature, 0))

    def free_features(self) -> tuple[str, ...]:
        """Features that have instances without any licence now."""
        return self._supply.free_features

    def usable(self, feature: str) -> int:
        """How many instances can be in use."""
        return self.of(feature).usable


class Supply:
    """What model, release, edition and hardware give, whatever is licensed: shared by all units alike in these."""

    def __init__(
        self, catalogue: Catalogue, model: ModelType, profile: str, edition: EditionRule, hardware: Hardware
    ) -> None:
        self._catalogue = catalogue
        self._model = model
        self._profile = profile
        self._edition = edition
        self._hardware = hardware
        self.free_features = tuple(name for name, source in _free_sources(catalogue) if self._free(source))

    def pool(self, feature: str, licensed: int) -> Pool:
        """The pool of a feature with so many licensed instances."""
        facts = facts_of(self._catalogue, self._model.code, self._profile, feature)
        rule = facts.rule
        if rule is None:
            free, usable = 0, licensed
        else:
            free = self._free(rule.free) if rule.free else 0
            usable = licensed + free
            if usable:
                usable = min([usable, *self._caps(rule)])
        counted = rule is not None and rule.cap in COUNTED_IN_HARDWARE
        if usable and not counted and facts.hardware and facts.hardware.isdisjoint(self._hardware.codes):
            usable = 0
        return Pool(licensed, free, usable)

    def _free(self, source: str) -> int:
        hardware, edition = self._hardware, self._edition
        match source:
            case "vcm":
                return hardware.vcm_free
            case "pri":
                return hardware.pri_free
            case "sip":
                return edition.sip_free
            case "endpoints":
                per_channel = edition.ip_endpoints_free_per_channel * hardware.ip400_vcm
                return edition.ip_endpoints_free_per_card * hardware.vcm_cards + per_channel
            case _:
                return self._model.capacities.voicemail_channels or 0

    def _caps(self, rule: PoolRule) -> list[int]:
        caps: list[int | None] = [rule.maximum.get(self._profile)]
        capacities = self._model.capacities
        match rule.cap:
            case "vcm":
                caps += (self._hardware.vcm, capacities.vcm_channels)
            case "pri":
                caps += (self._hardware.pri, capacities.pri_channels)
            case "sip":
                caps.append(self._edition.sip_max)
            case "users":
                caps.append(self._max_users())
            case "extensions":
                caps.append(self._max_extensions())
        return [cap for cap in caps if cap is not None]

    def _max_users(self) -> int:
        """How many users edition and unit serve."""
        unit = self._model.capacities.users or self._max_extensions()
        most = self._edition.max_users
        return unit if most is None else min(most, unit)

    def _max_extensions(self) -> int:
        """How many extensions of all kinds the unit has at most."""
        return self._model.max_extensions[self._profile]


def supply_of(
    catalogue: Catalogue, definition: UnitDefinition, edition: EditionRule, parts: tuple[Part, ...]
) -> Supply:
    """What a unit has of all features under an edition, whatever is licensed."""
    model, profile = catalogue.models[definition.model], definition.release_profile
    hardware = survey(model, edition, parts)
    return _supply(catalogue, model.code, profile, model.edition_profile(profile), edition.edition, hardware)


@lru_cache(maxsize=512)
def _supply(
    catalogue: Catalogue, model: str, profile: str, edition_profile: str, edition: str, hardware: Hardware
) -> Supply:
    rule = next(rule for rule in catalogue.editions[edition_profile] if rule.edition == edition)
    return Supply(catalogue, catalogue.models[model], profile, rule, hardware)


@lru_cache(maxsize=4_096)
def _pool(supply: Supply, feature: str, licensed: int) -> Pool:
    return supply.pool(feature, licensed)


def survey(model: ModelType, edition: EditionRule, parts: tuple[Part, ...]) -> Hardware:
    """Channels of the unit and its cards in service; those of a card that no licence names are all free."""
    codes, cards, ip400_vcm, pri, pri_free = {model.code}, 0, 0, 0, 0
    vcm, vcm_free = model.vcm_channels, model.vcm_free
    for part in parts:
        fitted = part.fitted
        if fitted is None or part.service.hold is not None:
            continue
        if part.place.kind is PlaceKind.EXPANSION:
            break
        codes.add(fitted.code)
        if fitted.slot_kind is SlotKind.VCM:
            ip400_vcm += fitted.vcm_channels
        if fitted.vcm_channels:
            licensed = fitted.limit_group == VCM_CARDS
            cards += licensed
            vcm += fitted.vcm_channels
            per_card = edition.vcm_free_per_card
            vcm_free += fitted.vcm_channels if per_card is None or not licensed else per_card
        if fitted.ports and fitted.ports[0].kind == "PRI":
            pri += fitted.trunk_channels
            of_ip400 = fitted.slot_kind is SlotKind.TRUNK
            pri_free += fitted.trunk_channels if of_ip400 else min(edition.pri_free_channels, fitted.trunk_channels)
    return Hardware(frozenset(codes), cards, ip400_vcm, vcm, vcm_free, pri, pri_free)


class Facts(NamedTuple):
    """What the catalogue says of a feature: the licence its pool is named after, all that feed it, rule, hardware.

    The name is that of the first licence that feeds it on this unit, else the pool's own, else of the first of all. Of
    `hardware` one part must be in service for its instances to be of use.
    """

    licence: str
    feeding: frozenset[str]
    rule: PoolRule | None
    hardware: frozenset[str]


@lru_cache(maxsize=1_024)
def facts_of(catalogue: Catalogue, model: str, profile: str, feature: str) -> Facts:
    """The facts of a feature on a model in a release profile."""
    kinds = catalogue.licences_by_feature[feature]
    rule = catalogue.pools.get(feature)
    own = [kind.name for kind in kinds if profile in kind.profiles and model in kind.models]
    title = rule.title if rule is not None else None
    hardware = frozenset(code for kind in kinds for code in kind.hardware)
    name = own[0] if own else title or kinds[0].name
    return Facts(name, frozenset(kind.name for kind in kinds), rule, hardware)


@lru_cache(maxsize=16)
def _free_sources(catalogue: Catalogue) -> tuple[tuple[str, str], ...]:
    """Features that can have instances without any licence, and where those come from."""
    return tuple((name, rule.free) for name, rule in catalogue.pools.items() if rule.free)


def licence_name(catalogue: Catalogue, model: str, profile: str, feature: str) -> str:
    """The licence that a pool is named after."""
    return facts_of(catalogue, model, profile, feature).licence


def needs_licence(catalogue: Catalogue, profile: str, feature: str) -> bool:
    """Whether this release licenses the feature at all."""
    return any(profile in kind.profiles for kind in catalogue.licences_by_feature[feature])
