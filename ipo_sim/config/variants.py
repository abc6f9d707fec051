"""Units as a feature set or an initial state makes them out of what is configured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ipo_sim.catalogue.states import Without, load_states
from ipo_sim.catalogue.types import Catalogue
from ipo_sim.config.mistakes import Refusal
from ipo_sim.core.definition import PartDefinition, UnitDefinition

# Expansion ports of the unit itself; those beyond are on a card.
OWN_PORTS = 8


def state_problem(name: str, reader_kind: str) -> str | None:
    """What is wrong with the name of an initial state for a unit with such a reader."""
    states = load_states().states
    if name not in states:
        return Refusal(f"{name!r} is no initial state", states, name)
    hands = [line for line in states[name].do if "-card" in line]
    if hands and reader_kind != "virtual":
        return f"{name} needs a virtual reader, in which the card goes in and out by command"
    return None


def feature_set_problem(name: str) -> str | None:
    """What is wrong with the name of a feature set."""
    sets = load_states().feature_sets
    return None if name in sets else Refusal(f"{name!r} is no feature set", sets, name)


def with_state(definition: UnitDefinition, name: str) -> UnitDefinition:
    """The unit that starts in that state; KeyError for a name that is none."""
    state = load_states().states[name]
    return replace(_without(definition, state.without), state="" if name == "cold" else name)


def with_feature_set(
    definition: UnitDefinition, name: str, catalogue: Catalogue, releases: Mapping[str, str]
) -> UnitDefinition:
    """The poorer unit; KeyError for a name that is none. `releases` are versions by profile."""
    chosen = load_states().feature_sets[name]
    definition = _without(definition, chosen.without)
    if not chosen.oldest:
        return definition
    profile = catalogue.models[definition.model].release_profiles[0]
    parts = tuple(part for part in definition.parts if _is_known(part, profile, catalogue))
    older = replace(definition, release_profile=profile, release=releases[profile], parts=parts)
    return older if _has_expansion_card(older.parts) else replace(older, parts=_own_ports(older.parts))


def _is_known(part: PartDefinition, profile: str, catalogue: Catalogue) -> bool:
    codes = [code for code in (part.fitted, part.configured) if code is not None]
    return all(profile in catalogue.parts[code].profiles for code in codes)


def _has_expansion_card(parts: Iterable[PartDefinition]) -> bool:
    return any(part.fitted == "EXP4" for part in parts)


def _own_ports(parts: Iterable[PartDefinition]) -> tuple[PartDefinition, ...]:
    return tuple(
        part
        for part in parts
        if not part.path.startswith("expansion/") or int(part.path.rpartition("/")[2]) <= OWN_PORTS
    )


def _without(definition: UnitDefinition, what: Iterable[Without]) -> UnitDefinition:
    for each in what:
        definition = _TAKE_AWAY[each](definition)
    return definition


def _expansion_card(definition: UnitDefinition) -> UnitDefinition:
    if not _has_expansion_card(definition.parts):
        return definition
    parts = [part for part in definition.parts if part.fitted != "EXP4"]
    return replace(definition, parts=_own_ports(parts))


def _parts_below(prefix: str, ending: str = "") -> Callable[[UnitDefinition], UnitDefinition]:
    def take_away(definition: UnitDefinition) -> UnitDefinition:
        left = [p for p in definition.parts if not (p.path.startswith(prefix) and p.path.endswith(ending))]
        return replace(definition, parts=tuple(left))

    return take_away


_TAKE_AWAY: Mapping[Without, Callable[[UnitDefinition], UnitDefinition]] = {
    Without.LICENCES: lambda definition: replace(definition, licences=()),
    Without.SLOTS: _parts_below("slots/"),
    Without.DAUGHTERS: _parts_below("slots/", "/daughter"),
    Without.EXPANSION: _parts_below("expansion/"),
    Without.EXPANSION_CARD: _expansion_card,
}
