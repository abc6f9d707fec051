"""The vectors of docs/reference/journal.md, and that the code makes what they say."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.runtime.chain import NOTHING, epoch_hash, event_hash

VECTORS = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "journal-vectors.json").read_text("utf-8"))
texts = st.text(st.characters(codec="utf-8"), max_size=8)
numbers = st.integers(-(2**63), 2**63 - 1)


def test_rows_hash_as_the_vectors_say() -> None:
    for row in VECTORS["units"]:
        names = ("name", "epoch", "created", "definition", "rewound")
        assert epoch_hash(bytes.fromhex(row["before"]), *(row[name] for name in names)).hex() == row["hash"]
    for row in VECTORS["events"]:
        columns = ("id", "seq", "at", "type", "cause", "data")
        assert event_hash(bytes.fromhex(row["before"]), *(row[name] for name in columns)).hex() == row["hash"]


def test_the_vectors_are_one_chain() -> None:
    first, rewound = VECTORS["units"]
    events = VECTORS["events"]
    assert bytes.fromhex(first["before"]) == NOTHING
    chain = [first, *events[:3], rewound, events[3]]
    assert [row["before"] for row in chain[1:]] == [row["hash"] for row in chain[:-1]]


@given(st.lists(st.tuples(numbers, numbers, numbers, texts, texts, texts), min_size=2, max_size=2, unique=True))
def test_other_rows_have_other_hashes(rows: list[tuple[int, int, int, str, str, str]]) -> None:
    one, other = rows
    assert event_hash(NOTHING, *one) != event_hash(NOTHING, *other)


def test_what_moves_from_one_column_to_the_next_is_another_row() -> None:
    assert event_hash(NOTHING, 1, 1, 1, "ab", "c", "d") != event_hash(NOTHING, 1, 1, 1, "a", "bc", "d")
    assert event_hash(NOTHING, 1, 1, 1, "a", "bc", "d") != event_hash(NOTHING, 1, 1, 1, "a", "b", "cd")
    assert epoch_hash(NOTHING, "a", 1, 1, "bc", "") != epoch_hash(NOTHING, "ab", 1, 1, "c", "")
