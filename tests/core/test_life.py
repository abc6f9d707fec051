"""Power, boot, restart, shutdown."""

from __future__ import annotations

import pytest

from ipo_sim.core.events import (
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    PartFitted,
    PowerApplied,
    PowerRemoved,
    ReaderAttached,
    RestartRequested,
    ShutdownRequested,
)
from ipo_sim.core.life import TRANSITIONS
from ipo_sim.core.model import Lifecycle, PartDefinition
from ipo_sim.core.unit import next_deadline
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.status import LicenceStatus
from tests.core.bench import SERIAL, Bench, definition, key


def at(state: Lifecycle) -> Bench:
    bench = Bench()
    if state is Lifecycle.OFF:
        return bench
    bench.apply(ReaderAttached("virtual"))
    if state is not Lifecycle.AWAITING_FEATURE_KEY:
        bench.apply(FeatureKeyInserted(SERIAL))
    bench.apply(PowerApplied())
    if state is Lifecycle.STARTING:
        return bench
    bench.advance(10)
    if state in (Lifecycle.SHUTTING_DOWN, Lifecycle.SHUTDOWN):
        bench.apply(ShutdownRequested())
    if state is Lifecycle.SHUTDOWN:
        bench.advance(60)
    return bench


TRIGGERS: dict[str, Fact] = {
    PowerApplied.TYPE: PowerApplied(),
    PowerRemoved.TYPE: PowerRemoved(),
    RestartRequested.TYPE: RestartRequested(),
    ShutdownRequested.TYPE: ShutdownRequested(),
}


@pytest.mark.parametrize("state", Lifecycle, ids=str)
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_the_unit_does_what_the_table_says_and_refuses_the_rest(state: Lifecycle, trigger: str) -> None:
    bench = at(state)
    assert bench.state is state
    before = bench.unit
    if trigger in TRANSITIONS[state]:
        bench.apply(TRIGGERS[trigger])
        assert bench.state in TRANSITIONS[state][trigger]
    else:
        with pytest.raises(CommandRejected, match=f"while the unit is {state.replace('_', ' ')}") as caught:
            bench.apply(TRIGGERS[trigger])
        assert caught.value.reason == "wrong-state"
        assert bench.unit is before


def test_a_cold_start_takes_the_delay_for_modules_and_the_cards_in_parallel() -> None:
    bench = Bench()
    bench.apply(PowerApplied())
    assert next_deadline(bench.unit) == bench.at + 8_000_000_000
    assert bench.led("cpu") == ("red/green", "alt")
    assert bench.led("slot-1-led-1") == ("red", "slow")
    assert bench.led("expansion-1") == ("red", "flash")


def test_a_unit_without_parts_starts_without_card_initialisation() -> None:
    bench = Bench(definition(parts=()))
    bench.apply(PowerApplied())
    assert next_deadline(bench.unit) == bench.at + 5_000_000_000


@pytest.mark.parametrize(("cold", "trap"), [(True, 15), (False, 16)], ids=["cold", "warm"])
def test_the_start_trap_tells_power_loss_from_a_commanded_restart(cold: bool, trap: int) -> None:  # noqa: FBT001 - a row of the table
    bench = Bench().boot()
    bench.notified()
    if cold:
        bench.apply(PowerRemoved(), PowerApplied())
    else:
        bench.apply(RestartRequested())
    assert bench.notified() == []
    bench.advance(8)
    assert bench.notified() == [(trap, 4, "unit")]
    assert bench.state is Lifecycle.RUNNING


def test_running_and_off_show_on_the_leds() -> None:
    bench = Bench().boot()
    assert bench.led("cpu") == ("green", "on")
    assert bench.led("slot-1-led-1") == ("red", "beat")
    assert bench.led("slot-1-led-9") == ("red", "beat")
    assert bench.led("expansion-8") == ("green", "on")
    bench.apply(FeatureKeyRemoved())
    bench.advance(hours=2)
    assert bench.led("cpu") == ("red", "flash")
    assert bench.led("expansion-8") == ("red", "on")
    bench.apply(PowerRemoved())
    assert bench.led("cpu") == ("off", "off")
    assert bench.led("slot-1-led-1") == ("off", "off")


def test_shutdown_without_end_waits_for_power_to_be_cycled() -> None:
    bench = Bench().boot()
    bench.notified()
    bench.apply(ShutdownRequested(0, "Manager Administrator"))
    (trap,) = bench.sent
    assert (trap.event, trap.severity, trap.data) == (37, 4, "Manager Administrator")
    assert bench.state is Lifecycle.SHUTTING_DOWN
    assert not bench.unit.status.telephony
    bench.advance(60)
    assert bench.state is Lifecycle.SHUTDOWN
    assert next_deadline(bench.unit) is None
    assert bench.led("cpu") == ("red", "fast")
    assert bench.led("slot-1-led-1") == ("red", "fast")
    assert bench.led("slot-1-led-9") == ("red", "fast")
    bench.apply(PowerRemoved(), PowerApplied())
    bench.advance(8)
    assert bench.state is Lifecycle.RUNNING


def test_a_timed_shutdown_restarts_warm() -> None:
    bench = Bench().boot()
    bench.apply(ShutdownRequested(5))
    bench.notified()
    bench.advance(60 + 299)
    assert bench.state is Lifecycle.SHUTDOWN
    bench.advance(1)
    assert bench.state is Lifecycle.STARTING
    bench.advance(8)
    assert bench.notified() == [(16, 4, "unit")]


@pytest.mark.parametrize("minutes", [-1, 1, 4, 1_441])
def test_a_shutdown_lasts_5_to_1440_minutes_or_for_ever(minutes: int) -> None:
    bench = Bench().boot()
    with pytest.raises(CommandRejected, match="5 to 1440 minutes"):
        bench.apply(ShutdownRequested(minutes))


def test_a_shutdown_with_a_ucm_takes_three_minutes() -> None:
    bench = Bench(definition(key(), model="ip500v2", parts=(PartDefinition("slots/1", "UCM"),))).boot()
    bench.apply(ShutdownRequested())
    bench.advance(179)
    assert bench.state is Lifecycle.SHUTTING_DOWN
    bench.advance(1)
    assert bench.state is Lifecycle.SHUTDOWN


def test_a_unit_that_is_not_up_knows_nothing_of_its_licences_and_has_no_alarms() -> None:
    bench = Bench().boot()
    bench.apply(FeatureKeyRemoved())
    assert bench.unit.alarms
    off = bench.apply(PowerRemoved()).seq
    assert bench.unit.alarms == ()
    assert bench.licence().status is LicenceStatus.UNKNOWN
    assert bench.licence().cause == ("unit:off", f"event:{off}")
    assert bench.part("slots/1").service.cause == ("unit:off", f"event:{off}")


def test_parts_powered_with_the_unit_are_all_seen() -> None:
    bench = Bench(definition(key(), parts=()))
    bench.apply(ReaderAttached("virtual"), FeatureKeyInserted(SERIAL), PowerApplied())
    bench.advance(2)
    bench.apply(PartFitted("expansion/1", "DS30V2"))
    bench.advance(8)
    assert bench.part("expansion/1").service.hold is None


def test_time_does_not_go_back_and_no_deadline_is_jumped() -> None:
    bench = Bench()
    bench.apply(PowerApplied())
    bench.at -= 1
    with pytest.raises(CommandRejected) as caught:
        bench.apply(PowerRemoved())
    assert caught.value.reason == "time-goes-back"
    bench.at += 9_000_000_000
    with pytest.raises(CommandRejected) as caught:
        bench.apply(PowerRemoved())
    assert caught.value.reason == "deadline-pending"
