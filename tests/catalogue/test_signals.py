"""LEDs, alarms and durations, as the documents have them; and the catalogue as one frozen value."""

from __future__ import annotations

from dataclasses import fields
from typing import cast

import pytest
import yaml

from ipo_sim.catalogue import source
from ipo_sim.catalogue.grade import Grade
from ipo_sim.catalogue.hardware import COLOURS
from ipo_sim.catalogue.load import build_catalogue, load_catalogue

CATALOGUE = load_catalogue()

# Number, name, default severity (1 cleared, 3 critical, 4 major, 5 minor, 6 warning), cleared by, grade of severity.
ALARMS = """
15 ColdStartSvcEvent            4 -  A
16 WarmStartSvcEvent            4 -  A
17 LinkDownSvcEvent             4 18 A
18 LinkUpSvcEvent               4 -  A
19 AuthFailureSvcEvent          4 -  A
20 EntityFailureSvcEvent        4 21 A
21 EntityOperationalSvcEvent    1 -  A
22 EntityErrorSvcEvent          6 -  A
23 EntityChangeSvcEvent         4 -  A
24 LKSCommsFailureSvcEvent      4 25 A
25 LKSCommsOperationalSvcEvent  1 -  A
26 LKSCommsErrorSvcEvent        6 -  decision
27 LKSCommsChangeSvcEvent       4 -  decision
28 LoopbackSvcEvent             4 -  A
29 AppFailureSvcEvent           4 30 A
30 AppOperationalSvcEvent       1 -  A
31 AppSvcEvent                  4 -  A
32 SogHostFailureSvcEvent       4 -  A
33 SogModeChangeSvcEvent        4 -  A
34 UPriLicChansReducedSvcEvent  4 -  A
35 UPriLicCallRejectedSvcEvent  5 -  A
36 QoSMonSvcEvent               6 -  A
37 SystemShutdownSvcEvent       4 -  decision
38 SystemRunningBackupEvent     3 38 A
39 InvalidMemoryCardEvent       4 39 A
40 NoLicenceKeyDongleEvent      6 40 A
41 MemoryCardCapacityEvent      6 41 A
42 ConfigFailureSvcEvent        4 43 decision
43 ConfigOperationalSvcEvent    1 -  A
44 ConfigErrorSvcEvent          6 -  decision
45 ConfigChangeSvcEvent         4 -  decision
46 ServiceFailureSvcEvent       4 47 decision
47 ServiceOperationalSvcEvent   1 -  A
48 ServiceErrorSvcEvent         6 -  decision
49 ServiceChangeSvcEvent        4 -  decision
50 TrunkFailureSvcEvent         4 51 decision
51 TrunkOperationalSvcEvent     1 -  A
52 TrunkErrorSvcEvent           6 -  decision
53 TrunkChangeSvcEvent          4 -  decision
54 LinkFailureSvcEvent          4 55 decision
55 LinkOperationalSvcEvent      1 -  A
56 LinkErrorSvcEvent            6 -  decision
57 LinkChangeSvcEvent           4 -  decision
58 EmergencyCallSvcEvent        4 -  decision
"""
ALARM_ROWS = [line.split() for line in ALARMS.strip().splitlines()]

LEDS = """
cpu.off                  off       off   decision
cpu.starting             red/green alt   B
cpu.running              green     on    B
cpu.no_software          red       on    B
cpu.error                red       flash B
cpu.awaiting_feature_key red       flash decision
cpu.shutting_down        red       fast  B
cpu.shutdown             red       fast  B
system_sd.present        green     on    B
system_sd.in_use         green     flash B
system_sd.reset_imminent orange    on    B
system_sd.initialising   red       flash B
system_sd.shutting_down  red       flash B
system_sd.full           red       fast  B
system_sd.failed         red       on    B
system_sd.shutdown       off       off   B
card.error               red       on    A
card.initialising        red       slow  A
card.healthy             red       beat  A
card.shutdown            red       fast  A
exp4.healthy             orange    flash B
ds_port.phone_detected   green     on    A
vcm_load.lit             green     on    A
exp_port.present         green     on    B
exp_port.initialising    red       flash B
exp_port.error           red       on    B
atm_port.idle            green     on    A
atm_port.in_use          green     flash A
pri_port.no_trunk        off       off   A
pri_port.present         green     on    A
pri_port.in_use          green     flash A
pri_port.far_end_ais_9   red/green fast  A
pri_port.far_end_ais_10  green     fast  A
module.starting          red       flash C
module.operational       green     on    C
module.fault             red       on    C
module.unlicensed        red       on    C
module.waiting           red       on    C
"""
LED_ROWS = [line.split() for line in LEDS.strip().splitlines()]


@pytest.mark.parametrize("row", ALARM_ROWS, ids=[name for _, name, *_ in ALARM_ROWS])
def test_an_event_is_as_documented(row: list[str]) -> None:
    number, name, severity, cleared_by, grade = row
    alarm = CATALOGUE.alarms[int(number)]
    assert alarm.name == f"ipoGen{name}"
    assert (alarm.number, alarm.severity) == (int(number), int(severity))
    assert alarm.cleared_by == (None if cleared_by == "-" else int(cleared_by))
    assert alarm.grade == grade


def test_no_event_is_there_but_these_and_the_change_of_a_phone() -> None:
    assert set(CATALOGUE.alarms) == {2, *range(15, 59)}
    phones = CATALOGUE.alarms[2]
    assert (phones.name, phones.severity, phones.group) == ("ipoPhonesChangeSvcEvent", 5, "phones")


def test_the_groups_of_a_trap_destination_s_mask() -> None:
    groups: dict[str, list[int]] = {}
    for number, alarm in sorted(CATALOGUE.alarms.items()):
        groups.setdefault(alarm.group, []).append(number)
    assert groups["licence"] == [24, 25, 26, 27, 34, 35, 40]
    assert {36, 37, 38, 39, 41} < set(groups["system"])
    assert groups["service"] == [46, 47, 48, 49, 58]
    assert set(groups) == {
        *("generic", "entity", "licence", "loopback", "application", "system"),
        *("phones", "config", "service", "trunk", "link"),
    }


def test_an_alarm_is_cleared_by_an_event_that_says_so() -> None:
    for alarm in CATALOGUE.alarms.values():
        if alarm.cleared_by is not None and alarm.cleared_by not in (alarm.number, 18):
            assert CATALOGUE.alarms[alarm.cleared_by].severity == 1, alarm


@pytest.mark.parametrize("row", LED_ROWS, ids=[name for name, *_ in LED_ROWS])
def test_an_led_is_as_documented(row: list[str]) -> None:
    name, colour, pattern, grade = row
    led = CATALOGUE.leds[name]
    assert [led.colour, led.pattern, led.grade] == [colour, pattern, grade]


def test_an_led_that_is_off_has_no_colour_and_all_speak_the_vocabulary() -> None:
    for name, led in CATALOGUE.leds.items():
        assert (led.colour == "off") is (led.pattern == "off"), name
        assert led.colour in COLOURS
        assert led.pattern in CATALOGUE.led_patterns


def test_the_rhythms_of_the_vocabulary() -> None:
    rhythms = {name: (rhythm.first_s, rhythm.second_s) for name, rhythm in CATALOGUE.led_patterns.items()}
    assert rhythms == {
        "off": (0, 1),
        "on": (1, 0),
        "flash": (0.5, 0.5),
        "slow": (0.5, 0.5),
        "fast": (0.1, 0.1),
        "beat": (0.1, 4.9),
        "alt": (0.5, 0.5),
    }


def test_the_durations_and_how_they_are_known() -> None:
    timings = CATALOGUE.timings
    assert (timings.module_delay_s, timings.card_initialisation_s) == (5, 3)
    assert (timings.shutdown_s, timings.shutdown_ucm_s) == (60, 180)
    assert (timings.shutdown_minutes_min, timings.shutdown_minutes_max) == (5, 1_440)
    assert (timings.grace_s, timings.poll_s) == (7_200, 10)
    assert timings.grades["shutdown_minutes_max"] is Grade.A
    assert timings.grades["grace_s"] is Grade.C
    assert timings.grades["poll_s"] is Grade.DECISION


def test_the_catalogue_is_loaded_once_and_cannot_be_changed() -> None:
    assert load_catalogue() is load_catalogue()
    for table in (CATALOGUE.parts, CATALOGUE.licences, CATALOGUE.editions, CATALOGUE.models["ip500"].max_extensions):
        with pytest.raises(TypeError):
            cast("dict[object, object]", table)["x"] = 1
    with pytest.raises(AttributeError):
        CATALOGUE.parts["DS8"].limit = 9  # type: ignore[misc]  # that it is frozen is the point


@pytest.mark.parametrize("loader", [source.LOADER, yaml.BaseLoader], ids=["fast", "pure Python"])
def test_every_loader_gives_the_same_catalogue(monkeypatch: pytest.MonkeyPatch, loader: type[yaml.BaseLoader]) -> None:
    monkeypatch.setattr(source, "LOADER", loader)
    made = build_catalogue(source.read)
    assert [getattr(made, field.name) for field in fields(made)] == [
        getattr(CATALOGUE, field.name) for field in fields(CATALOGUE)
    ]


def test_rows_that_say_the_same_share_it() -> None:
    shared = {id(part.models) for part in CATALOGUE.parts.values()}
    assert len(shared) == len({part.models for part in CATALOGUE.parts.values()})
    shared = {id(licence.prerequisites) for licence in CATALOGUE.licences.values()}
    assert len(shared) == len({licence.prerequisites for licence in CATALOGUE.licences.values()})
