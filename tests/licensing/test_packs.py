"""Packs for a number of instances: the fewest too many, then the fewest keys, against all there are."""

from __future__ import annotations

from itertools import combinations_with_replacement, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.types import LicenceType
from ipo_sim.licensing.packs import Pack, cheapest_packs, cost_of

BY_NAME = load_catalogue().licences_by_name
VCM, PRI = BY_NAME["IP500 VCM Channels"], BY_NAME["IP500 Universal PRI (additional channels)"]
BASE, MORE = BY_NAME["Voicemail Pro (4 ports)"], BY_NAME["Additional Voicemail Pro (ports)"]
ANY = BY_NAME["Preferred Edition Additional Voicemail Ports"]


def sizes(packs: list[Pack] | None) -> list[int]:
    assert packs is not None
    return sorted((pack.instances for pack in packs), reverse=True)


@pytest.mark.parametrize(
    ("kind", "missing", "packs"),
    [
        (VCM, 0, []),
        (VCM, 1, [4]),
        (VCM, 28, [28]),
        (VCM, 32, [28, 4]),
        # Greedy would take 28 and 4, and be 4 above; 16 and 8 and 8 needs a key more than 28 and 4.
        (VCM, 56, [28, 28]),
        (VCM, 60, [60]),
        (VCM, 124, [60, 60, 4]),
        (PRI, 24, [22, 2]),
        (PRI, 16, [8, 8]),
        (PRI, 21, [22]),
        (ANY, 13, [13]),
    ],
)
def test_one_licence(kind: LicenceType, missing: int, packs: list[int]) -> None:
    assert sizes(cheapest_packs([kind], [], missing)) == packs


@pytest.mark.parametrize(
    ("needed", "missing", "packs"),
    [
        ([BASE], 0, [(BASE, 4)]),
        ([BASE], 4, [(BASE, 4)]),
        ([BASE, MORE], 6, [(BASE, 4), (MORE, 2)]),
        ([BASE], 12, [(BASE, 4), (MORE, 8)]),
        ([BASE], 8, [(BASE, 4), (MORE, 4)]),
        ([BASE, MORE], 1, [(BASE, 4), (MORE, 2)]),
    ],
)
def test_a_base_licence_is_bought_once(
    needed: list[LicenceType], missing: int, packs: list[tuple[LicenceType, int]]
) -> None:
    assert cheapest_packs([BASE, MORE], needed, missing) == [Pack(*pack) for pack in packs]


def test_a_key_of_any_size_that_is_bought_anyway_is_made_larger() -> None:
    assert cheapest_packs([ANY], [ANY], 9) == [Pack(ANY, 9)]
    assert cheapest_packs([ANY], [ANY], 0) == [Pack(ANY, 1)]


def test_without_an_offer_there_is_no_way() -> None:
    assert cheapest_packs([], [], 1) is None
    assert cheapest_packs([], [], 0) == []


@given(
    packs=st.lists(st.integers(1, 9), unique=True, min_size=1, max_size=4).map(tuple),
    others=st.lists(st.integers(1, 9), unique=True, min_size=1, max_size=3).map(tuple),
    missing=st.integers(0, 14),
    needed=st.integers(0, 2),
)
def test_no_other_choice_is_cheaper(packs: tuple[int, ...], others: tuple[int, ...], missing: int, needed: int) -> None:
    offered = [MORE._replace(packs=packs), BASE._replace(packs=others)][: max(1, needed)]
    found = cheapest_packs(offered, offered[:needed], missing)
    assert found is not None
    assert sum(pack.instances for pack in found) >= missing
    keys = [Pack(kind, size) for kind in offered for size in kind.packs]
    must = list(product(*([pack for pack in keys if pack.licence is kind] for kind in offered[:needed])))
    ways = (
        [*first, *rest]
        for first in must
        for count in range(len(found) + 1)
        for rest in combinations_with_replacement(keys, count)
    )
    best = min(cost_of(way) for way in ways if sum(pack.instances for pack in way) >= missing)
    assert cost_of(found) == best
