"""Places and fitting rules, on a catalogue made up for the purpose."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ipo_sim.catalogue.grade import Grade
from ipo_sim.catalogue.types import Catalogue, ModelType, PartType, PlaceKind
from ipo_sim.core.fitting import fit_problem, place_of, places, surplus

IP500 = ModelType("ip500", "IP500", 4, 8, "smart-card", ("r4", "r5", "r6"), {"r4": 60, "r5": 384}, Grade.A)


def part(code: str, place: PlaceKind, **more: Any) -> PartType:
    plain = PartType(code, place, code, code, (), ("ip500",), ("r4", "r5"), Grade.A)
    return plain._replace(**more)


PARTS = {
    p.code: p
    for p in (
        part("DS8", PlaceKind.SLOT, limit=3, carries_daughter=True, extensions=8),
        part("POT8", PlaceKind.SLOT, limit=4, limit_group="phone cards", carries_daughter=True, extensions=8),
        part("POT2", PlaceKind.SLOT, limit=4, limit_group="phone cards", carries_daughter=True, extensions=2),
        part("CARRIER", PlaceKind.SLOT, limit=2),
        part("EXP4", PlaceKind.SLOT, limit=1, slots=(4,), expansion_ports=(9, 10, 11, 12), profiles=("r5",)),
        part("COMBO", PlaceKind.SLOT, models=("ip500v2",)),
        part("DT30", PlaceKind.EXPANSION, models=()),
        part("PRI-1", PlaceKind.DAUGHTER, trunk_channels=30),
        part("DS30", PlaceKind.EXPANSION, extensions=30),
    )
}
CATALOGUE = cast("Catalogue", SimpleNamespace(parts=PARTS))


def problem(fitted: dict[str, str], path: str, code: str, profile: str = "r5") -> str | None:
    return fit_problem(CATALOGUE, IP500, profile, {p: PARTS[c] for p, c in fitted.items()}, path, PARTS[code])


def test_places_come_in_the_order_of_a_cascade_and_are_shared() -> None:
    assert [p.path for p in places(IP500)] == [
        *(f"slots/{n}" for n in range(1, 5)),
        *(f"slots/{n}/daughter" for n in range(1, 5)),
        *(f"slots/{n}/{below}" for n in range(1, 5) for below in ("trunk", "vcm")),
        *(f"expansion/{n}" for n in range(1, 13)),
    ]
    assert places(IP500) is places(IP500._replace(code="other"))


@pytest.mark.parametrize(
    ("path", "index", "name"),
    [
        ("slots/3", 300, "Controller, Slot 3"),
        ("slots/3/daughter", 302, "Controller, Slot 3, Mezzanine"),
        ("slots/3/trunk", 304, "Controller, Slot 3, Trunk Slot"),
        ("slots/3/vcm", 306, "Controller, Slot 3, VCM Slot"),
        ("expansion/12", 12000, "Controller, EXP 12"),
    ],
)
def test_a_place_has_the_index_and_name_of_its_container(path: str, index: int, name: str) -> None:
    place = place_of(path, IP500)
    assert (place.entity_index, place.entity_name) == (index, name)


@pytest.mark.parametrize("path", ["slots/5", "slots/0", "expansion/13", ""])
def test_a_place_that_the_model_has_not(path: str) -> None:
    with pytest.raises(KeyError):
        place_of(path, IP500)
    assert problem({}, path, "DS8") == f"IP500 has no place {path!r}"


@pytest.mark.parametrize(
    ("fitted", "path", "code"),
    [
        ({}, "slots/1", "DS8"),
        ({"slots/1": "DS8"}, "slots/1/daughter", "PRI-1"),
        ({"slots/1": "DS8", "slots/1/daughter": "PRI-1"}, "slots/1", "POT8"),
        ({"slots/4": "EXP4"}, "expansion/9", "DS30"),
        ({"slots/1": "DS8", "slots/2": "DS8", "slots/3": "DS8"}, "slots/4", "DS8"),
    ],
    ids=["empty slot", "daughter", "exchange under a daughter", "port of a 4-port card", "surplus is not refused"],
)
def test_what_fits(fitted: dict[str, str], path: str, code: str) -> None:
    assert problem(fitted, path, code) is None


@pytest.mark.parametrize(
    ("fitted", "path", "code", "message"),
    [
        ({}, "expansion/1", "DS8", "DS8 is a base card; expansion/1 takes an expansion module"),
        ({}, "slots/1", "COMBO", "COMBO is not offered for model ip500, only for ip500v2"),
        ({}, "expansion/1", "DT30", "DT30 is known by name only; no unit takes it"),
        ({}, "slots/3", "EXP4", "EXP4 goes into slot 4 only"),
        ({}, "slots/1/daughter", "PRI-1", "PRI-1 needs a base card in slots/1 that carries it"),
        ({"slots/1": "CARRIER"}, "slots/1/daughter", "PRI-1", "CARRIER in slots/1 carries no trunk daughter card"),
        (
            {"slots/1": "DS8", "slots/1/daughter": "PRI-1"},
            "slots/1",
            "CARRIER",
            "CARRIER carries no trunk daughter card, but PRI-1 is fitted at slots/1/daughter",
        ),
        ({}, "expansion/9", "DS30", "expansion port 9 is on the card EXP4, which is not fitted"),
    ],
)
def test_what_does_not_fit(fitted: dict[str, str], path: str, code: str, message: str) -> None:
    assert problem(fitted, path, code) == message


def test_the_release_profile_decides_what_is_offered() -> None:
    assert problem({}, "slots/4", "EXP4", "r4") == "EXP4 is not offered in release profile r4, only in r5"
    assert problem({}, "expansion/9", "DS30", "r4") == "IP500 has no expansion port 9 in release profile r4"


def test_extensions_beyond_the_capacity_are_refused_and_the_exchanged_part_does_not_count() -> None:
    two = {"expansion/1": "DS30", "expansion/2": "DS30"}
    message = "POT2 would make 62 extensions; IP500 has at most 60 in release profile r4"
    assert problem(two, "slots/1", "POT2", "r4") == message
    assert problem(two, "expansion/2", "DS30", "r4") is None
    assert problem(two, "slots/1", "CARRIER", "r4") is None


def test_surplus_counts_from_slot_1_whatever_the_order_of_fitting() -> None:
    parts = {f"slots/{n}": PARTS["DS8"] for n in (4, 2, 1, 3)}
    assert surplus(parts) == {"slots/4": "at most 3 of DS8 in one unit"}


def test_surplus_counts_a_group_together_and_slots_as_numbers() -> None:
    parts = {f"slots/{n}": PARTS["POT8" if n % 2 else "POT2"] for n in (1, 2, 3, 4, 10)}
    assert surplus(parts) == {"slots/10": "at most 4 of phone cards in one unit"}


def test_the_extensions_of_the_unit_itself_count() -> None:
    with_own = IP500._replace(extensions=23)
    assert fit_problem(CATALOGUE, with_own, "r4", {}, "expansion/1", PARTS["DS30"]) is None
    modules = {"expansion/1": PARTS["DS30"]}
    said = fit_problem(CATALOGUE, with_own, "r4", modules, "slots/1", PARTS["DS8"])
    assert said == "DS8 would make 61 extensions; IP500 has at most 60 in release profile r4"
