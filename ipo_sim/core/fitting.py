"""Where parts can be fitted: the places of a control unit, and the rules that a part meets there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from string import ascii_uppercase
from types import MappingProxyType

from ipo_sim.catalogue.types import Catalogue, ModelType, PartType, PlaceKind, SlotKind
from ipo_sim.core.model import Place

# Expansion ports of a 4-port expansion card: numbered on from the 8 at the rear.
EXTENSION_CARD_PORTS = 4

IP400_CARD = "an IP400 trunk or VCM card"
# Where a legacy card carrier has its cards, each under a path of the slot.
CARRIED_IP400: Mapping[str, SlotKind] = MappingProxyType({"trunk": SlotKind.TRUNK, "vcm": SlotKind.VCM})
KIND_TITLES: Mapping[PlaceKind, str] = MappingProxyType(
    {
        PlaceKind.SLOT: "a base card",
        PlaceKind.DAUGHTER: "a trunk daughter card",
        PlaceKind.CARRIER: IP400_CARD,
        PlaceKind.EXPANSION: "an expansion module",
    }
)


# What hangs on a base card, under its path.
BELOW = ("daughter", *CARRIED_IP400)
SLOT_TITLES: Mapping[SlotKind, str] = MappingProxyType(
    {SlotKind.GENERIC: "slot of an IP500", SlotKind.TRUNK: "trunk slot", SlotKind.VCM: "VCM slot"}
)


def place_title(kind: PlaceKind, model: ModelType | None) -> str:
    """What a kind of place takes, on a model if it is known."""
    if kind is PlaceKind.SLOT and model is not None and not model.takes_base_cards:
        return IP400_CARD
    return KIND_TITLES[kind]


def places(model: ModelType) -> tuple[Place, ...]:
    """All places of a model, shared by its units: slots, what hangs on base cards, expansion ports in their order."""
    return _places(model.slots, model.expansion_ports, model.slot_kinds)


def place_of(path: str, model: ModelType) -> Place:
    """The place at `slots/N`, `slots/N/daughter`, `slots/N/vcm`, `expansion/N`...; KeyError: the model has none."""
    return _by_path(model)[path]


def most_expansion_ports(model: ModelType) -> int:
    """Those at the rear, and those that a card can add to an IP500."""
    return model.expansion_ports + (EXTENSION_CARD_PORTS if model.takes_base_cards else 0)


def is_of_kind(model: ModelType, place: Place, part: PartType) -> bool:
    """Whether a part is of the kind that a place is for, offered or not."""
    if place.kind is PlaceKind.CARRIER:
        return part.slot_kind is CARRIED_IP400[place.path.rsplit("/", 1)[1]]
    if place.kind is PlaceKind.SLOT:
        return part.place is place.kind and part.slot_kind is model.slot_kind(place.number)
    return part.place is place.kind


def fit_problem(
    catalogue: Catalogue, model: ModelType, profile: str, fitted: Mapping[str, PartType], path: str, part: PartType
) -> str | None:
    """Why `part` may not be put at `path`, in one sentence; None: it may. What is there now is taken out first.

    `fitted` are the parts in the unit by path. A part beyond the maximum of its kind is no problem: see `surplus`.
    """
    place = _by_path(model).get(path)
    if place is None:
        return f"{model.title} has no place {path!r}"
    others = {where: other for where, other in fitted.items() if where != path}
    return (
        _offer_problem(model, profile, place, part)
        or _slot_problem(model, others, place, part)
        or _daughter_problem(others, place, part)
        or _carrier_problem(others, place, part)
        or _expansion_problem(catalogue, model, profile, others, place)
        or _capacity_problem(model, profile, others.values(), part)
    )


def surplus(parts: Mapping[str, PartType]) -> Mapping[str, str]:
    """Parts beyond the maximum of their kind, counted from slot 1, by path, each with the rule that it breaks."""
    seen: Counter[str] = Counter()
    over: dict[str, str] = {}
    limited = {path: part.limit for path, part in parts.items() if part.limit is not None}
    for path in sorted(limited, key=_path_order):
        part, limit = parts[path], limited[path]
        group = part.limit_group or part.code
        seen[group] += 1
        if seen[group] > limit:
            over[path] = f"at most {part.limit} of {group} in one unit"
    return over


@lru_cache(maxsize=16)
def _places(slots: int, expansion_ports: int, slot_kinds: tuple[SlotKind, ...]) -> tuple[Place, ...]:
    """Entity indexes and names as hardware.md section 8 lays them out; IP400 slots are called as there."""
    numbers = range(1, slots + 1)
    has_base_cards = SlotKind.GENERIC in slot_kinds or not slot_kinds
    modules = range(1, expansion_ports + (EXTENSION_CARD_PORTS if has_base_cards else 0) + 1)
    names = _slot_names(slots, slot_kinds)
    return (
        *(Place(f"slots/{n}", PlaceKind.SLOT, n, 100 * n, f"Controller, {names[n - 1]}") for n in numbers),
        *(
            Place(
                f"slots/{n}/daughter",
                PlaceKind.DAUGHTER,
                n,
                100 * n + 2,
                f"Controller, Slot {n}, Mezzanine",
                carried=True,
            )
            for n in numbers
            if has_base_cards
        ),
        *(
            Place(
                f"slots/{n}/{below}",
                PlaceKind.CARRIER,
                n,
                100 * n + offset,
                f"Controller, Slot {n}, {title}",
                carried=True,
            )
            for n in numbers
            if has_base_cards
            for below, offset, title in (("trunk", 4, "Trunk Slot"), ("vcm", 6, "VCM Slot"))
        ),
        *(
            Place(
                f"expansion/{n}", PlaceKind.EXPANSION, n, 1000 * n, f"Controller, EXP {n}", carried=n > expansion_ports
            )
            for n in modules
        ),
    )


def _slot_names(slots: int, slot_kinds: tuple[SlotKind, ...]) -> list[str]:
    """`Slot 3` of an IP500; an IP400 unit letters its trunk slots and numbers its VCM slots apart."""
    kinds = slot_kinds or (SlotKind.GENERIC,) * slots
    names = []
    for index, kind in enumerate(kinds):
        nth = kinds[:index].count(kind)
        match kind:
            case SlotKind.TRUNK:
                names.append(f"Trunk Slot {ascii_uppercase[nth]}")
            case SlotKind.VCM:
                names.append(f"VCM Slot {nth + 1}")
            case _:
                names.append(f"Slot {index + 1}")
    return names


def _by_path(model: ModelType) -> Mapping[str, Place]:
    return _places_by_path(model.slots, model.expansion_ports, model.slot_kinds)


@lru_cache(maxsize=16)
def _places_by_path(slots: int, expansion_ports: int, slot_kinds: tuple[SlotKind, ...]) -> Mapping[str, Place]:
    return MappingProxyType({place.path: place for place in _places(slots, expansion_ports, slot_kinds)})


def _offer_problem(model: ModelType, profile: str, place: Place, part: PartType) -> str | None:
    on_carrier = place.kind is PlaceKind.CARRIER and part.slot_kind is not SlotKind.GENERIC
    if part.place is not place.kind and not on_carrier:
        return f"{part.code} is {_part_title(part)}; {place.path} takes {place_title(place.kind, model)}"
    if not part.models:
        return f"{part.code} is known by name only; no unit takes it"
    if model.code not in part.models:
        return f"{part.code} is not offered for model {model.code}, only for {', '.join(part.models)}"
    if profile not in part.profiles:
        return f"{part.code} is not offered in release profile {profile}, only in {', '.join(part.profiles)}"
    return None


def _part_title(part: PartType) -> str:
    return KIND_TITLES[part.place] if part.slot_kind is SlotKind.GENERIC else IP400_CARD


def _slot_problem(model: ModelType, others: Mapping[str, PartType], place: Place, part: PartType) -> str | None:
    if place.kind is not PlaceKind.SLOT:
        return None
    if model.slot_kind(place.number) is not part.slot_kind:
        name = place.entity_name.removeprefix("Controller, ")
        return f"{part.code} goes into a {SLOT_TITLES[part.slot_kind]}; {place.path} is {name}"
    if part.slots and place.number not in part.slots:
        return f"{part.code} goes into slot {' or '.join(map(str, part.slots))} only"
    for below in BELOW:
        card = others.get(f"{place.path}/{below}")
        if card is not None and not (part.carries_daughter if below == "daughter" else part.carries_ip400):
            title = KIND_TITLES[PlaceKind.DAUGHTER] if below == "daughter" else IP400_CARD
            what = title.partition(" ")[2]
            return f"{part.code} carries no {what}, but {card.code} is fitted at {place.path}/{below}"
    return None


def _daughter_problem(others: Mapping[str, PartType], place: Place, part: PartType) -> str | None:
    if place.kind is not PlaceKind.DAUGHTER:
        return None
    slot = f"slots/{place.number}"
    base = others.get(slot)
    if base is None:
        return f"{part.code} needs a base card in {slot} that carries it"
    return None if base.carries_daughter else f"{base.code} in {slot} carries no trunk daughter card"


def _carrier_problem(others: Mapping[str, PartType], place: Place, part: PartType) -> str | None:
    if place.kind is not PlaceKind.CARRIER:
        return None
    if CARRIED_IP400[place.path.rsplit("/", 1)[1]] is not part.slot_kind:
        return f"{part.code} goes into a {SLOT_TITLES[part.slot_kind]}; {place.path} is another"
    slot = f"slots/{place.number}"
    base = others.get(slot)
    if base is None:
        return f"{part.code} needs a legacy card carrier in {slot}"
    return None if base.carries_ip400 else f"{base.code} in {slot} carries no IP400 trunk or VCM card"


def _expansion_problem(
    catalogue: Catalogue, model: ModelType, profile: str, others: Mapping[str, PartType], place: Place
) -> str | None:
    if place.kind is not PlaceKind.EXPANSION or place.number <= model.expansion_ports:
        return None
    if any(place.number in other.expansion_ports for other in others.values()):
        return None
    cards = [card for card in catalogue.parts.values() if place.number in card.expansion_ports]
    offered = [card.code for card in cards if model.code in card.models and profile in card.profiles]
    if not offered:
        return f"{model.title} has no expansion port {place.number} in release profile {profile}"
    return f"expansion port {place.number} is on the card {' or '.join(offered)}, which is not fitted"


def _capacity_problem(model: ModelType, profile: str, others: Iterable[PartType], part: PartType) -> str | None:
    most = model.max_extensions.get(profile)
    extensions = model.extensions + part.extensions + sum(other.extensions for other in others)
    if most is None or not part.extensions or extensions <= most:
        return None
    return (
        f"{part.code} would make {extensions} extensions; {model.title} has at most {most} in release profile {profile}"
    )


def _path_order(path: str) -> tuple[str, int]:
    """By kind of place, then by number: `slots/10` after `slots/9`."""
    room, _, rest = path.partition("/")
    number, _, below = rest.partition("/")
    return (f"{room}/{below}", int(number))
