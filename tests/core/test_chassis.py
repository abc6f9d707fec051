"""Cards and modules: hot-plugging, configuration, maxima, faults."""

from __future__ import annotations

import pytest

from ipo_sim.core.events import (
    Fact,
    FaultCleared,
    FaultSet,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    PartConfigured,
    PartFitted,
    PartWithdrawn,
    PowerApplied,
    PowerRemoved,
    RestartRequested,
)
from ipo_sim.core.model import Availability, Hold, PartDefinition
from ipo_sim.errors import CommandRejected
from tests.core.bench import SERIAL, Bench, definition, key

DS8 = PartDefinition("slots/1", "DS8")
MODULE = PartDefinition("expansion/1", "DS30V2")


def hold(bench: Bench, path: str) -> Hold | None:
    return bench.part(path).service.hold


def test_a_part_connected_live_waits_for_the_next_restart() -> None:
    bench = Bench(definition(key(), parts=(DS8,))).boot()
    bench.notified()
    seq = bench.apply(PartFitted("expansion/1", "DS30V2")).seq
    assert bench.notified() == [(23, 4, "expansion/1")]
    service = bench.part("expansion/1").service
    assert (service.availability, service.hold, service.cause) == (
        Availability.OFF_LINE,
        Hold.RESTART,
        ("restart", f"event:{seq}"),
    )
    assert bench.led("expansion-1") == ("red", "on")
    bench.apply(RestartRequested())
    bench.advance(8)
    assert hold(bench, "expansion/1") is None
    assert bench.part("expansion/1").configured is bench.part("expansion/1").fitted


def test_a_part_pulled_live_fails_and_comes_back_only_with_a_restart() -> None:
    bench = Bench(definition(key(), parts=(DS8, MODULE))).boot()
    bench.notified()
    bench.apply(PartWithdrawn("expansion/1"))
    assert bench.notified() == [(20, 4, "expansion/1")]
    assert hold(bench, "expansion/1") is Hold.MISSING
    bench.apply(PartFitted("expansion/1", "DS30V2"))
    assert bench.notified() == [(23, 4, "expansion/1")]
    assert hold(bench, "expansion/1") is Hold.RESTART
    assert bench.alarm("20-expansion-1") is not None
    bench.apply(RestartRequested())
    bench.advance(8)
    assert bench.notified() == [(16, 4, "unit")]
    assert hold(bench, "expansion/1") is None
    assert bench.unit.alarms == ()


def test_a_licence_hold_ends_by_itself_and_a_live_connection_does_not() -> None:
    bench = Bench(definition(key(), parts=(DS8, MODULE))).boot()
    bench.apply(PartFitted("expansion/2", "DS16V2"), FeatureKeyRemoved())
    bench.advance(hours=2)
    assert (hold(bench, "expansion/1"), hold(bench, "expansion/2")) == (Hold.LICENCE, Hold.RESTART)
    bench.apply(FeatureKeyInserted(SERIAL))
    assert (hold(bench, "expansion/1"), hold(bench, "expansion/2")) == (None, Hold.RESTART)


def test_a_daughter_card_goes_with_its_base_card() -> None:
    bench = Bench(definition(parts=(DS8, PartDefinition("slots/1/daughter", "BRI-4")))).boot()
    bench.notified()
    bench.apply(PartWithdrawn("slots/1"))
    assert bench.part("slots/1/daughter").fitted is None
    assert bench.notified() == [(20, 4, "slots/1"), (20, 4, "slots/1/daughter")]


def test_a_failed_base_card_takes_its_daughter_along() -> None:
    bench = Bench(definition(parts=(DS8, PartDefinition("slots/1/daughter", "BRI-4")))).boot()
    seq = bench.apply(FaultSet("slots/1", "no response")).seq
    assert bench.part("slots/1").service.cause == ("fault:no response", f"event:{seq}")
    assert bench.part("slots/1/daughter").service.cause == ("slots/1", "fault:no response", f"event:{seq}")
    bench.notified()
    bench.apply(FaultCleared("slots/1"))
    assert bench.notified() == [(21, 1, "slots/1"), (21, 1, "slots/1/daughter")]
    assert bench.unit.alarms == ()


def test_another_type_than_configured_is_out_of_service_until_configured() -> None:
    bench = Bench(definition(parts=(PartDefinition("slots/1", "POT8", "DS8"),))).boot()
    alarm = bench.alarm("42-slots-1")
    assert alarm is not None
    assert (alarm.severity, alarm.reason, alarm.text) == (4, 4, "DS8 configured, POT8 fitted")
    assert hold(bench, "slots/1") is Hold.MISMATCH
    assert bench.led("slot-1-led-1") == ("red", "on")
    bench.notified()
    bench.apply(PartConfigured("slots/1", "POT8"))
    assert bench.notified() == [(43, 1, "slots/1")]
    assert hold(bench, "slots/1") is None


def test_a_configured_part_that_is_not_there_at_the_start_is_a_configuration_failure() -> None:
    bench = Bench(definition(parts=(PartDefinition("slots/2", None, "DS8"),))).boot()
    alarm = bench.alarm("42-slots-2")
    assert alarm is not None
    assert alarm.text == "DS8 configured, nothing fitted"
    bench.notified()
    bench.apply(PartConfigured("slots/2", None))
    assert bench.notified() == [(43, 1, "slots/2")]


def test_cards_beyond_the_maximum_are_present_but_not_operational_counted_from_slot_1() -> None:
    vcms = tuple(PartDefinition(f"slots/{n}", "VCM64") for n in (1, 2, 3))
    bench = Bench(definition(parts=vcms)).boot()
    assert [hold(bench, f"slots/{n}") for n in (1, 2, 3)] == [None, None, Hold.SURPLUS]
    alarm = bench.alarm("42-slots-3")
    assert alarm is not None
    assert "at most 2" in alarm.text
    bench.apply(PartWithdrawn("slots/1"))
    assert hold(bench, "slots/3") is None


def test_a_4_port_card_opens_ports_9_to_12_and_holds_them_when_it_fails() -> None:
    parts = (
        PartDefinition("slots/4", "EXP4"),
        *(PartDefinition(f"expansion/{n}", "DS16V2") for n in range(1, 13)),
    )
    bench = Bench(definition(key(), parts=parts)).boot()
    assert bench.modules_in_service == 12
    assert bench.led("slot-4-led-12") == ("green", "on")
    assert bench.led("slot-4-led-1") == ("orange", "flash")
    bench.apply(FaultSet("slots/4"))
    assert bench.modules_in_service == 8
    assert hold(bench, "expansion/9") is Hold.CARRIER
    bench.apply(FaultCleared("slots/4"), PartWithdrawn("slots/4"))
    assert hold(bench, "expansion/12") is Hold.CARRIER
    assert bench.part("expansion/12").service.cause[0] == "expansion-port:12"


@pytest.mark.parametrize("profile", ["r4", "r5"])
def test_standard_edition_sees_modules_and_drives_none(profile: str) -> None:
    bench = Bench(definition(profile=profile, parts=(DS8, MODULE))).boot()
    service = bench.part("expansion/1").service
    assert (service.availability, service.hold) == (Availability.DEPENDENCY, Hold.LICENCE)
    assert service.cause[0] == "licence:IP500 Upgrade Standard to Professional"
    assert bench.alarm("20-expansion-1") is None
    alarm = bench.alarm("46-expansion-1")
    assert alarm is not None
    assert (alarm.severity, alarm.reason, alarm.text) == (4, 5, "IP500 Upgrade Standard to Professional")
    assert hold(bench, "slots/1") is None


@pytest.mark.parametrize("licence", ["IP500 Upgrade Standard to Professional", "Essential Edition"])
def test_r6_drives_modules_with_the_professional_or_the_essential_licence(licence: str) -> None:
    assert Bench(definition(profile="r6", parts=(MODULE,))).boot().modules_in_service == 0
    assert Bench(definition(key(licence), profile="r6", parts=(MODULE,))).boot().modules_in_service == 1


REFUSED: list[tuple[Fact, str, str]] = [
    (PartFitted("slots/1", "POT8"), "occupied", "holds DS8"),
    (PartFitted("slots/9", "DS8"), "unknown-place", "no place 'slots/9': did you mean slots/4?"),
    (PartFitted("slot/1", "DS8"), "unknown-place", "did you mean slots/1?"),
    (PartFitted("x", "DS8"), "unknown-place", "no place 'x': there are slots/1, slots/2"),
    (PartFitted("slots/2", "DS9"), "unknown-part", "DS9"),
    (PartFitted("slots/2", "DS30V2"), "does-not-fit", "expansion module"),
    (PartFitted("expansion/9", "DS30V2"), "does-not-fit", "EXP4"),
    (PartFitted("slots/2/daughter", "PRI-1"), "does-not-fit", "needs a base card"),
    (PartWithdrawn("slots/2"), "empty", "nothing is fitted"),
    (PartConfigured("slots/1", "DS8"), "unchanged", "already"),
    (PartConfigured("slots/1", "PRI-1"), "does-not-fit", "PRI-1"),
    (FaultSet("slots/2"), "empty", "nothing is fitted"),
    (FaultSet("slots/1", ""), "bad-fault", "1 to 64"),
    (FaultCleared("slots/1"), "no-fault", "no fault"),
]


@pytest.mark.parametrize(("fact", "reason", "says"), REFUSED, ids=[f"{row[0].TYPE}-{row[2]}" for row in REFUSED])
def test_refusals_are_named_and_change_nothing(fact: Fact, reason: str, says: str) -> None:
    bench = Bench(definition(parts=(DS8,))).boot()
    before = bench.unit
    with pytest.raises(CommandRejected, match=says) as caught:
        bench.apply(fact)
    assert caught.value.reason == reason
    assert bench.unit is before


def test_what_is_fitted_while_off_serves_after_the_start() -> None:
    bench = Bench(definition(parts=())).boot()
    bench.apply(PowerRemoved(), PartFitted("slots/3", "POT2"), PowerApplied())
    bench.advance(8)
    assert hold(bench, "slots/3") is None


def test_empty_daughter_places_and_ports_of_an_absent_card_do_not_show() -> None:
    bench = Bench(definition(parts=(DS8,))).boot()
    shown = set(bench.entities)
    assert {"slots/1", "slots/4", "expansion/8"} <= shown
    assert not {"slots/1/daughter", "expansion/9"} & shown
    changes = bench.apply(PowerRemoved(), PartFitted("slots/1/daughter", "PRI-1")).changes
    assert changes["slots/1/daughter"] is not None
    changes = bench.apply(PartWithdrawn("slots/1/daughter")).changes
    assert changes["slots/1/daughter"] is None
