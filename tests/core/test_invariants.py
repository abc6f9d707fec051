"""What holds in every history of a unit, tried by a machine that makes up histories."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.types import Consumption, LicenceKind
from ipo_sim.core.codec import Decoder, encode, encode_unit
from ipo_sim.core.draft import UP
from ipo_sim.core.effects import Effects
from ipo_sim.core.events import (
    DeadlineReached,
    Event,
    Fact,
    FeatureKeyInserted,
    PowerApplied,
    fact_data,
    fact_from,
)
from ipo_sim.core.model import (
    SECOND_NS,
    BootPolicy,
    DectDefinition,
    DectState,
    Entity,
    Hold,
    KeyCondition,
    Lifecycle,
    Nanoseconds,
    Unit,
)
from ipo_sim.core.unit import entities, new_unit, next_deadline, step
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.status import LicenceStatus
from tests.core.bench import NOON, OTHER_SERIAL, PROFESSIONAL, SERIAL, definition
from tests.core.dect_bench import system
from tests.core.facts import FACTS, FITTED, KEYS, MAKES, PAUSES


def snapshot(unit: Unit) -> str:
    return json.dumps(encode_unit(unit))


class UnitMachine(RuleBasedStateMachine):
    """A unit to which anything happens, deadlines in their turn."""

    @initialize(
        licences=st.lists(st.sampled_from(KEYS), unique=True, max_size=4),
        policy=st.sampled_from(BootPolicy),
        make=st.sampled_from(MAKES),
        offset=st.sampled_from([0, 60, -300]),
        dect=st.sampled_from([None, system(timer=True), system(licence=""), system(2, timer=True)]),
    )
    def deliver(
        self,
        licences: list[str],
        policy: BootPolicy,
        make: tuple[str, str, str],
        offset: int,
        dect: DectDefinition | None,
    ) -> None:
        model, profile, reader = make
        made = definition(*licences, parts=FITTED[model], policy=policy, profile=profile, utc_offset_minutes=offset)
        self.definition = replace(made, dect=dect, model=model, reader_kind=reader, reader_name=reader)
        self.runs_without_key = not load_catalogue().models[model].takes_base_cards
        self.unit = new_unit(self.definition, load_catalogue())
        self.at: int = NOON
        self.history: list[tuple[Event, Effects]] = []
        self.store: dict[str, Entity] = entities(self.unit)

    def names_of_pools(self) -> set[str]:
        """Licences, and the pools' own names where no licence of model and release feeds one."""
        catalogue, definition = self.unit.catalogue, self.unit.definition
        fed = {
            kind.feature
            for kind in catalogue.licences.values()
            if definition.model in kind.models and definition.release_profile in kind.profiles
        }
        own = {rule.title for rule in catalogue.pools.values() if rule.title and rule.feature not in fed}
        return own | set(catalogue.licences_by_name)

    def happen(self, fact: Fact) -> None:
        event = Event(Nanoseconds(self.at), fact, "machine")
        before, snapshot_before = self.unit, snapshot(self.unit)
        try:
            unit, effects = step(self.unit, event)
        except CommandRejected as rejected:
            assert rejected.reason  # noqa: PT017 - a refusal is one of the outcomes here
            assert self.unit is before
            assert snapshot(self.unit) == snapshot_before
            return
        assert effects.seq == before.seq + 1 == unit.seq
        assert set(effects.refused) <= self.names_of_pools()
        assert snapshot(before) == snapshot_before
        self.unit = unit
        self.history.append((event, effects))
        for path, value in effects.changes.items():
            if value is None:
                del self.store[path]
            else:
                self.store[path] = value

    @rule(fact=FACTS)
    def event(self, fact: Fact) -> None:
        self.happen(fact)

    @rule(pause=PAUSES)
    def time_passes(self, pause: int) -> None:
        end = self.at + pause
        while (deadline := next_deadline(self.unit)) is not None and deadline <= end:
            self.at = deadline
            seq = self.unit.seq
            self.happen(DeadlineReached())
            assert self.unit.seq == seq + 1
        self.at = end

    @precondition(lambda self: self.unit.life.state is Lifecycle.OFF)
    @rule(serial=st.sampled_from([SERIAL, OTHER_SERIAL]))
    def boot(self, serial: str) -> None:
        self.happen(FeatureKeyInserted(serial))
        self.happen(PowerApplied())
        self.time_passes(10 * SECOND_NS)

    @invariant()
    def no_module_serves_without_an_edition_licence(self) -> None:
        opening = {PROFESSIONAL, "Essential Edition"} if self.definition.release_profile == "r6" else {PROFESSIONAL}
        licensed = any(
            licence.status is LicenceStatus.VALID and licence.type_name in opening for licence in self.unit.licences
        )
        serving = [p.place.path for p in self.unit.parts if p.place.path.startswith("exp") and p.service.hold is None]
        assert licensed or not serving or self.runs_without_key
        if serving and not self.runs_without_key:
            assert self.unit.key.condition in (KeyCondition.IN_ORDER, KeyCondition.GRACE)
            assert self.unit.life.state is Lifecycle.RUNNING

    @invariant()
    def an_ip400_system_never_waits_for_its_key_and_no_licence_holds_its_modules(self) -> None:
        if self.runs_without_key:
            assert self.unit.life.state is not Lifecycle.AWAITING_FEATURE_KEY
            assert not any(part.service.hold in (Hold.LICENCE, Hold.KEY) for part in self.unit.parts)

    @invariant()
    def alarm_24_stands_while_a_key_server_is_lost_and_only_then(self) -> None:
        reader, up = self.unit.reader, self.unit.life.state in (Lifecycle.RUNNING, Lifecycle.AWAITING_FEATURE_KEY)
        lost = reader.kind == "key-server" and not reader.attached and reader.last_error is not None
        assert ("24-reader" in {alarm.id for alarm in self.unit.alarms}) is (up and lost)

    @invariant()
    def without_a_key_in_order_or_in_grace_no_licence_is_valid(self) -> None:
        if self.unit.key.condition not in (KeyCondition.IN_ORDER, KeyCondition.GRACE):
            assert not any(licence.status is LicenceStatus.VALID for licence in self.unit.licences)

    @invariant()
    def a_licence_is_valid_only_for_the_serial_that_counts(self) -> None:
        for licence in self.unit.licences:
            if licence.status is LicenceStatus.VALID:
                assert licence.matches == (self.unit.key.validated_serial, True)

    @invariant()
    def everything_out_of_order_has_a_cause_that_ends_at_an_event(self) -> None:
        causes = [part.service.cause for part in self.unit.parts if part.service.hold not in (None, Hold.EMPTY)]
        causes += [licence.cause for licence in self.unit.licences if licence.status is not LicenceStatus.VALID]
        causes += [alarm.cause for alarm in self.unit.alarms]
        causes += [feature.cause for feature in self.unit.features if feature.refused or feature.wanting]
        if self.unit.life.state is not Lifecycle.RUNNING:
            causes.append(self.unit.status.cause)
        if self.unit.key.condition in (KeyCondition.GRACE, KeyCondition.NOT_IN_ORDER):
            causes.append(self.unit.key.cause)
        for cause in causes:
            assert cause
            kind, _, seq = cause[-1].partition(":")
            assert kind == "event"
            assert 0 <= int(seq) <= self.unit.seq

    @invariant()
    def a_pool_is_never_negative_nor_more_than_keys_and_allowances_give(self) -> None:
        for feature in self.unit.features:
            assert 0 <= feature.usable <= feature.licensed + feature.free
            assert feature.available == max(0, feature.usable - feature.in_use)
            used = sum(held.instances for held in self.unit.holdings if held.active and held.feature == feature.name)
            assert used == feature.in_use
            yielding = sum(
                held.instances
                for held in self.unit.holdings
                if held.active and held.feature == feature.name and held.consumption is not Consumption.IN_USE
            )
            # Use that exists is kept when instances shrink; what yields never exceeds the pool.
            assert yielding <= feature.usable
            licensed = sum(
                1 if kind.kind is LicenceKind.FEATURE else licence.decoded.instances
                for licence in self.unit.licences
                if licence.status is LicenceStatus.VALID and licence.decoded is not None
                for kind in [self.unit.catalogue.licences[licence.decoded.licence_code]]
                if kind.feature == feature.name
            )
            assert licensed == feature.licensed

    @invariant()
    def nobody_waits_while_an_instance_is_free(self) -> None:
        free = {feature.name: feature.available for feature in self.unit.features}
        for held in self.unit.holdings:
            assert held.active or held.instances > free.get(held.feature, 0)
        assert {held.feature for held in self.unit.holdings} <= free.keys()

    @invariant()
    def dect_has_voice_only_with_a_key_for_its_park_an_admm_that_answers_and_a_quorum_or_time_left(self) -> None:
        system = self.unit.dect
        if system is None:
            return
        dect, bases = system
        assert sum(base.admm for base in bases) == (1 if bases else 0)
        assert dect.timer is None or 0 <= dect.timer.left(self.unit.at) <= dect.timer.budget_ns
        assert (dect.cause == ()) is (dect.state is DectState.OK)
        assert (self.unit.status.state in UP and not dect.voice) is any(a.id == "46-dect" for a in self.unit.alarms)
        if dect.voice:
            assert any(base.admm and base.reachable for base in bases)
            assert 0 < len(bases) <= dect.licensed_bases
            assert dect.present >= dect.required or (dect.timer is not None and dect.timer.left(self.unit.at) > 0)
        assert dect.calls == len({held.holder for held in self.unit.holdings if held.request == "dect"})

    @invariant()
    def deadlines_never_lie_in_the_past(self) -> None:
        deadline = next_deadline(self.unit)
        assert deadline is None or deadline >= self.unit.at

    @invariant()
    def the_changes_add_up_to_what_can_be_seen(self) -> None:
        assert self.store == entities(self.unit)

    @invariant()
    def telephony_runs_only_in_the_running_state(self) -> None:
        assert self.unit.status.telephony is (self.unit.life.state is Lifecycle.RUNNING)
        assert self.unit.status.state is self.unit.life.state

    @invariant()
    def alarms_are_unique_and_only_of_a_unit_that_is_up(self) -> None:
        names = [alarm.id for alarm in self.unit.alarms]
        assert len(set(names)) == len(names)
        assert not names or self.unit.life.state in (Lifecycle.RUNNING, Lifecycle.AWAITING_FEATURE_KEY)

    def teardown(self) -> None:
        """The same events give the same bytes, also when they went through a journal in between."""
        if not hasattr(self, "unit"):
            return
        catalogue = load_catalogue()
        decoder = Decoder(catalogue.parts)
        again = new_unit(decoder.definition(json.loads(json.dumps(encode(self.definition)))), catalogue)
        for event, effects in self.history:
            written = json.loads(json.dumps(fact_data(event.fact)))
            # Without what is kept from event to event: to check one string must come to the same as to check all.
            forgetful = again._replace(ledger=None)
            again, same = step(forgetful, Event(event.at, fact_from(event.fact.TYPE, written), event.cause))
            assert same == effects
        assert snapshot(again) == snapshot(self.unit)
        kept = decoder.unit(json.loads(snapshot(self.unit)), again.definition, catalogue)
        assert kept == self.unit


UnitMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
test_short_histories = UnitMachine.TestCase


class _LongMachine(UnitMachine):
    """The same, longer and more often."""


_LongMachine.TestCase.settings = settings(
    max_examples=150, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
test_long_histories = pytest.mark.slow(pytest.mark.timeout(180)(_LongMachine.TestCase))
