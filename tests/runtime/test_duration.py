from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.core.model import SECOND_NS, Nanoseconds
from ipo_sim.runtime.duration import duration_text, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("0.5", 0.5),
        ("90s", 90),
        ("2h", 7_200),
        ("1h30m", 5_400),
        ("1h 30m 5s", 5_405),
        ("1.5h", 5_400),
        ("2d", 172_800),
        ("1w", 604_800),
        ("250ms", 0.25),
        (" 5 m ", 300),
        ("0", 0),
    ],
)
def test_lengths_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds * SECOND_NS


@pytest.mark.parametrize("text", ["", "soon", "-5", "2 hours", "h", "1h30", "1e3", "nan", "5x", "1h-30m"])
def test_what_is_none_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="write 90s, 1h30m, 2d"):
        parse_duration(text)


def test_nothing_is_nought_seconds() -> None:
    assert duration_text(Nanoseconds(0)) == "0s"


@given(st.integers(min_value=0, max_value=10**12))
def test_what_is_written_is_read_back(milliseconds: int) -> None:
    duration = Nanoseconds(milliseconds * 1_000_000)
    assert parse_duration(duration_text(duration)) == duration
