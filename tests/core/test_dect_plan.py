"""The key that an IP DECT system needs: what is planned says whether the system has voice, and brings it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.core.dect_plan import plan_dect
from ipo_sim.core.model import DectDefinition
from ipo_sim.licensing.dect import DectState
from ipo_sim.licensing.dect_key import issue
from ipo_sim.licensing.key import DEFAULT_SECRET
from tests.core.dect_bench import ADMM, FOURTH, MACS, OTHER_PARK, SECOND, dect, dect_bench, dect_key, system


def lacking(definition: DectDefinition) -> str | None:
    plan = plan_dect(definition, DEFAULT_SECRET)
    return None if plan is None else plan.lacking


@pytest.mark.parametrize(
    ("licence", "why"),
    [
        ("", "there is none"),
        ("nonsense", "what is there is none"),
        (dect_key(park=OTHER_PARK), f"the one that is there is for PARK {OTHER_PARK}"),
        (dect_key(secret=b"other"), "the one that is there was issued with another secret"),
        (dect_key((ADMM, SECOND), 2), "the one that is there is for 2"),
        (dect_key(MACS[4:7]), "0 of the 3 that prove the one that is there belong to the system"),
        (dect_key((FOURTH, SECOND, ADMM)), ""),
        (dect_key(), ""),
    ],
)
def test_why_a_key_will_not_do(licence: str, why: str) -> None:
    assert lacking(system(licence=licence)) == why


def test_a_system_without_base_stations_needs_none() -> None:
    assert lacking(system(0, licence="")) is None


KEYS = st.just("") | st.builds(
    lambda macs, more: dect_key(macs, len(macs) + more if len(macs) == 3 else len(macs)),
    st.lists(st.sampled_from(MACS[:5]), min_size=1, max_size=3, unique=True),
    st.integers(0, 3),
)


@given(bases=st.integers(1, 6), licence=KEYS, order=st.permutations(range(6)))
def test_what_is_planned_is_what_the_system_wants(bases: int, licence: str, order: Sequence[int]) -> None:
    definition = system(bases, licence=licence)
    shuffled = tuple(definition.bases[index] for index in order if index < bases)
    definition = replace(definition, bases=shuffled)
    plan = plan_dect(definition, DEFAULT_SECRET)
    assert plan is not None
    assert bool(plan.lacking) is (dect(dect_bench(definition)).state is not DectState.OK)
    assert plan.macs[0] == ADMM
    key = issue(park=plan.park, macs=plan.macs, bases=plan.bases, secret=DEFAULT_SECRET)
    bought = replace(definition, key=key.text)
    assert lacking(bought) == ""
    assert dect(dect_bench(bought)).state is DectState.OK
