"""Requests from strangers: any bytes are a request or refused, and a sender has its allowance."""

from __future__ import annotations

import contextlib
import json

from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.api.allowance import Allowance
from ipo_sim.api.requests import parse_request
from ipo_sim.core.model import UnitName
from ipo_sim.errors import CommandRejected

UNIT = UnitName("bench-1")


def test_the_allowance_refills_at_its_rate() -> None:
    allowance = Allowance(rate=2.0, burst=3.0)
    assert [allowance.take(UNIT, 0.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(UNIT, 1.0) for _ in range(3)] == [True, True, False]
    assert allowance.take(UnitName("other"), 1.0)
    assert [allowance.take(UNIT, 1_000.0) for _ in range(4)] == [True, True, True, False]


@given(st.binary(max_size=400) | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(repr).map(str.encode))
def test_any_bytes_are_a_request_or_refused(payload: bytes) -> None:
    with contextlib.suppress(CommandRejected):
        assert "id" not in parse_request(payload).arguments


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])).filter(lambda name: name != "id"), JSON))
def test_any_object_comes_through_as_it_is(arguments: dict[str, object]) -> None:
    assert parse_request(json.dumps(arguments).encode()).arguments == arguments
