"""Injected faults: what each does to a unit as it can be seen, its life, and its chance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipo_sim.catalogue.faults import Chance, FaultTarget
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core import faults, key_faults
from ipo_sim.core.events import (
    ConfigurationLoaded,
    DateSet,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    LicenceAdded,
    PartFitted,
    PartWithdrawn,
    ReaderAttached,
    ReaderLost,
    RestartRequested,
)
from ipo_sim.core.fault_events import FaultInjected, FaultWithdrawn
from ipo_sim.core.model import (
    SECOND_NS,
    Hold,
    InjectedFault,
    KeyCondition,
    KeyPresence,
    KeyReason,
    LicenceStatus,
    Lifecycle,
    Nanoseconds,
    UnitName,
)
from ipo_sim.core.unit import entities, next_deadline
from ipo_sim.core.words import KEY_SERVER
from ipo_sim.errors import CommandRejected
from tests.core.bench import OTHER_SERIAL, SERIAL, Bench, definition, key

HOUR_NS = 3_600 * SECOND_NS
CATALOGUE = load_catalogue().faults


def injected(name: str, target: str | None = None, **life: object) -> FaultInjected:
    """A fault with the options of the catalogue, but for those that are given."""
    kind = CATALOGUE[name]
    options = tuple((option, str(life.pop(option, row.default))) for option, row in kind.options.items())
    return FaultInjected(name, target or faults.TARGETS[kind.target], options, **life)  # type: ignore[arg-type] # by name


def running(**changes: object) -> Bench:
    return Bench(replace(definition(key()), **changes)).boot()  # type: ignore[arg-type] # by name


def on_key_server() -> Bench:
    """A unit whose dongle is behind a key server that it polls every 10 s."""
    unit = Bench(
        replace(definition(key(), parts=()), model="ip412", reader_kind=KEY_SERVER, reader_name="10.0.0.1:50800")
    )
    unit.apply(ReaderAttached("10.0.0.1:50800"), FeatureKeyInserted(SERIAL, kind="dongle-usb"))
    return unit


def fault(bench: Bench, name: str) -> InjectedFault | None:
    value = entities(bench.unit).get(f"faults/{name}")
    assert value is None or isinstance(value, InjectedFault)
    return value


@pytest.mark.parametrize(
    ("injection", "reason"),
    [
        (injected("card-unreadable"), KeyReason.NO_REGISTER_ACCESS),
        (injected("card-unreadable", reason=9), KeyReason.NON_SPECIFIC_ERROR),
        (injected("card-mute"), KeyReason.NO_REGISTER_ACCESS),
        (injected("wrong-atr"), KeyReason.INVALID_REGISTERS),
    ],
)
def test_a_card_that_does_not_read_is_in_grace_until_the_fault_is_cleared(
    injection: FaultInjected, reason: KeyReason
) -> None:
    bench = running()
    bench.apply(injection)
    key_now = bench.unit.key
    assert (key_now.presence, key_now.reason, key_now.condition) == ("unreadable", reason, "grace")
    assert key_now.cause == (f"faults/{injection.fault}", f"event:{bench.unit.seq}")
    alarm = bench.alarm("40-feature-key")
    assert alarm is not None
    assert alarm.reason == reason
    bench.apply(FaultWithdrawn(injection.fault))
    assert bench.unit.key.condition is KeyCondition.IN_ORDER
    assert bench.alarm("40-feature-key") is None
    assert bench.unit.report is None


def test_what_the_reader_says_behind_a_fault_comes_out_when_it_is_cleared() -> None:
    bench = running()
    bench.apply(injected("card-mute"), FeatureKeyRemoved(1))
    assert bench.unit.key.presence is KeyPresence.ABSENT
    bench.apply(FeatureKeyInserted(OTHER_SERIAL, counter=2))
    assert bench.unit.key.presence is KeyPresence.UNREADABLE
    with pytest.raises(CommandRejected, match="said that already"):
        bench.apply(FeatureKeyInserted(OTHER_SERIAL, counter=2))
    bench.apply(FaultWithdrawn("card-mute"))
    assert (bench.unit.key.serial, bench.unit.key.counter) == (OTHER_SERIAL, 2)


def test_a_card_that_is_unreadable_anyway_stays_so() -> None:
    bench = running()
    bench.apply(injected("wrong-atr"), FeatureKeyUnreadable(KeyReason.NON_SPECIFIC_ERROR), FaultWithdrawn("wrong-atr"))
    assert bench.unit.key.reason is KeyReason.NON_SPECIFIC_ERROR


def test_a_lost_reader_is_back_with_its_card() -> None:
    bench = running()
    bench.apply(injected("reader-lost"))
    assert not bench.unit.reader.attached
    assert bench.unit.reader.cause[0] == "faults/reader-lost"
    assert bench.unit.key.presence is KeyPresence.UNKNOWN
    bench.advance(hours=3)
    assert bench.state is Lifecycle.AWAITING_FEATURE_KEY
    bench.apply(FaultWithdrawn("reader-lost"))
    assert bench.unit.reader.attached
    assert bench.state is Lifecycle.RUNNING


def test_a_reader_that_is_really_lost_meanwhile_stays_lost() -> None:
    bench = running()
    bench.apply(injected("reader-lost"), ReaderLost("pulled"), FaultWithdrawn("reader-lost"))
    assert bench.unit.reader.last_error == "pulled"
    bench.apply(ReaderAttached("virtual"), FeatureKeyInserted(SERIAL))
    assert bench.unit.key.condition is KeyCondition.IN_ORDER


def test_a_flaky_contact_bounces_as_often_as_it_is_told() -> None:
    bench = running()
    bench.apply(FeatureKeyRemoved(1), injected("flaky-contact", bounces=3, interval=SECOND_NS))
    bench.notified()
    bench.apply(FeatureKeyInserted(SERIAL, counter=2))
    seen = []
    for _ in range(8):
        seen.append(str(bench.unit.key.presence))
        bench.advance(1)
    assert seen == ["present", "absent", "present", "absent", "present", "absent", "present", "present"]
    severities = [severity for event, severity, _ in bench.notified() if event == 40]
    assert severities == [1, 6, 1, 6, 1, 6, 1]
    assert fault(bench, "flaky-contact") is not None


def test_a_slow_card_is_absent_until_it_is_read() -> None:
    bench = running()
    bench.apply(injected("slow-card", delay=5 * SECOND_NS))
    assert bench.unit.key.presence is KeyPresence.PRESENT
    bench.apply(FeatureKeyRemoved(1), FeatureKeyInserted(SERIAL, counter=2))
    bench.advance(4.999)
    assert bench.unit.key.presence is KeyPresence.ABSENT
    bench.advance(0.001)
    assert bench.unit.key.presence is KeyPresence.PRESENT


def test_clear_after_counts_strikes() -> None:
    bench = running()
    bench.apply(injected("card-mute", clear_after=2))
    bench.apply(FeatureKeyRemoved(1), FeatureKeyInserted(SERIAL, counter=2))
    assert bench.unit.key.presence is KeyPresence.UNREADABLE
    bench.apply(FeatureKeyRemoved(2))
    assert fault(bench, "card-mute") is None
    bench.apply(FeatureKeyInserted(SERIAL, counter=3))
    assert bench.unit.key.presence is KeyPresence.PRESENT


def test_a_slow_key_server_loses_the_link_after_some_polls_and_is_back_at_the_next_answer() -> None:
    bench = on_key_server()
    bench.apply(injected("key-server-slow", misses=3, clear_after=3))
    bench.advance(20)
    assert bench.unit.reader.attached
    bench.advance(10)
    assert not bench.unit.reader.attached
    assert fault(bench, "key-server-slow") is not None
    bench.advance(10)
    assert bench.unit.reader.attached
    assert bench.unit.key.serial == SERIAL
    assert fault(bench, "key-server-slow") is None


def test_a_lying_key_server_tells_another_dongle() -> None:
    bench = on_key_server()
    bench.apply(injected("key-server-lying"))
    assert bench.unit.key.serial == OTHER_SERIAL
    bench.apply(FaultWithdrawn("key-server-lying"))
    assert bench.unit.key.serial == SERIAL


@pytest.mark.parametrize("path", ["slots/1", "slots/1/daughter", "expansion/2"])
def test_a_failed_part_raises_alarm_20_until_it_is_mended_or_replaced(path: str) -> None:
    bench = running()
    name = f"part-failed-{path.replace('/', '-')}"
    bench.apply(injected("part-failed", path))
    assert bench.part(path).service.hold is Hold.FAULT
    assert bench.part(path).service.cause == ("fault:part-failed", f"event:{bench.unit.seq}")
    assert bench.alarm(f"20-{path.replace('/', '-')}") is not None
    bench.apply(FaultWithdrawn(name))
    assert bench.part(path).service.hold is None
    bench.apply(injected("part-failed", path), PartWithdrawn(path))
    assert fault(bench, name) is None


def test_a_failed_slot_breaks_whatever_is_fitted() -> None:
    bench = running()
    bench.apply(injected("slot-failed", "slots/4"), PartWithdrawn("slots/4"), PartFitted("slots/4", "DS8"))
    assert bench.part("slots/4").fault == "slot-failed"
    bench.apply(FaultWithdrawn("slot-failed-slots-4"))
    assert bench.part("slots/4").service.hold is Hold.RESTART


def test_a_failed_port_is_an_alarm_and_the_card_goes_on() -> None:
    bench = running()
    bench.apply(injected("port-failed", "slots/1", port=3))
    alarm = bench.alarm("20-slots-1-port-3")
    assert alarm is not None
    assert alarm.text == "port 3 failed"
    assert bench.part("slots/1").service.hold is None
    bench.apply(FaultWithdrawn("port-failed-slots-1-3"))
    assert bench.alarm("20-slots-1-port-3") is None


def test_a_module_that_never_starts_fails_at_each_start() -> None:
    bench = running()
    bench.apply(injected("module-never-starts", "expansion/3", clear_after=2))
    assert bench.part("expansion/3").service.hold is None
    for _ in range(2):
        bench.apply(RestartRequested())
        bench.advance(10)
        assert bench.part("expansion/3").service.hold is Hold.FAULT
        alarm = bench.alarm("20-expansion-3")
        assert alarm is not None
        assert (alarm.text, alarm.cause[0]) == ("failed", "fault:module-never-starts")
    bench.apply(RestartRequested())
    bench.advance(10)
    assert bench.part("expansion/3").service.hold is None
    assert fault(bench, "module-never-starts-expansion-3") is None


def test_wrong_firmware_needs_a_restart_once_it_is_right() -> None:
    bench = running()
    bench.apply(injected("firmware-mismatch", "expansion/1"))
    assert bench.part("expansion/1").service.hold is Hold.FAULT
    bench.apply(FaultWithdrawn("firmware-mismatch-expansion-1"))
    assert bench.part("expansion/1").service.hold is Hold.RESTART
    bench.apply(RestartRequested())
    bench.advance(10)
    assert bench.part("expansion/1").service.hold is None


@pytest.mark.parametrize(("ppm", "gone"), [(100, 8_640_000_000), (-100, -8_640_000_000)])
def test_a_clock_drifts_by_millionths(ppm: int, gone: int) -> None:
    bench = running()
    bench.apply(injected("clock-drift", ppm=ppm))
    bench.advance(hours=24)
    assert bench.unit.clock_offset_ns == gone
    assert bench.unit.status.clock_offset_ns == gone
    bench.apply(FaultWithdrawn("clock-drift"), DateSet(Nanoseconds(0)))
    bench.advance(hours=24)
    assert bench.unit.clock_offset_ns == 0


def test_no_licence_of_a_corrupt_configuration_counts() -> None:
    bench = running()
    bench.apply(injected("configuration-corrupt"))
    assert bench.licence().status is LicenceStatus.UNKNOWN
    assert bench.unit.edition.name == "standard"
    alarm = bench.alarm("42-configuration")
    assert alarm is not None
    assert alarm.cause == ("faults/configuration-corrupt", f"event:{bench.unit.seq}")
    bench.apply(LicenceAdded(key("Voicemail Pro (4 ports)")), ConfigurationLoaded())
    bench.apply(RestartRequested())
    bench.advance(10)
    assert {licence.status for licence in bench.unit.licences} == {LicenceStatus.UNKNOWN}
    bench.apply(FaultWithdrawn("configuration-corrupt"))
    assert {licence.status for licence in bench.unit.licences} == {LicenceStatus.VALID}
    assert bench.unit.edition.name == "professional"
    assert bench.alarm("42-configuration") is None


def test_a_fault_begins_and_ends_by_itself() -> None:
    bench = running()
    begins = bench.at + HOUR_NS
    bench.apply(injected("card-mute", start_ns=Nanoseconds(HOUR_NS), duration_ns=Nanoseconds(HOUR_NS)))
    waiting = fault(bench, "card-mute")
    assert waiting is not None
    assert (waiting.begun, waiting.starts, waiting.until) == (False, begins, begins + HOUR_NS)
    assert next_deadline(bench.unit) == begins
    bench.advance(hours=1)
    assert bench.unit.key.presence is KeyPresence.UNREADABLE
    bench.advance(hours=1)
    assert bench.unit.key.presence is KeyPresence.PRESENT
    assert bench.unit.key.condition is KeyCondition.IN_ORDER
    assert fault(bench, "card-mute") is None
    assert next_deadline(bench.unit) is None


def strikes(seed: int, name: str = "bench-1", probability: float = 0.5) -> list[bool]:
    bench = running(seed=seed, name=UnitName(name))
    bench.apply(FeatureKeyRemoved(1), injected("card-mute", probability=probability))
    struck = []
    for counter in range(2, 66):
        bench.apply(FeatureKeyInserted(SERIAL, counter=counter))
        struck.append(bench.unit.key.presence is KeyPresence.UNREADABLE)
        bench.apply(FeatureKeyRemoved(counter))
    return struck


def test_chance_follows_from_the_seed() -> None:
    first = strikes(1)
    assert strikes(1) == first
    assert strikes(2) != first
    assert strikes(1, "bench-2") != first
    assert 16 < sum(first) < 48
    assert sum(strikes(1, probability=1.0)) == 64
    assert sum(strikes(1, probability=1e-9)) == 0


def test_several_faults_at_once_end_one_by_one() -> None:
    bench = running()
    bench.apply(injected("card-mute"), injected("reader-lost"), injected("wrong-atr"))
    assert bench.unit.key.presence is KeyPresence.UNKNOWN
    bench.apply(FaultWithdrawn("reader-lost"))
    assert bench.unit.key.reason is KeyReason.NO_REGISTER_ACCESS
    bench.apply(FaultWithdrawn("card-mute"))
    assert bench.unit.key.reason is KeyReason.INVALID_REGISTERS
    bench.apply(FaultWithdrawn("wrong-atr"))
    assert bench.unit.key.condition is KeyCondition.IN_ORDER


@pytest.mark.parametrize(
    ("injection", "reason"),
    [
        (FaultInjected("card-muet", "feature-key"), "unknown-fault"),
        (FaultInjected("card-mute", "reader"), "bad-target"),
        (injected("key-server-slow"), "bad-target"),
        (injected("part-failed", "slots/9"), "unknown-place"),
        (injected("part-failed", "expansion/99"), "unknown-place"),
        (injected("part-failed", "slots/3/daughter"), "empty"),
        (injected("port-failed", "slots/1", port=9), "bad-arguments"),
        (injected("reader-lost", clear_after=2), "bad-arguments"),
    ],
)
def test_what_cannot_fail_is_refused_and_changes_nothing(injection: FaultInjected, reason: str) -> None:
    bench = running()
    before = bench.unit
    with pytest.raises(CommandRejected) as caught:
        bench.apply(injection)
    assert caught.value.reason == reason
    assert bench.unit is before


def test_the_same_fault_is_there_once_and_only_what_is_there_is_taken_back() -> None:
    bench = running()
    bench.apply(injected("part-failed", "slots/1"), injected("part-failed", "slots/2"))
    with pytest.raises(CommandRejected, match="is there already"):
        bench.apply(injected("part-failed", "slots/1"))
    with pytest.raises(CommandRejected, match="there are: part-failed-slots-1, part-failed-slots-2"):
        bench.apply(FaultWithdrawn("card-mute"))


# An alarm or an LED of theirs is all there is.
NO_MORE_THAN_SEEN = ("port-failed", "memory-card-busy", "reset-imminent")


def test_every_fault_of_the_catalogue_has_its_effect() -> None:
    for kind in CATALOGUE.values():
        has_effect = kind.name in {*key_faults.MASKS, *faults._STRIKES, *NO_MORE_THAN_SEEN} or kind.alarm is not None
        assert has_effect or kind.target is FaultTarget.MQTT, kind.name
        assert (kind.chance is Chance.MESSAGE) == (kind.target is FaultTarget.MQTT)
