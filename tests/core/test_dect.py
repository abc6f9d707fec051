"""IP DECT: a licence of its own, base stations that come and go, voice, the violation timer."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.codec import Decoder, encode, encode_unit
from ipo_sim.core.dect_events import (
    BaseStationConfigured,
    BaseStationLost,
    BaseStationReachable,
    BaseStationRemoved,
    DectLicenceEntered,
    DectLicenceRemoved,
)
from ipo_sim.core.events import (
    CallStarted,
    DateSet,
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    LicenceAdded,
    PowerApplied,
    PowerRemoved,
    RestartRequested,
)
from ipo_sim.core.model import (
    SECOND_NS,
    BaseDefinition,
    DectDefinition,
    DectState,
    Lifecycle,
    Nanoseconds,
    PartDefinition,
)
from ipo_sim.core.unit import next_deadline
from tests.core.bench import SERIAL, Bench, definition, key
from tests.core.dect_bench import (
    ADMM,
    FOURTH,
    MACS,
    OTHER_PARK,
    SECOND,
    THIRD,
    dect,
    dect_bench,
    dect_key,
    handsets,
    lose,
    refused,
    system,
    with_dect,
)

HOUR = 3_600 * SECOND_NS
VCM_CARD = PartDefinition("slots/1", "VCM32")


def left_hours(bench: Bench) -> float:
    timer = dect(bench).timer
    assert timer is not None
    return timer.left(bench.at) / HOUR


def test_a_unit_without_a_section_dect_has_nothing_of_it() -> None:
    bench = Bench(definition(key())).boot()
    assert bench.unit.dect is None
    assert not [path for path in bench.entities if path.startswith("dect")]
    facts = (
        DectLicenceEntered(dect_key()),
        DectLicenceRemoved(),
        BaseStationConfigured(FOURTH),
        BaseStationRemoved(ADMM),
        BaseStationLost(ADMM),
        BaseStationReachable(ADMM),
    )
    assert {refused(bench, fact) for fact in facts} == {"no-dect"}


def test_a_licensed_system_is_in_order() -> None:
    bench = dect_bench(system())
    state = dect(bench)
    assert (state.state, state.voice, state.cause) == (DectState.OK, True, ())
    assert (state.licensed_bases, state.licensed_macs, state.required, state.present) == (3, MACS[:3], 2, 3)
    assert [base.licensed for base in bench.unit.dect.bases] == [True] * 3 if bench.unit.dect else False
    assert bench.unit.alarms == ()


INACTIVE = [
    pytest.param(system(licence=""), "dect-licence", id="no licence key"),
    pytest.param(system(licence=dect_key(park=OTHER_PARK)), "dect-park", id="a key for another PARK"),
    pytest.param(system(licence=dect_key(secret=b"another")), "dect-park", id="a key of another secret"),
    pytest.param(system(0), "dect-admm", id="no base station at all"),
]


@pytest.mark.parametrize(("made", "cause"), INACTIVE)
def test_it_is_inactive_without_licence_valid_park_or_admm(made: DectDefinition, cause: str) -> None:
    bench = dect_bench(made)
    assert (dect(bench).state, dect(bench).voice) == (DectState.INACTIVE, False)
    assert dect(bench).cause == (cause, "event:0")
    alarm = bench.alarm("46-dect")
    assert alarm is not None
    assert (alarm.reason, alarm.text) == (32, "IP DECT inactive")


def test_the_key_is_entered_in_the_dect_system_and_not_in_the_unit() -> None:
    bench = dect_bench(system(licence=""))
    assert refused(bench, LicenceAdded(dect_key())) == "bad-licence"
    assert refused(bench, DectLicenceEntered(key())) == "bad-licence"
    bench.apply(DectLicenceEntered(dect_key().lower()))
    assert dect(bench).state is DectState.OK
    assert len(bench.unit.licences) == 1
    assert bench.notified() == [(47, 1, "dect")]
    assert refused(bench, DectLicenceEntered(dect_key())) == "unchanged"
    bench.apply(DectLicenceRemoved())
    assert (dect(bench).state, dect(bench).licensed_bases) == (DectState.INACTIVE, 0)
    assert bench.notified() == [(46, 4, "dect")]
    assert refused(bench, DectLicenceRemoved()) == "unchanged"


def test_a_key_comes_with_its_park() -> None:
    bench = dect_bench(system(licence=""))
    bench.apply(DectLicenceEntered(dect_key(park=OTHER_PARK)))
    assert dect(bench).cause == ("dect-park", f"event:{bench.unit.seq}")
    bench.apply(DectLicenceEntered(dect_key(park=OTHER_PARK), park=OTHER_PARK.lower()))
    assert (dect(bench).state, dect(bench).park) == (DectState.OK, OTHER_PARK)
    assert refused(bench, DectLicenceEntered(dect_key(), park="none")) == "bad-park"


def test_fewer_than_must_answer_block_voice_at_once_and_their_return_brings_it_back() -> None:
    bench = dect_bench(system())
    lose(bench, SECOND)
    assert (dect(bench).state, bench.notified()) == (DectState.OK, [])
    lose(bench, THIRD)
    assert dect(bench).state is DectState.VOICE_BLOCKED
    assert dect(bench).cause == (f"dect/bases/{THIRD}", f"event:{bench.unit.seq}")
    assert bench.notified() == [(46, 4, "dect")]
    alarm = bench.alarm("46-dect")
    assert alarm is not None
    assert (alarm.reason, alarm.entity, alarm.cause) == (32, "dect", dect(bench).cause)
    bench.apply(BaseStationReachable(SECOND))
    assert (dect(bench).state, bench.notified()) == (DectState.OK, [(47, 1, "dect")])


def test_more_base_stations_than_licensed_block_voice_timer_or_not() -> None:
    for timer in (False, True):
        bench = dect_bench(system(timer=timer))
        bench.apply(BaseStationConfigured(FOURTH))
        assert dect(bench).state is DectState.VOICE_BLOCKED
        assert dect(bench).cause == ("limit:the licence is for 3 base stations", f"event:{bench.unit.seq}")
        bench.apply(BaseStationRemoved(FOURTH))
        assert dect(bench).state is DectState.OK


def test_a_base_station_of_the_key_that_is_not_there_does_not_answer() -> None:
    bench = dect_bench(system(2))
    assert (dect(bench).state, dect(bench).present) == (DectState.OK, 2)
    bench.apply(BaseStationRemoved(SECOND))
    assert dect(bench).state is DectState.VOICE_BLOCKED
    assert dect(bench).cause == (f"dect/bases/{SECOND}", f"event:{bench.unit.seq}")
    bench.apply(BaseStationConfigured(SECOND))
    assert dect(bench).state is DectState.OK


def test_a_base_station_that_is_not_in_the_key_counts_for_nothing() -> None:
    bench = dect_bench(system(4, licence=dect_key(bases=4)))
    lose(bench, FOURTH)
    assert dect(bench).state is DectState.OK
    lose(bench, SECOND, THIRD)
    bench.apply(BaseStationReachable(FOURTH))
    assert dect(bench).state is DectState.VOICE_BLOCKED


def test_the_admm_must_always_be_present() -> None:
    bench = dect_bench(system(timer=True))
    assert refused(bench, BaseStationRemoved(ADMM)) == "admm-needed"
    assert refused(bench, BaseStationConfigured(ADMM, carries_calls=False)) == "admm-needed"
    lose(bench, ADMM)
    assert dect(bench).state is DectState.VOICE_BLOCKED
    assert dect(bench).cause == (f"dect/bases/{ADMM}", f"event:{bench.unit.seq}")
    bench.apply(BaseStationConfigured(SECOND, admm=True))
    assert bench.unit.dect is not None
    assert [base.admm for base in bench.unit.dect.bases] == [False, True, False]
    assert dect(bench).state is DectState.WARNING
    bench.apply(BaseStationRemoved(ADMM), BaseStationRemoved(THIRD), BaseStationRemoved(SECOND))
    assert (dect(bench).state, dect(bench).cause[0]) == (DectState.INACTIVE, "dect-admm")
    bench.apply(BaseStationConfigured(THIRD))
    assert bench.unit.dect.bases[0].admm


def test_the_timer_warns_then_runs_down_then_voice_is_blocked() -> None:
    bench = dect_bench(system(timer=True))
    lose(bench, SECOND)
    assert (dect(bench).state, left_hours(bench)) == (DectState.WARNING, 72)
    assert next_deadline(bench.unit) is None
    bench.advance(hours=5)
    lose(bench, THIRD)
    violation = bench.unit.seq
    assert (dect(bench).state, dect(bench).voice) == (DectState.VIOLATION, True)
    assert next_deadline(bench.unit) == bench.at + 72 * HOUR
    assert bench.notified() == []
    bench.advance(hours=71.9)
    assert dect(bench).state is DectState.VIOLATION
    bench.advance(hours=0.1)
    assert (dect(bench).state, left_hours(bench)) == (DectState.VOICE_BLOCKED, 0)
    assert dect(bench).cause == (f"dect/bases/{THIRD}", f"event:{violation}")
    assert bench.notified() == [(46, 4, "dect")]
    assert next_deadline(bench.unit) is None


def test_the_timer_fills_again_at_the_same_rate() -> None:
    bench = dect_bench(system(timer=True))
    lose(bench, SECOND, THIRD)
    bench.advance(hours=10)
    bench.apply(BaseStationReachable(SECOND))
    assert (dect(bench).state, left_hours(bench)) == (DectState.WARNING, 62)
    bench.advance(hours=4)
    lose(bench, SECOND)
    assert (dect(bench).state, left_hours(bench)) == (DectState.VIOLATION, 66)
    bench.advance(hours=66)
    assert dect(bench).state is DectState.VOICE_BLOCKED
    bench.apply(BaseStationReachable(SECOND), BaseStationReachable(THIRD))
    assert (dect(bench).state, left_hours(bench)) == (DectState.OK, 0)
    assert next_deadline(bench.unit) == bench.at + 72 * HOUR
    lose(bench, SECOND, THIRD)
    assert dect(bench).state is DectState.VOICE_BLOCKED
    bench.apply(BaseStationReachable(THIRD))
    bench.advance(hours=72)
    assert left_hours(bench) == 72
    assert next_deadline(bench.unit) is None


def test_neither_the_units_date_nor_the_same_key_again_turns_the_timer_back() -> None:
    bench = dect_bench(system(timer=True))
    lose(bench, SECOND, THIRD)
    bench.advance(hours=10)
    bench.apply(DateSet(Nanoseconds(-48 * HOUR)))
    text = dect(bench).key
    bench.apply(DectLicenceRemoved(), DectLicenceEntered(text))
    assert (dect(bench).state, left_hours(bench)) == (DectState.VIOLATION, 62)


def test_the_smart_card_plays_no_part() -> None:
    """The unit halts, so that nobody calls; what the DECT licence is worth does not change by it."""
    bench = dect_bench(system(), parts=(VCM_CARD,))
    handsets(bench, 1)
    before = dect(bench)
    bench.apply(FeatureKeyRemoved())
    bench.advance(hours=2)
    assert bench.state is Lifecycle.AWAITING_FEATURE_KEY
    assert dect(bench) == before
    assert refused(bench, CallStarted("c1", extension="301")) == "wrong-state"
    lose(bench, SECOND, THIRD)
    assert dect(bench).state is DectState.VOICE_BLOCKED
    assert bench.alarm("46-dect") is not None
    bench.apply(BaseStationReachable(SECOND), FeatureKeyInserted("9999999999"))
    assert (dect(bench).state, bench.state) == (DectState.OK, Lifecycle.RUNNING)
    bench.apply(CallStarted("c1", extension="301"))
    assert dect(bench).calls == 1


def test_it_goes_on_while_the_unit_is_off_and_tells_when_that_is_up() -> None:
    bench = dect_bench(system(timer=True))
    lose(bench, SECOND, THIRD)
    bench.apply(PowerRemoved())
    bench.advance(hours=72)
    assert dect(bench).state is DectState.VOICE_BLOCKED
    assert bench.unit.alarms == ()
    assert bench.notified() == []
    bench.apply(PowerApplied())
    bench.advance(10)
    assert (46, 4, "dect") in bench.notified()


REFUSED: list[tuple[Fact, str]] = [
    (BaseStationConfigured("nonsense"), "bad-mac"),
    (BaseStationConfigured("01:00:5e:00:00:01"), "bad-mac"),
    (BaseStationConfigured(SECOND.upper().replace(":", "-")), "unchanged"),
    (BaseStationRemoved(FOURTH), "unknown-base"),
    (BaseStationLost(FOURTH), "unknown-base"),
    (BaseStationReachable(SECOND), "unchanged"),
    (BaseStationReachable("x"), "bad-mac"),
    (DectLicenceEntered("Z" * 64), "bad-licence"),
]


@pytest.mark.parametrize(("fact", "reason"), REFUSED, ids=[f"{f.TYPE}-{n}" for n, (f, _) in enumerate(REFUSED)])
def test_refusals_are_named(fact: Fact, reason: str) -> None:
    assert refused(dect_bench(system()), fact) == reason


def test_base_stations_show_as_entities_that_come_and_go() -> None:
    bench = dect_bench(system())
    effects = bench.apply(BaseStationConfigured(FOURTH, carries_calls=False))
    assert list(effects.changes)[:2] == [f"dect/bases/{FOURTH}", "dect"]
    assert list(bench.entities).index("dect") == list(bench.entities).index(f"dect/bases/{FOURTH}") + 1
    effects = bench.apply(BaseStationRemoved(FOURTH))
    assert next(iter(effects.changes.items())) == (f"dect/bases/{FOURTH}", None)


def test_state_and_definition_come_through_the_journal_as_they_are() -> None:
    made = with_dect(system(timer=True))
    bench = Bench(made).boot()
    lose(bench, SECOND, THIRD)
    bench.advance(hours=3)
    decoder = Decoder(load_catalogue().parts)
    again = decoder.definition(json.loads(json.dumps(encode(made))))
    assert again == made
    assert decoder.unit(json.loads(json.dumps(encode_unit(bench.unit))), again, load_catalogue()) == bench.unit


spans = st.lists(st.tuples(st.integers(0, 40), st.sampled_from([SECOND, THIRD]), st.booleans()), max_size=14)


@given(steps=spans, restarts=st.booleans())
@settings(max_examples=80, deadline=None)
def test_the_units_timer_is_what_one_reckons_by_hand(*, steps: list[tuple[int, str, bool]], restarts: bool) -> None:
    """Deadlines fire in between, the unit restarts: what is left depends on the times of violation alone."""
    bench = dect_bench(system(timer=True))
    reachable = {SECOND: True, THIRD: True}
    left = 72
    for hours, mac, answers in steps:
        if reachable[mac] is not answers:
            bench.apply(BaseStationReachable(mac) if answers else BaseStationLost(mac))
            reachable[mac] = answers
        if restarts and bench.state is Lifecycle.RUNNING:
            bench.apply(RestartRequested())
        violated = not any(reachable.values())
        bench.advance(hours=hours)
        left = max(0, left - hours) if violated else min(72, left + hours)
        assert left_hours(bench) == left
        blocked = violated and left == 0
        assert dect(bench).voice is not blocked
        deadline = next_deadline(bench.unit)
        assert deadline is None or deadline > bench.unit.at


def test_base_stations_of_a_definition_keep_their_flags() -> None:
    made = replace(system(), bases=(BaseDefinition(ADMM, admm=True), BaseDefinition(SECOND, reachable=False)))
    bench = dect_bench(made)
    assert (dect(bench).state, dect(bench).present) == (DectState.VOICE_BLOCKED, 1)
    assert SERIAL not in dect(bench).key
