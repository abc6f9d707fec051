"""A store says of each path what a plain dictionary of entries would, and units that show the same share its paths."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.core.model import Entity, Nanoseconds, Reader
from ipo_sim.runtime.store import Entry, Stamp, Store

PATHS = [f"leds/{number}" for number in range(6)]
values = st.none() | st.sampled_from(
    [Reader(kind, kind, attached=True, seq=0) for kind in ("virtual", "serial", "pcsc")]
)
changes = st.dictionaries(st.sampled_from(PATHS), values)


def entry(seq: int, value: Entity | None) -> Entry:
    return Entry(seq, Nanoseconds(seq * 1_000), value)


@given(changes, st.lists(changes))
def test_it_reads_like_a_dictionary_of_entries(
    first: dict[str, Entity | None], later: list[dict[str, Entity | None]]
) -> None:
    known = {path: entry(0, value) for path, value in first.items() if value is not None}
    store = Store(known)
    for seq, new in enumerate(later, 1):
        store.change(Stamp(seq, Nanoseconds(seq * 1_000)), new)
        for path, value in new.items():
            if value is None:
                known.pop(path, None)
            else:
                known[path] = entry(seq, value)
        assert dict(store) == known
        assert len(store) == len(known)
        assert [path for path in PATHS if path in store] == sorted(known)
        assert [store.get(path) for path in PATHS] == [known.get(path) for path in PATHS]


def test_stores_of_the_same_paths_share_them() -> None:
    reader = Reader("virtual", "virtual", attached=True, seq=0)
    one, other = Store({"reader": entry(0, reader)}), Store({})
    other.change(Stamp(1, Nanoseconds(1_000)), {"reader": reader})
    assert next(iter(one)) is next(iter(other))
    assert one._shape is other._shape
    other.change(Stamp(2, Nanoseconds(2_000)), {"unit": reader})
    assert (list(one), list(other)) == (["reader"], ["reader", "unit"])
