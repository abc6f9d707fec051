"""Which unit is probably meant."""

from __future__ import annotations

import pytest

from ipo_sim.client.mqtt_connection import nearest_unit

FLEET = [f"unit-{n:04}" for n in range(1, 100)]


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("unit-7", FLEET, "unit-0007"),
        ("unit-17", FLEET, "unit-0017"),
        ("unit-00090", FLEET, "unit-0090"),
        ("unit-0", ["unit-0000", "unit-0001"], "unit-0000"),
        ("bench1", ["bench-1", "lab"], "bench-1"),
        ("zzz", FLEET, None),
        ("unit-7", [], None),
    ],
)
def test_the_same_number_counts_more_than_the_same_letters(name: str, known: list[str], near: str | None) -> None:
    assert nearest_unit(name, known) == near
