"""Calls and handsets of an IP DECT system: what they need, what they take, and how many there can be."""

from __future__ import annotations

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.dect_events import (
    BaseStationConfigured,
)
from ipo_sim.core.events import (
    CallEnded,
    CallStarted,
    ConfigurationLoaded,
    ExtensionConfigured,
    LicenceAdded,
    PhoneRegistered,
)
from ipo_sim.core.model import (
    DectState,
    ExtensionKind,
    PartDefinition,
    PhoneState,
)
from tests.core.bench import key
from tests.core.dect_bench import (
    MACS,
    SECOND,
    THIRD,
    dect,
    dect_bench,
    dect_key,
    handsets,
    lose,
    refused,
    system,
)

VCM_CARD = PartDefinition("slots/1", "VCM32")
VCM_CARDS = (VCM_CARD, PartDefinition("slots/2", "VCM64"))


def test_calls_of_handsets_need_voice_and_take_voice_compression_channels() -> None:
    bench = dect_bench(system(), parts=(VCM_CARD,))
    handsets(bench, 6)
    bench.apply(CallStarted("c1", extension="301"), CallStarted("c2", extension="302", vcm=2))
    assert dect(bench).calls == 2
    (pool,) = (feature for feature in bench.unit.features if feature.name == "vcm-channels")
    assert (pool.usable, pool.in_use) == (4, 3)
    bench.apply(CallStarted("c3", vcm=1), CallStarted("c4", extension="303"))
    assert (dect(bench).calls, bench.alarm("46-features-vcm-channels") is None) == (2, False)
    bench.apply(CallEnded("c3"))
    lose(bench, SECOND, THIRD)
    assert refused(bench, CallStarted("c4", extension="304")) == "voice-blocked"
    assert dect(bench).calls == 2
    bench.apply(CallStarted("c5", vcm=1))
    bench.apply(CallEnded("c1"), CallEnded("c2"))
    assert dect(bench).calls == 0


def test_a_call_needs_a_phone_that_is_there() -> None:
    bench = dect_bench(system(), parts=(VCM_CARD,))
    bench.apply(ExtensionConfigured("301", ExtensionKind.DECT))
    assert refused(bench, CallStarted("c1", extension="301")) == "no-phone"
    assert refused(bench, CallStarted("c1", extension="302")) == "unknown-extension"
    assert refused(bench, CallStarted("c1", vcm=-1, extension="")) == "bad-instances"


def test_base_stations_carry_eight_calls_each() -> None:
    bench = dect_bench(system(admm_carries=False), profile="r6", parts=VCM_CARDS)
    handsets(bench, 20)
    for number in range(301, 317):
        bench.apply(CallStarted(f"c{number}", extension=str(number)))
    assert refused(bench, CallStarted("one more", extension="317")) == "capacity"
    bench.apply(CallEnded("c301"), CallStarted("one more", extension="317"))
    lose(bench, SECOND)
    assert dect(bench).calls == 16
    assert refused(bench, CallStarted("c318", extension="318")) == "capacity"


def test_capacities_are_those_of_the_catalogue() -> None:
    limits = load_catalogue().dect
    assert (limits.bases, limits.calls_per_base, limits.handsets) == (32, 8, 120)
    assert (limits.active_handsets, limits.advised_handsets, limits.violation_hours) == (100, 50, 72)
    bench = dect_bench(system(32, licence=dect_key(bases=32)))
    assert (dect(bench).state, dect(bench).advised_handsets) == (DectState.OK, 50)
    assert refused(bench, BaseStationConfigured(MACS[32])) == "capacity"
    handsets(bench, 100)
    assert dect(bench).active_handsets == 100
    for number in range(401, 421):
        bench.apply(ExtensionConfigured(str(number), ExtensionKind.DECT))
    assert refused(bench, PhoneRegistered("401")) == "capacity"
    assert refused(bench, ExtensionConfigured("501", ExtensionKind.DECT)) == "capacity"
    bench.apply(ExtensionConfigured("501", ExtensionKind.AVAYA_IP))
    assert refused(bench, ExtensionConfigured("501", ExtensionKind.DECT)) == "capacity"
    assert dect(dect_bench(system(admm_carries=False))).advised_handsets == 100


def test_no_handset_registers_at_an_inactive_system() -> None:
    bench = dect_bench(system(licence=""))
    bench.apply(ExtensionConfigured("301", ExtensionKind.DECT))
    assert refused(bench, PhoneRegistered("301")) == "dect-inactive"


def test_in_r6_handsets_take_avaya_ip_endpoints_before_other_phones() -> None:
    bench = dect_bench(system(), profile="r6", parts=(VCM_CARD,))
    for number in range(201, 214):
        bench.apply(ExtensionConfigured(str(number)), PhoneRegistered(str(number)))
    handsets(bench, 1)
    states = {extension.number: extension.state for extension in bench.unit.extensions}
    assert [number for number, state in states.items() if state is PhoneState.UNLICENSED] == ["213", "301"]
    assert refused(bench, CallStarted("c1", extension="301")) == "no-phone"
    bench.apply(LicenceAdded(key("Avaya IP Endpoints", instances=1)), ConfigurationLoaded())
    states = {extension.number: extension.state for extension in bench.unit.extensions}
    assert [number for number, state in states.items() if state is PhoneState.UNLICENSED] == ["213"]
    bench.apply(CallStarted("c1", extension="301"))
