"""The hardware of an entry: its parts by place, and whether they go together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ipo_sim.catalogue.types import Catalogue, ModelType, PartType, PlaceKind, SlotKind
from ipo_sim.config.defaults import release_profile
from ipo_sim.config.entries import UnitEntry
from ipo_sim.config.mistakes import Findings, Location, Refusal
from ipo_sim.config.shape import Salvage
from ipo_sim.core.fitting import fit_problem, most_expansion_ports, place_title, places, surplus
from ipo_sim.core.model import PartDefinition

_BELOW = {"daughter": PlaceKind.DAUGHTER, "trunk": PlaceKind.CARRIER, "vcm": PlaceKind.CARRIER}


def parts_of(entry: UnitEntry) -> tuple[PartDefinition, ...]:
    """All places of an entry that are not empty: slots, what hangs on their cards, expansion ports, each by number."""
    slots, ports = sorted(entry.slots.items()), sorted(entry.expansion.items())
    rows = [
        *((f"slots/{n}", slot.card, slot.configured) for n, slot in slots),
        *((f"slots/{n}/daughter", slot.daughter.card, slot.daughter.configured) for n, slot in slots),
        *((f"slots/{n}/trunk", slot.trunk.card, slot.trunk.configured) for n, slot in slots),
        *((f"slots/{n}/vcm", slot.vcm.card, slot.vcm.configured) for n, slot in slots),
        *((f"expansion/{n}", port.module, port.configured) for n, port in ports),
    ]
    return tuple(PartDefinition(path, fitted, configured) for path, fitted, configured in rows if fitted or configured)


@dataclass(frozen=True, slots=True)
class _Named:
    """A part that an entry names: at which place of the unit, at which location of the file."""

    path: str
    kind: PlaceKind
    location: Location
    code: str


class HardwareCheck:
    """Checks the places of entries against their model's rules; what was taken out of the file is not judged."""

    def __init__(self, catalogue: Catalogue, findings: Findings, salvage: Salvage) -> None:
        self._catalogue = catalogue
        self._findings = findings
        self._salvage = salvage

    def check(self, entry: UnitEntry, here: Location, model: ModelType | None) -> None:
        """Report every part that is unknown or may not be where it is; `model` None: which rules hold is not known."""
        profile = release_profile(entry, model)
        parts = parts_of(entry)
        fitted = self._known(_named(here, parts, expected=False), model, profile)
        expected = self._known(_named(here, parts, expected=True), model, profile)
        if model is None:
            return
        self._check_numbers(entry, here, model)
        bare = {named.path: part for named, part in fitted}
        self._check_fit(here, model, profile, {}, fitted)
        self._check_fit(
            here, model, profile, {p: bare[p] for p in bare.keys() - {e.path for e, _ in expected}}, expected
        )
        over = surplus(bare)
        for named, _ in fitted:
            if named.path in over:
                self._findings.warning(named.location, f"{over[named.path]}: present, but not operational")

    def _known(self, names: Iterable[_Named], model: ModelType | None, profile: str) -> list[tuple[_Named, PartType]]:
        """The parts that exist; a mistake for each other one."""
        known = []
        for named in names:
            part = self._catalogue.parts.get(named.code)
            if part is not None:
                known.append((named, part))
                continue
            self._salvage.take_out(named.location)
            problem = f"{named.code!r} is not {place_title(named.kind, model)}"
            allowed = self._offered(named.kind, model, profile)
            self._findings.mistake(named.location, Refusal(problem, allowed, named.code))
        return known

    def _offered(self, kind: PlaceKind, model: ModelType | None, profile: str) -> list[str]:
        parts = (part for part in self._catalogue.parts.values() if _goes(part, kind, model) and part.models)
        if model is None:
            return [part.code for part in parts]
        return [part.code for part in parts if model.code in part.models and profile in part.profiles]

    def _check_numbers(self, entry: UnitEntry, here: Location, model: ModelType) -> None:
        ports, extended = model.expansion_ports, most_expansion_ports(model)
        for number in entry.slots:
            if not 1 <= number <= model.slots:
                message = f"{model.title} has {f'slots 1 to {model.slots}' if model.slots > 1 else 'slot 1 only'}"
                self._findings.mistake((*here, "slots", number), message, at_key=True)
        for number in entry.expansion:
            if not 1 <= number <= extended:
                more = f", and to {extended} with a 4-port card" if extended > ports else ""
                message = f"{model.title} has {f'expansion ports 1 to {ports}' if ports else 'no expansion port'}{more}"
                self._findings.mistake((*here, "expansion", number), message, at_key=True)

    def _check_fit(
        self,
        here: Location,
        model: ModelType,
        profile: str,
        standing: dict[str, PartType],
        parts: list[tuple[_Named, PartType]],
    ) -> None:
        """Put the parts in, one after the other, so that each misfit is told once, where it comes second."""
        inside = dict(standing)
        paths = {place.path for place in places(model)}
        for named, part in parts:
            if named.path not in paths:
                if named.path.rsplit("/", 1)[0] in paths:
                    self._findings.mistake(named.location, f"the slots of {model.title} carry no card on another")
                continue
            if self._is_doubtful(here, model, named):
                continue
            problem = fit_problem(self._catalogue, model, profile, inside, named.path, part)
            if problem is not None:
                self._findings.mistake(named.location, problem)
            if problem is None or part.place is named.kind is not PlaceKind.EXPANSION:
                inside[named.path] = part

    def _is_doubtful(self, here: Location, model: ModelType, named: _Named) -> bool:
        """Whether the card that this part needs is itself among the mistakes."""
        if named.kind in (PlaceKind.DAUGHTER, PlaceKind.CARRIER):
            slot = (*here, "slots", named.location[len(here) + 1])
            return any(self._salvage.touches((*slot, name)) for name in ("card", "configured"))
        is_extended = named.kind is PlaceKind.EXPANSION and int(named.location[len(here) + 1]) > model.expansion_ports
        return is_extended and self._salvage.touches((*here, "slots"))


def _goes(part: PartType, kind: PlaceKind, model: ModelType | None) -> bool:
    """Whether a part is of a kind of place; the slots of a model that is not known are taken for those of an IP500."""
    if kind is PlaceKind.CARRIER:
        return part.slot_kind is not SlotKind.GENERIC
    kinds = (model.slot_kinds if model is not None else ()) or (SlotKind.GENERIC,)
    return part.place is kind and (kind is not PlaceKind.SLOT or part.slot_kind in kinds)


def _named(here: Location, parts: tuple[PartDefinition, ...], *, expected: bool) -> Iterable[_Named]:
    """The parts that are fitted, or those that the unit's configuration is said to expect."""
    for part in parts:
        code = part.configured if expected else part.fitted
        if code is None:
            continue
        room, number, *below = part.path.split("/")
        kind = PlaceKind.EXPANSION if room == "expansion" else _BELOW.get("".join(below), PlaceKind.SLOT)
        name = "configured" if expected else "module" if kind is PlaceKind.EXPANSION else "card"
        yield _Named(part.path, kind, (*here, room, int(number), *below, name), code)
