"""What holds of licences and their pools in every history of every unit, whatever the catalogue says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ipo_sim.catalogue.types import Catalogue, Consumption
from ipo_sim.core.effects import Effects
from ipo_sim.core.events import (
    CallEnded,
    CallStarted,
    ConfigurationLoaded,
    DateSet,
    Event,
    ExtensionConfigured,
    ExtensionRemoved,
    Fact,
    FaultCleared,
    FaultSet,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    InstancesReleased,
    InstancesRequested,
    LicenceAdded,
    LicenceRemoved,
    LicencesImported,
    PartFitted,
    PartWithdrawn,
    PhoneRegistered,
    PhoneUnregistered,
    PowerApplied,
    PowerRemoved,
    RestartRequested,
    UserConfigured,
    UserRemoved,
)
from ipo_sim.core.model import (
    SECOND_NS,
    ExtensionKind,
    Feature,
    Holding,
    Nanoseconds,
    Reserve,
    Unit,
)
from ipo_sim.core.people import BASIC, user_features
from ipo_sim.core.unit import new_unit, step
from ipo_sim.licensing.status import LicenceStatus
from tests.core import by_the_rules
from tests.core.bench import OTHER_SERIAL, SERIAL
from tests.core.catalogue_bench import NAMES, NUMBERS, PLACES, Life, definitions, keys_of, picks
from tests.core.catalogues import FEATURES, catalogues

CLAIMS = (InstancesRequested, CallStarted, UserConfigured, PhoneRegistered)


def pools(unit: Unit) -> dict[str, tuple[int, ...]]:
    return {f.name: (f.licensed, f.free, f.usable, f.in_use, f.available) for f in unit.features}


def taken(unit: Unit, holding: Holding) -> bool:
    return any((held.holder, held.feature) == (holding.holder, holding.feature) for held in unit.holdings)


class CatalogueMachine(RuleBasedStateMachine):
    """A unit of any catalogue and any configuration, to which anything happens that has to do with licences."""

    @initialize(catalogue=catalogues(), picks=picks, data=st.data())
    def deliver(self, catalogue: Catalogue, picks: Sequence[tuple[int, int, bool, bool]], data: st.DataObject) -> None:
        self.keys = keys_of(catalogue, picks)
        made = data.draw(definitions(catalogue, self.keys))
        self.profiles = (BASIC, *user_features(catalogue))
        self.life = Life(new_unit(made, catalogue)).boot()
        self.places = PLACES[made.model]
        self.over: dict[str, int] = {}

    @property
    def unit(self) -> Unit:
        return self.life.unit

    def happen(self, fact: Fact) -> None:
        before = self.unit
        effects = self.life.happen(fact)
        if effects is None:
            assert self.unit is before
            return
        if isinstance(fact, CLAIMS):
            self.every_refusal_names_its_licence(before, fact, effects)

    def every_refusal_names_its_licence(self, before: Unit, fact: Fact, effects: Effects) -> None:
        """Who asked and got nothing is told a licence that feeds what he asked for; who got it is told none."""
        match fact:
            case InstancesRequested():
                holder, wanted = fact.holder, {fact.feature}
            case CallStarted():
                numbers = (fact.vcm, fact.pri, fact.sip, fact.voicemail)
                named = ("vcm-channels", "pri-channels", "sip-trunk-channels", "voicemail-pro-ports")
                holder = f"call:{fact.call}"
                wanted = {feature for feature, number in zip(named, numbers, strict=True) if number}
            case UserConfigured():
                holder, wanted = f"user:{fact.name}", {fact.profile, *fact.features}
            case PhoneRegistered():
                holder, wanted = f"extension:{fact.extension}", {"avaya-ip-endpoints", "third-party-ip-endpoints"}
            case _:
                raise AssertionError(fact)
        feeding = {kind.name: kind.feature for kind in self.unit.catalogue.licences.values()}
        assert {feeding[name] for name in effects.refused} <= wanted
        new = [held for held in self.unit.holdings if held.seq == effects.seq and held.holder == holder]
        if effects.refused:
            assert not any(held.active and feeding_any(feeding, effects.refused, held) for held in new)
            assert any(alarm.id.startswith("46-features-") for alarm in self.unit.alarms) or self.has_room(effects)
        elif isinstance(fact, InstancesRequested | CallStarted):
            assert {held.feature for held in new if held.active} == wanted
        elif isinstance(fact, UserConfigured):
            user = next(user for user in self.unit.users if user.name == fact.name)
            assert (user.profile, user.features) == (fact.profile, fact.features)

    def has_room(self, effects: Effects) -> bool:
        """Too few were left for what was asked, but some are: then no alarm stands."""
        feeding = {kind.name: kind.feature for kind in self.unit.catalogue.licences.values()}
        refused = {feeding[name] for name in effects.refused}
        return all(feature.available > 0 for feature in self.unit.features if feature.name in refused)

    @rule(index=st.integers(0, 23), what=st.sampled_from([LicenceAdded, LicenceRemoved]))
    def a_key_comes_or_goes(self, index: int, what: type[LicenceAdded | LicenceRemoved]) -> None:
        self.happen(what(self.keys[index % len(self.keys)]))

    @rule(start=st.integers(0, 23), number=st.integers(1, 5))
    def keys_are_imported(self, start: int, number: int) -> None:
        self.happen(LicencesImported(tuple((self.keys * 2)[start % len(self.keys) :][:number])))

    @rule()
    def the_configuration_is_loaded(self) -> None:
        self.happen(ConfigurationLoaded())

    @rule(feature=st.sampled_from(FEATURES), holder=st.sampled_from(NAMES), instances=st.integers(1, 4))
    def somebody_acquires(self, feature: str, holder: str, instances: int) -> None:
        self.happen(InstancesRequested(feature, holder, instances))

    @rule(feature=st.sampled_from(FEATURES), holder=st.sampled_from(NAMES))
    def somebody_releases(self, feature: str, holder: str) -> None:
        self.happen(InstancesReleased(feature, holder))

    @rule(call=st.sampled_from(NAMES), channels=st.tuples(*[st.integers(0, 2)] * 4))
    def a_call_starts(self, call: str, channels: tuple[int, int, int, int]) -> None:
        self.happen(CallStarted(call, *channels))

    @rule(call=st.sampled_from(NAMES))
    def a_call_ends(self, call: str) -> None:
        self.happen(CallEnded(call))

    @rule(name=st.sampled_from(NAMES), profile=st.integers(0, 9), feature=st.integers(0, 9))
    def a_user_is_configured(self, name: str, profile: int, feature: int) -> None:
        features = self.profiles[1:][feature : feature + 1]
        self.happen(UserConfigured(name, profile=self.profiles[profile % len(self.profiles)], features=features))

    @rule(name=st.sampled_from(NAMES))
    def a_user_is_deleted(self, name: str) -> None:
        self.happen(UserRemoved(name))

    @rule(number=st.sampled_from(NUMBERS), kind=st.sampled_from(ExtensionKind), reserve=st.sampled_from(Reserve))
    def an_extension_is_configured(self, number: str, kind: ExtensionKind, reserve: Reserve) -> None:
        self.happen(ExtensionConfigured(number, kind, reserve))

    @rule(number=st.sampled_from(NUMBERS), what=st.sampled_from([PhoneRegistered, PhoneUnregistered, ExtensionRemoved]))
    def a_phone_comes_or_goes(self, number: str, what: type[PhoneRegistered]) -> None:
        self.happen(what(number))

    @rule(place=st.integers(0, 3), what=st.sampled_from([PartWithdrawn, FaultSet, FaultCleared]))
    def a_card_goes(self, place: int, what: type[PartWithdrawn]) -> None:
        self.happen(what(sorted(self.places)[place % len(self.places)]))

    @rule(place=st.integers(0, 3))
    def a_card_comes(self, place: int) -> None:
        path = sorted(self.places)[place % len(self.places)]
        self.happen(PartFitted(path, self.places[path]))

    @rule(fact=st.sampled_from([FeatureKeyRemoved(), FeatureKeyInserted(SERIAL), FeatureKeyInserted(OTHER_SERIAL)]))
    def the_feature_key_moves(self, fact: Fact) -> None:
        self.happen(fact)

    @rule(fact=st.sampled_from([RestartRequested(), PowerRemoved(), PowerApplied()]), seconds=st.sampled_from([0, 10]))
    def the_unit_restarts(self, fact: Fact, seconds: int) -> None:
        self.happen(fact)
        self.life.advance(seconds)

    @rule(seconds=st.sampled_from([1, 60, 7_200, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.life.advance(seconds)

    @rule(days=st.integers(-3, 3))
    def the_date_is_set(self, days: int) -> None:
        self.happen(DateSet(Nanoseconds(days * 86_400 * SECOND_NS)))

    @invariant()
    def a_pool_is_never_negative(self) -> None:
        for feature in self.unit.features:
            assert min(feature.licensed, feature.free, feature.usable, feature.in_use, feature.available) >= 0
            assert feature.wanting >= 0

    @invariant()
    def what_is_licensed_and_free_is_what_valid_keys_and_allowances_give(self) -> None:
        licensed = by_the_rules.licensed(self.unit)
        valid = {licence.type_name for licence in self.unit.licences if licence.status is LicenceStatus.VALID}
        assert valid == by_the_rules.valid_names(self.unit)
        for feature in self.unit.features:
            assert feature.licensed == licensed.get(feature.name, 0)
            assert feature.free == by_the_rules.free(self.unit, feature.name)
            assert feature.usable <= feature.licensed + feature.free
        named = {feature.name for feature in self.unit.features}
        assert {name for name, number in licensed.items() if number} <= named

    @invariant()
    def use_never_exceeds_what_is_usable_unless_it_shrank_and_then_it_only_falls(self) -> None:
        over = {f.name: f.in_use for f in self.unit.features if f.in_use > f.usable}
        for feature in self.unit.features:
            held = [h for h in self.unit.holdings if h.active and h.feature == feature.name]
            assert feature.in_use == sum(h.instances for h in held)
            if feature.name in over and feature.name in self.over:
                assert feature.in_use <= self.over[feature.name]
        for name in over.keys() - self.over.keys():
            assert all(h.seq < self.unit.seq for h in self.unit.holdings if h.active and h.feature == name)
        yielding = [h for h in self.unit.holdings if h.active and h.consumption is not Consumption.IN_USE]
        assert over.keys().isdisjoint(h.feature for h in yielding)
        self.over = over

    @invariant()
    def releasing_what_was_acquired_restores_the_pool(self) -> None:
        """Of every pool, all that is left, and one instance: on a copy that is thrown away."""
        for feature in self.unit.features:
            for instances in {1, feature.available} - {0}:
                self.acquire_and_release(feature, instances)

    def acquire_and_release(self, feature: Feature, instances: int) -> None:
        copy = Life(self.unit, self.life.at)
        effects = copy.happen(InstancesRequested(feature.name, "the test", instances))
        if effects is None:
            return
        if effects.refused:
            assert instances > feature.available
            assert pools(copy.unit) == pools(self.unit)
            return
        assert pools(copy.unit)[feature.name][-1] == feature.available - instances
        assert copy.happen(InstancesReleased(feature.name, "the test")) is not None
        assert pools(copy.unit) == pools(self.unit)
        assert copy.unit.holdings == self.unit.holdings

    def teardown(self) -> None:
        """A unit that forgets its sums and reckons them anew comes to the same."""
        if hasattr(self, "life"):
            forgetful = self.unit._replace(ledger=None)
            event = Event(Nanoseconds(self.life.at), DateSet(Nanoseconds(self.unit.clock_offset_ns + SECOND_NS)))
            assert step(forgetful, event) == step(self.unit, event)


def feeding_any(feeding: dict[str, str], refused: Iterable[str], held: Holding) -> bool:
    return held.feature in {feeding[name] for name in refused}


CatalogueMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
test_short_histories = CatalogueMachine.TestCase


class _LongMachine(CatalogueMachine):
    """The same, longer and more often."""


_LongMachine.TestCase.settings = settings(
    max_examples=300, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
test_long_histories = pytest.mark.slow(pytest.mark.timeout(300)(_LongMachine.TestCase))
