"""Whatever the catalogue and the configuration: it does not matter in which order keys are entered and deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipo_sim.core.events import (
    ConfigurationLoaded,
    Event,
    LicenceAdded,
    LicenceRemoved,
    LicencesImported,
)
from ipo_sim.core.model import (
    Unit,
)
from ipo_sim.core.unit import new_unit, step
from tests.core.catalogue_bench import Life, definitions, keys_of, picks
from tests.core.catalogues import catalogues

# Histories of many keys, hundreds of them: on a machine that has other work they outlast the usual limit.
pytestmark = pytest.mark.timeout(120)


def worth(unit: Unit) -> tuple[object, ...]:
    """What a unit's strings come to, whatever their numbers are."""
    return (
        Counter((licence.text, licence.status) for licence in unit.licences),
        unit.edition._replace(module_cause=(), phones_cause=()),
        {f.name: (f.licence, f.licensed, f.free, f.usable, f.in_use, f.wanting, f.refused) for f in unit.features},
        {user.name: user.active for user in unit.users},
        {extension.number: extension.state for extension in unit.extensions},
        {part.place.path: part.service.hold for part in unit.parts},
        {(alarm.id, alarm.reason) for alarm in unit.alarms},
    )


def imported(unit: Unit, texts: Sequence[str], sizes: Sequence[int]) -> Unit:
    """The unit after these strings came in lots of these sizes, one by one at the end, and were loaded."""
    life, rest = Life(unit, unit.at), iter(texts)
    for size in sizes:
        lot = tuple(islice(rest, size))
        if lot:
            assert life.happen(LicencesImported(lot)) is not None
    for text in rest:
        assert life.happen(LicenceAdded(text)) is not None
    assert life.happen(ConfigurationLoaded()) is not None
    return life.unit


@given(data=st.data())
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_order_of_import_does_not_matter(data: st.DataObject) -> None:
    catalogue = data.draw(catalogues())
    texts = keys_of(catalogue, data.draw(picks))
    unit = Life(new_unit(replace(data.draw(definitions(catalogue, texts)), licences=()), catalogue)).boot().unit
    sizes = st.lists(st.integers(1, 6), max_size=4)
    once = imported(unit, texts, [len(texts)])
    again = imported(unit, data.draw(st.permutations(texts)), data.draw(sizes))
    assert worth(again) == worth(once)


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_loading_after_each_key_comes_to_the_same_pools_as_loading_once(data: st.DataObject) -> None:
    catalogue = data.draw(catalogues())
    texts = keys_of(catalogue, data.draw(picks))
    made = replace(data.draw(definitions(catalogue, texts)), licences=(), users=(), extensions=())
    unit = Life(new_unit(made, catalogue)).boot().unit
    one_by_one = unit
    for text in data.draw(st.permutations(texts)):
        one_by_one = imported(one_by_one, [text], [])
    assert worth(one_by_one) == worth(imported(unit, texts, [len(texts)]))
    rest = data.draw(st.permutations(texts))
    while rest:
        one_by_one, _ = step(one_by_one, Event(one_by_one.at, LicenceRemoved(rest.pop())))
        assert worth(one_by_one) == worth(imported(unit, rest, [len(rest)]) if rest else unit)
