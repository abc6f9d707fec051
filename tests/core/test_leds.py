"""Every meaning of an LED that the catalogue has is lit by something, and what comes first at an LED with two."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import (
    CallStarted,
    Fact,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    PartFitted,
    PartWithdrawn,
    PowerApplied,
    PowerRemoved,
    RestartRequested,
    ShutdownRequested,
)
from ipo_sim.core.fault_events import FaultWithdrawn
from ipo_sim.core.model import BootPolicy, Lifecycle, PartDefinition
from ipo_sim.core.signal_events import PortPhoneChanged
from tests.core.bench import Bench, definition, key
from tests.core.test_signals import injected

CATALOGUE = load_catalogue()
PARTS = (
    PartDefinition("slots/1", "DS8"),
    PartDefinition("slots/1/daughter", "PRI-2"),
    PartDefinition("slots/2", "POT8"),
    PartDefinition("slots/2/daughter", "ATM4V2"),
    PartDefinition("slots/3", "VCM32"),
    PartDefinition("slots/4", "EXP4"),
    PartDefinition("expansion/1", "DS30V2"),
)
PRI, ATM = "slots/1/daughter", "slots/2/daughter"
OFF, DOWN, SHUT = (PowerRemoved(),), (ShutdownRequested(),), (ShutdownRequested(), 200)
STARTING = (RestartRequested(),)
HALTED = (FeatureKeyRemoved(), RestartRequested(), 10)
FAILED = "part-failed"
# A meaning: what is done to a running unit, seconds that pass between, and the LED that shows it then.
LIT: dict[str, tuple[tuple[Fact | int, ...], str]] = {
    "cpu.off": (OFF, "cpu"),
    "cpu.starting": (STARTING, "cpu"),
    "cpu.running": ((), "cpu"),
    "cpu.no_software": ((injected("software-missing"), RestartRequested(), 60), "cpu"),
    "cpu.error": ((injected("controller-failed"),), "cpu"),
    "cpu.awaiting_feature_key": (HALTED, "cpu"),
    "cpu.shutting_down": (DOWN, "cpu"),
    "cpu.shutdown": (SHUT, "cpu"),
    "system_sd.off": ((FeatureKeyRemoved(),), "system-sd"),
    "system_sd.present": ((), "system-sd"),
    "system_sd.in_use": ((injected("memory-card-busy"),), "system-sd"),
    "system_sd.reset_imminent": ((injected("reset-imminent"),), "system-sd"),
    "system_sd.initialising": (STARTING, "system-sd"),
    "system_sd.shutting_down": (DOWN, "system-sd"),
    "system_sd.full": ((injected("memory-card-filling", percent=100),), "system-sd"),
    "system_sd.failed": ((injected("memory-card-invalid"),), "system-sd"),
    "system_sd.shutdown": (SHUT, "system-sd"),
    "card.off": (OFF, "slot-1-led-1"),
    "card.error": ((injected(FAILED, "slots/1"),), "slot-1-led-1"),
    "card.initialising": (STARTING, "slot-1-led-9"),
    "card.healthy": ((), "slot-2-led-9"),
    "card.shutdown": (SHUT, "slot-3-led-1"),
    "exp4.off": (OFF, "slot-4-led-1"),
    "exp4.error": ((injected(FAILED, "slots/4"),), "slot-4-led-1"),
    "exp4.initialising": (STARTING, "slot-4-led-1"),
    "exp4.healthy": ((), "slot-4-led-1"),
    "exp4.shutdown": (SHUT, "slot-4-led-1"),
    "ds_port.phone_detected": ((PortPhoneChanged("slots/1", 3, "2410"),), "slot-1-led-3"),
    "vcm_load.lit": ((CallStarted("c1", vcm=4), CallStarted("c2", vcm=4)), "slot-3-led-2"),
    "exp_port.empty": ((), "slot-4-led-3"),
    "exp_port.present": ((PartFitted("expansion/2", "DS30V2"), RestartRequested(), 10), "slot-4-led-2"),
    "exp_port.initialising": (
        (PartFitted("expansion/2", "DS30V2"), RestartRequested()),
        "slot-4-led-2",
    ),
    "exp_port.error": ((PartFitted("expansion/2", "DS30V2"),), "slot-4-led-2"),
    "atm_port.no_line": ((injected("trunk-failed", ATM, port=10),), "slot-2-led-10"),
    "atm_port.idle": ((), "slot-2-led-10"),
    "atm_port.in_use": ((CallStarted("c", trunk=ATM, port=12),), "slot-2-led-12"),
    "pri_port.no_trunk": ((injected("trunk-failed", PRI, port=10),), "slot-1-led-10"),
    "pri_port.present": ((), "slot-1-led-10"),
    "pri_port.in_use": ((CallStarted("c", trunk=PRI, port=10),), "slot-1-led-10"),
    "pri_port.far_end_ais_9": ((injected("trunk-failed", PRI, reason=21),), "slot-1-led-9"),
    "pri_port.far_end_ais_10": ((injected("trunk-failed", PRI, port=10, reason=21),), "slot-1-led-10"),
    "pri_port.loopback": ((injected("trunk-loopback", PRI, port=10),), "slot-1-led-10"),
    "module.off": (OFF, "expansion-1"),
    "module.starting": (STARTING, "expansion-1"),
    "module.operational": ((), "expansion-1"),
    "module.fault": ((injected(FAILED, "expansion/1"),), "expansion-1"),
    "module.unlicensed": ((FeatureKeyRemoved(), 8_000), "expansion-1"),
    "module.waiting": ((PartWithdrawn("expansion/1"), PartFitted("expansion/1", "DS30V2")), "expansion-1"),
}


def unit(policy: BootPolicy = BootPolicy.HALT) -> Bench:
    return Bench(definition(key(), parts=PARTS, model="ip500v2", profile="r6", policy=policy)).boot()


def perform(bench: Bench, doings: tuple[Fact | int, ...]) -> Bench:
    for doing in doings:
        if isinstance(doing, int):
            bench.advance(doing)
        else:
            bench.apply(doing)
    return bench


def shown(line: str) -> tuple[str, str]:
    return CATALOGUE.leds[line].colour, CATALOGUE.leds[line].pattern


@pytest.mark.parametrize("line", [line for line, row in CATALOGUE.leds.items() if row.never is None])
def test_every_meaning_of_the_catalogue_is_lit_by_something(line: str) -> None:
    doings, led = LIT[line]
    policy = BootPolicy.UNLICENSED if line == "module.unlicensed" else BootPolicy.HALT
    assert perform(unit(policy), doings).led(led) == shown(line)


def test_what_nothing_lights_says_why_and_how_that_is_known() -> None:
    never = {line: row.never for line, row in CATALOGUE.leds.items() if row.never is not None}
    assert set(never) == {"ds_port.idle", "vcm_load.unlit"}
    for line, why in never.items():
        assert why is not None
        assert why[1] == "decision"
        assert shown(line) == ("off", "off")


@pytest.mark.parametrize(
    ("doings", "led"),
    [
        ((), "slot-1-led-3"),
        ((PortPhoneChanged("slots/1", 3, "2410"), PortPhoneChanged("slots/1", 3)), "slot-1-led-3"),
        ((PortPhoneChanged("slots/1", 3, "2410"), PowerRemoved()), "slot-1-led-3"),
        ((PortPhoneChanged("slots/1", 3, "2410"), injected("part-failed", "slots/1")), "slot-1-led-3"),
        ((PortPhoneChanged("slots/1", 3, "2410"), injected("port-failed", "slots/1", port=3)), "slot-1-led-3"),
        ((), "slot-3-led-2"),
    ],
)
def test_an_led_that_is_there_while_it_is_lit_is_gone_else(doings: tuple[Fact | int, ...], led: str) -> None:
    assert led not in {known.name for known in perform(unit(), doings).unit.leds}


@pytest.mark.parametrize(
    ("doings", "led", "line"),
    [
        ((PortPhoneChanged("slots/1", 1, "2410"),), "slot-1-led-1", "card.healthy"),
        ((CallStarted("c", trunk=ATM, port=9),), "slot-2-led-9", "atm_port.in_use"),
        ((CallStarted("c", trunk=PRI, port=9),), "slot-1-led-9", "pri_port.in_use"),
        ((injected("trunk-loopback", PRI),), "slot-1-led-9", "pri_port.loopback"),
        ((injected("trunk-failed", PRI),), "slot-1-led-9", "card.healthy"),
        ((injected("trunk-failed", ATM),), "slot-2-led-9", "card.healthy"),
        ((injected("trunk-failed", PRI, reason=21), injected(FAILED, PRI)), "slot-1-led-9", "card.error"),
        ((injected("trunk-failed", PRI, reason=21), PowerRemoved()), "slot-1-led-9", "card.off"),
        ((injected("controller-failed"), PowerRemoved()), "cpu", "cpu.off"),
        ((injected("memory-card-filling", percent=99),), "system-sd", "system_sd.present"),
        ((injected("memory-card-invalid", card=3),), "system-sd", "system_sd.present"),
        ((injected("memory-card-busy"), injected("memory-card-invalid")), "system-sd", "system_sd.failed"),
        ((FeatureKeyUnreadable(),), "system-sd", "system_sd.failed"),
        ((injected("memory-card-busy"), PowerRemoved()), "system-sd", "system_sd.off"),
    ],
)
def test_what_comes_first_at_an_led(doings: tuple[Fact | int, ...], led: str, line: str) -> None:
    assert perform(unit(), doings).led(led) == shown(line)


def test_a_card_that_cannot_tell_of_its_lines_shows_them_as_ever() -> None:
    parts = tuple(PartDefinition(part.path, "ATM4") if part.path == ATM else part for part in PARTS)
    bench = Bench(replace(definition(key(), parts=parts, profile="r6"))).boot()
    bench.apply(injected("trunk-failed", ATM, port=10))
    assert bench.led("slot-2-led-10") == shown("atm_port.idle")


def test_a_call_on_a_card_of_an_ip400_unit_lights_nothing() -> None:
    made = definition(key(), parts=(PartDefinition("slots/1", "IP400-ATM4"),), model="ip406v2")
    bench = Bench(made).boot()
    bench.apply(CallStarted("c", trunk="slots/1", port=3))
    assert [port.name for port in bench.unit.ports] == ["slots-1-port-3"]
    assert [led.name for led in bench.unit.leds] == ["cpu"]


def test_only_a_model_with_an_sd_card_has_its_led() -> None:
    assert "system-sd" not in {led.name for led in Bench().unit.leds}


def test_a_unit_without_software_waits_until_there_is_some() -> None:
    bench = unit()
    bench.apply(injected("software-missing"))
    assert bench.state is Lifecycle.RUNNING
    injection = bench.unit.seq
    bench.apply(PowerRemoved(), PowerApplied())
    bench.advance(hours=5)
    assert bench.state is Lifecycle.STARTING
    assert bench.unit.status.until is None
    assert bench.unit.status.cause == ("faults/software-missing", f"event:{injection}")
    bench.sent.clear()
    bench.apply(FaultWithdrawn("software-missing"))
    assert bench.unit.status.until is not None
    bench.advance(10)
    assert (bench.state, bench.sent[0].event) == (Lifecycle.RUNNING, 15)
    assert bench.led("cpu") == shown("cpu.running")


def test_the_chance_and_the_count_of_missing_software_hold_for_each_start() -> None:
    bench = unit()
    bench.apply(replace(injected("software-missing"), clear_after=1))
    bench.apply(PowerRemoved(), PowerApplied())
    bench.advance(60)
    assert bench.state is Lifecycle.STARTING
    bench.apply(PowerRemoved(), PowerApplied())
    bench.advance(60)
    assert bench.state is Lifecycle.RUNNING
    assert bench.unit.faults == ()
