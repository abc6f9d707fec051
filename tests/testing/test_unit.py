"""A unit in a test. The fixtures are the plugin's own, as users get them."""

from __future__ import annotations

from datetime import date

import pytest

from ipo_sim.errors import CommandRejected, NotReached, UnknownEntity
from ipo_sim.testing.bench import Units
from ipo_sim.testing.clock import VirtualClock
from ipo_sim.testing.unit import SimulatedUnit


class TestWhatItShows:
    def test_all_is_in_order(self, ipo_unit: SimulatedUnit) -> None:
        assert (ipo_unit.state, ipo_unit.edition, ipo_unit.telephony) == ("running", "professional", True)
        assert ipo_unit.feature_key.serial == "1234567890"
        assert ipo_unit.reader.state == "attached"
        assert list(ipo_unit.slots) == [1, 2, 3, 4]
        assert len(ipo_unit.expansion) == 8
        assert ipo_unit.part("slots/1/daughter").fitted == "PRI-1"
        assert ipo_unit.feature("vcm-channels").available == 64
        assert ipo_unit.licences[1].type == "IP500 Upgrade Standard to Professional"
        assert ipo_unit.leds["cpu"].colour
        assert not ipo_unit.alarms
        assert ipo_unit.alarm(40) is None
        assert all(ipo_unit.entity(path).in_order for path in ipo_unit.paths())

    def test_what_is_not_in_order_says_why(self, ipo_unit: SimulatedUnit, ipo_clock: VirtualClock) -> None:
        ipo_unit.remove_card()
        ipo_clock.advance("2h")
        module = ipo_unit.expansion[3]
        assert not module.in_order
        assert module.path == "expansion/3"
        assert module.why == (
            "licence IP500 Upgrade Standard to Professional is Invalid",
            "the feature key is absent, its condition not in order",
            "the feature key was removed",
        )
        assert ipo_unit.feature("sip-trunk-channels").why[-1] == "the feature key was removed"
        alarm = ipo_unit.alarm(40)
        assert alarm is not None
        assert alarm.severity == "critical"
        assert alarm is not ipo_unit.alarms["40-feature-key"]
        assert alarm == ipo_unit.alarms["40-feature-key"]

    def test_values_are_those_of_their_moment(self, ipo_unit: SimulatedUnit) -> None:
        before = ipo_unit.feature_key
        ipo_unit.remove_card()
        assert before.serial == "1234567890"
        assert ipo_unit.feature_key.serial is None

    def test_what_is_not_there_is_told_with_what_is(self, ipo_unit: SimulatedUnit) -> None:
        with pytest.raises(UnknownEntity, match=r"^unit bench-1 has no slots/9: there are slots/1, slots/2"):
            ipo_unit.slots[9]
        with pytest.raises(UnknownEntity, match="did you mean feature-key"):
            ipo_unit.entity("feature_key")
        with pytest.raises(UnknownEntity, match="unit is no Part"):
            ipo_unit.part("unit")
        with pytest.raises(UnknownEntity, match="no dect"):
            _ = ipo_unit.dect
        assert 9 not in ipo_unit.slots
        assert ipo_unit.alarms.get("40-feature-key") is None

    def test_it_looks_well_in_assertions(self, ipo_unit: SimulatedUnit) -> None:
        assert repr(ipo_unit) == "<unit bench-1: running, edition professional>"
        assert repr(ipo_unit.alarms) == "<alarms: none>"

    def test_what_no_interface_shows_is_in_the_core(self, ipo_unit: SimulatedUnit) -> None:
        assert ipo_unit.core.key.validated_serial == "1234567890"


class TestWhatCanBeDone:
    def test_a_command_answers_with_its_event(self, ipo_unit: SimulatedUnit) -> None:
        before = ipo_unit.core.seq
        answer = ipo_unit.restart()
        assert answer["seq"] == before + 1
        assert ipo_unit.state == "starting"

    def test_a_refusal_is_an_error_and_changes_nothing(self, ipo_unit: SimulatedUnit) -> None:
        ipo_unit.remove_card()
        before = ipo_unit.core
        with pytest.raises(CommandRejected, match="no card is in the reader") as refused:
            ipo_unit.remove_card()
        assert refused.value.reason == "no-card"
        with pytest.raises(CommandRejected, match="did you mean insert-card"):
            ipo_unit.do("insert-crad")
        with pytest.raises(CommandRejected, match="serial"):
            ipo_unit.insert_card("12")
        assert ipo_unit.core is before

    def test_a_question_changes_nothing(self, ipo_unit: SimulatedUnit) -> None:
        before = ipo_unit.core
        answer = ipo_unit.what_if(["remove-card", "advance seconds=7200"])
        assert "expansion/1" in str(answer)
        assert ipo_unit.core is before

    @pytest.mark.ipo_config(slots={1: "DS8"}, feature_key={"serial": "1111111111"})
    def test_a_licence_is_issued_for_the_card(self, ipo_unit: SimulatedUnit) -> None:
        assert ipo_unit.edition != "professional"
        keys = {ipo_unit.enter_licence("SIP Trunk Channels", 4) for _ in range(2)}
        ipo_unit.enter_licence("Upgrade Standard to Professional")
        assert len(keys) == 2
        assert ipo_unit.feature("sip-trunk-channels").licensed == 8
        assert ipo_unit.edition == "professional"

    @pytest.mark.ipo_config(slots={1: "DS8"})
    def test_a_licence_expires_on_its_date(self, ipo_unit: SimulatedUnit, ipo_clock: VirtualClock) -> None:
        ipo_unit.insert_card("2222222222")
        ipo_unit.enter_licence("Upgrade Standard to Professional", expires=date(2026, 1, 9))
        assert ipo_unit.licences[1].status == "Valid"
        ipo_unit.set_date(date(2026, 1, 10))
        assert ipo_unit.licences[1].status != "Valid"
        assert ipo_unit.licences[1].why
        assert ipo_clock.now.day == 5

    @pytest.mark.ipo_config(slots={1: "DS8"}, feature_key={"present": False})
    def test_without_a_card_no_licence_can_be_issued(self, ipo_unit: SimulatedUnit) -> None:
        with pytest.raises(CommandRejected, match="never had a card"):
            ipo_unit.licence_key("SIP Trunk Channels")


class TestWaiting:
    def test_time_goes_on_from_one_happening_to_the_next(
        self, ipo_unit: SimulatedUnit, ipo_clock: VirtualClock
    ) -> None:
        ipo_unit.restart()
        before = ipo_clock.now
        ipo_unit.wait_until(lambda unit: unit.state == "running")
        assert (ipo_clock.now - before).total_seconds() == 8
        ipo_unit.remove_card()
        gone = ipo_unit.wait_for("unit", state="awaiting_feature_key", telephony=False)
        assert gone == ipo_unit.status
        assert (ipo_clock.now - before).total_seconds() == 8 + 7_200

    def test_what_is_so_already_is_not_waited_for(self, ipo_unit: SimulatedUnit, ipo_clock: VirtualClock) -> None:
        before = ipo_clock.now
        ipo_unit.wait_for("unit", lambda unit: unit.telephony, within=0)
        ipo_unit.wait_gone("alarms/40-feature-key")
        assert ipo_clock.now == before

    def test_what_does_not_come_says_what_is_instead(self, ipo_unit: SimulatedUnit, ipo_clock: VirtualClock) -> None:
        before = ipo_clock.now
        with pytest.raises(
            NotReached, match=r"^unit bench-1: unit state=off did not come within 90m: it has state=run"
        ):
            ipo_unit.wait_for("unit", state="off", within="90m")
        assert (ipo_clock.now - before).total_seconds() == 5_400
        with pytest.raises(NotReached, match=r"alarms/40-feature-key .*: there is no alarms/40-feature-key"):
            ipo_unit.wait_for("alarms/40-feature-key", severity="critical")
        with pytest.raises(NotReached, match="it is running, edition professional, alarms none"):
            ipo_unit.wait_until(lambda unit: unit.alarms, within=1)
        with pytest.raises(NotReached, match=r"unit gone did not come within 1m: it has .*state=running"):
            ipo_unit.wait_gone("unit", within="1m")

    def test_a_value_that_no_such_entity_has_is_a_mistake(self, ipo_unit: SimulatedUnit) -> None:
        with pytest.raises(AttributeError, match="sate"):
            ipo_unit.wait_for("unit", sate="running")

    def test_a_clock_that_runs_is_waited_for(self, ipo_unit: SimulatedUnit, ipo_clock: VirtualClock) -> None:
        ipo_unit.restart()
        ipo_clock.resume(scale=100_000)
        ipo_unit.wait_for("unit", state="running", within="1d")
        assert not ipo_clock.paused


class TestManyUnits:
    @pytest.mark.ipo_config({"units": [{"name": "a", "model": "ip500"}, {"name": "b", "model": "ip500"}]})
    def test_they_are_found_by_name_and_by_number(self, ipo_units: Units, ipo_unit: SimulatedUnit) -> None:
        assert list(ipo_units) == ["a", "b"]
        assert ipo_units[0] is ipo_units["a"] is ipo_unit
        ipo_units["b"].power(on=False)
        assert [unit.state for unit in ipo_units.values()] == ["running", "off"]
