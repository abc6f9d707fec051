"""Whatever has happened: all that is not in order says why, down to an event that is in the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import Fact
from ipo_sim.core.fault_model import InjectedFault
from ipo_sim.core.model import (
    Alarm,
    BaseStation,
    BootPolicy,
    Dect,
    DectDefinition,
    DectState,
    Entity,
    Extension,
    Feature,
    FeatureKey,
    Hold,
    KeyCondition,
    Led,
    Licence,
    Lifecycle,
    Nanoseconds,
    Part,
    PhoneState,
    Port,
    Reader,
    UnitDefinition,
    UnitStatus,
    User,
)
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.status import LicenceStatus
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.journal_replay import Point, Replayer
from ipo_sim.runtime.why import explain
from tests.core.bench import FULL, NOON, definition, key
from tests.core.dect_bench import system
from tests.core.facts import FACTS, FITTED, KEYS, MAKES, PAUSES
from tests.runtime.bench import A, open_bench

Action = Fact | int

# Whether somebody who looks at it would ask why: by what it is, not by the causes that it names.
WRONG: Mapping[type, Callable[[Any], bool]] = {
    Part: lambda part: part.service.hold not in (None, Hold.EMPTY),
    Licence: lambda licence: licence.status is not LicenceStatus.VALID,
    FeatureKey: lambda feature_key: feature_key.condition in (KeyCondition.GRACE, KeyCondition.NOT_IN_ORDER),
    Reader: lambda reader: not reader.attached and reader.last_error is not None,
    Feature: lambda feature: feature.refused or feature.wanting > 0,
    User: lambda user: not user.active,
    Extension: lambda extension: extension.state is PhoneState.UNLICENSED,
    BaseStation: lambda base: not base.reachable,
    Dect: lambda dect: dect.state is not DectState.OK,
    UnitStatus: lambda status: status.state is not Lifecycle.RUNNING,
    Alarm: lambda _: True,
    InjectedFault: lambda _: True,
    # A red heart beat is a base card's way of being well.
    Port: lambda _: False,
    Led: lambda led: led.colour == "red" and led.pattern != "beat",
}


@st.composite
def benches(draw: st.DrawFn) -> UnitDefinition:
    model, profile, reader = draw(st.sampled_from(MAKES))
    licences = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=4))
    dect: DectDefinition | None = draw(st.sampled_from([None, system(timer=True), system(licence=""), system(2)]))
    made = definition(*licences, parts=FITTED[model], policy=draw(st.sampled_from(BootPolicy)), profile=profile)
    return replace(made, name=A, dect=dect, model=model, reader_kind=reader, reader_name=reader)


def play(runtime: Runtime, history: list[Action]) -> None:
    for action in history:
        if isinstance(action, int):
            runtime.clock.advance(Nanoseconds(action))
            runtime.engine.run_due()
            continue
        try:
            runtime.engine.apply(A, action, "test")
        except CommandRejected:
            continue


def check_explained(runtime: Runtime) -> int:
    """Everything that is wrong has its chain; how much that was."""
    journal, unit, entries = runtime.journal, runtime.engine.unit(A), runtime.bus.latest(A)
    wrong = 0
    for path, entry in entries.items():
        assert entry.value is not None
        answer = explain(unit, entries, path, lambda seq: journal.entry(A, 1, seq))
        last = answer["chain"][-1]["cause"]
        assert all(link["text"] and "not in the journal" not in link["text"] for link in answer["chain"]), path
        assert last.startswith("event:"), (path, answer)
        assert last == "event:0" or journal.entry(A, 1, int(last[6:])) is not None, (path, last)
        if WRONG[type(entry.value)](entry.value):
            wrong += 1
            assert not answer["in_order"], (path, entry.value)
    return wrong


def test_no_kind_of_entity_is_left_out() -> None:
    assert WRONG.keys() == set(get_args(Entity))


@given(benches(), st.lists(FACTS | PAUSES, max_size=30))
def test_everything_that_is_not_in_order_says_why(unit: UnitDefinition, history: list[Action]) -> None:
    runtime = open_bench(None, unit)
    assert check_explained(runtime) > 0
    for start in range(0, len(history), 5):
        play(runtime, history[start : start + 5])
        check_explained(runtime)
    runtime.close()


@given(benches(), st.lists(FACTS | PAUSES, min_size=5, max_size=20), st.data())
def test_and_says_the_same_of_any_moment_that_is_gone(
    unit: UnitDefinition, history: list[Action], data: st.DataObject
) -> None:
    runtime = open_bench(None, unit)
    play(runtime, history[:5])
    journal, seq = runtime.journal, runtime.engine.unit(A).seq
    path = data.draw(st.sampled_from(sorted(runtime.bus.latest(A))))
    then = explain(runtime.engine.unit(A), runtime.bus.latest(A), path, lambda seq: journal.entry(A, 1, seq))
    play(runtime, history[5:])
    state = Replayer(journal, load_catalogue()).replay(A, 1, Point(seq=seq)).state
    assert explain(state.unit, state.entries, path, lambda seq: journal.entry(A, 1, seq)) == then
    runtime.close()


@pytest.mark.parametrize(
    ("led", "chain"),
    [
        ("leds/cpu", ["unit:starting", "event:1"]),
        ("leds/slot-1-led-1", ["slots/1", "unit:starting", "event:1"]),
        ("leds/slot-1-led-9", ["slots/1/daughter", "unit:starting", "event:1"]),
        ("leds/expansion-8", ["expansion/8", "unit:starting", "event:1"]),
    ],
)
def test_a_led_says_the_cause_of_what_it_shows(led: str, chain: list[str]) -> None:
    runtime = open_bench(None, replace(definition(key(), parts=FULL), name=A))
    answer = explain(runtime.engine.unit(A), runtime.bus.latest(A), led, lambda seq: runtime.journal.entry(A, 1, seq))
    assert [link["cause"] for link in answer["chain"]] == chain
    assert answer["chain"][-1]["at"] == "2026-01-05T12:00:00.000Z"
    assert runtime.clock.now() == NOON
    runtime.close()
