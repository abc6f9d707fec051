from __future__ import annotations

import pytest

from ipo_sim.errors import CommandRejected, NotReached
from ipo_sim.testing.clock import VirtualClock
from ipo_sim.testing.reader import ReaderUnderTest
from ipo_sim.testing.unit import SimulatedUnit


def test_the_card_goes_and_comes(ipo_reader: ReaderUnderTest, ipo_unit: SimulatedUnit) -> None:
    assert (ipo_reader.kind, ipo_reader.attached, ipo_reader.card) == ("virtual", True, "1234567890")
    ipo_reader.remove()
    assert ipo_reader.card is None
    assert ipo_unit.feature_key.presence == "absent"
    ipo_reader.insert("9999999999", law="mulaw")
    assert ipo_reader.card == "9999999999"
    assert ipo_unit.feature_key.law == "mulaw"
    assert ipo_unit.edition == "standard"


def test_a_flaky_contact_leaves_it_as_it_was(ipo_reader: ReaderUnderTest, ipo_unit: SimulatedUnit) -> None:
    before = ipo_unit.core.seq
    ipo_reader.bounce(5)
    assert ipo_unit.core.seq == before + 10
    assert ipo_unit.edition == "professional"
    assert not ipo_unit.alarms


def test_a_reader_that_is_lost_takes_its_card_along_and_brings_it_back(
    ipo_reader: ReaderUnderTest, ipo_unit: SimulatedUnit, ipo_clock: VirtualClock
) -> None:
    ipo_reader.unplug("no such device")
    assert not ipo_reader.attached
    assert ipo_unit.reader.last_error == "no such device"
    assert ipo_unit.feature_key.presence == "unknown"
    ipo_clock.advance("2h")
    assert ipo_unit.state == "awaiting_feature_key"
    ipo_reader.plug()
    assert ipo_reader.card == "1234567890"
    ipo_unit.wait_for("unit", state="running")


def test_an_empty_reader_comes_back_empty(ipo_reader: ReaderUnderTest, ipo_unit: SimulatedUnit) -> None:
    ipo_reader.remove()
    ipo_reader.unplug()
    ipo_reader.plug()
    assert ipo_reader.attached
    assert ipo_unit.feature_key.presence == "absent"


def test_a_card_that_nobody_puts_in_is_waited_for_in_real_time(
    ipo_reader: ReaderUnderTest, ipo_clock: VirtualClock
) -> None:
    assert ipo_reader.wait_for_card(within=0).serial == "1234567890"
    ipo_reader.remove()
    before = ipo_clock.now
    with pytest.raises(NotReached, match="no card came into reader virtual within 20ms"):
        ipo_reader.wait_for_card(within="20ms")
    assert ipo_clock.now == before


def test_a_card_that_cannot_be_is_refused(ipo_reader: ReaderUnderTest) -> None:
    with pytest.raises(CommandRejected, match="serial"):
        ipo_reader.insert("12")
    assert ipo_reader.card == "1234567890"
