"""Every fault of the catalogue, injected by a user's test: what is seen of it from outside, and that it is undone."""

from __future__ import annotations

from typing import Any

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.model import Nanoseconds
from ipo_sim.testing.unit import SimulatedUnit

# Fault: how it is injected, what happens then, and the entity with the fields that show it.
SEEN: dict[str, tuple[dict[str, Any], list[str], str, dict[str, object]]] = {
    "card-unreadable": ({"reason": 4}, [], "feature-key", {"presence": "unreadable", "reason": 4}),
    "card-mute": ({}, [], "feature-key", {"presence": "unreadable", "reason": 3}),
    "wrong-atr": ({}, [], "feature-key", {"presence": "unreadable", "reason": 4}),
    "slow-card": ({"delay": "1m"}, ["remove-card", "insert-card"], "feature-key", {"presence": "absent"}),
    "flaky-contact": ({"bounces": 5}, [], "feature-key", {"presence": "absent"}),
    "reader-lost": ({}, [], "reader", {"state": "lost"}),
    "part-failed": ({"path": "slots/1"}, [], "alarms/20-slots-1", {"severity": "major", "text": "failed"}),
    "slot-failed": ({"path": "expansion/2"}, [], "expansion/2", {"oper_state": "disabled", "hold": "fault"}),
    "port-failed": ({"path": "slots/1", "port": 3}, [], "alarms/20-slots-1-port-3", {"text": "port 3 failed"}),
    "module-never-starts": ({"path": "expansion/3"}, ["restart"], "alarms/20-expansion-3", {"text": "failed"}),
    "firmware-mismatch": ({"path": "expansion/1"}, [], "expansion/1", {"availability": "failed"}),
    "controller-failed": ({}, [], "alarms/20-unit", {"severity": "critical"}),
    "link-down": ({"interface": 2}, [], "alarms/17-wan", {"text": "WAN link down"}),
    "trunk-failed": (
        {"path": "slots/1/daughter", "reason": 20},
        [],
        "alarms/50-slots-1-daughter-port-9",
        {"reason": 20},
    ),
    "trunk-loopback": ({"path": "slots/1/daughter"}, [], "alarms/28-slots-1-daughter-port-9", {"severity": "major"}),
    "link-failed": ({"reason": 29}, [], "alarms/54-unit", {"text": "link: Voicemail Pro does not answer"}),
    "application-lost": ({"application": 4}, [], "alarms/29-applications-one-x-portal", {"severity": "major"}),
    "service-failed": ({"reason": 8}, [], "alarms/46-unit-service-failed", {"text": "service: log-on failed"}),
    "configuration-corrupt": ({}, [], "licences/1", {"status": "Unknown"}),
}
_SD = ("boot-place-backup", "memory-card-invalid", "memory-card-filling", "memory-card-busy", "reset-imminent")
# These change no entity of the unit itself.
ELSEWHERE = {
    "software-missing": "tests/core/test_leds.py",
    "clock-drift": "test_a_clock_drifts",
    **dict.fromkeys(
        ("boot-place-backup", "memory-card-invalid", "memory-card-filling", *_SD), "tests/core/test_signals.py"
    ),
    "key-server-slow": "tests/core/test_faults.py",
    "key-server-lying": "tests/core/test_faults.py",
    **dict.fromkeys(("mqtt-late", "mqtt-duplicated", "mqtt-lost", "mqtt-malformed"), "tests/mqtt/test_tampering.py"),
}


def test_none_is_left_out() -> None:
    assert {*SEEN, *ELSEWHERE} == {*load_catalogue().faults}
    assert not {*SEEN} & {*ELSEWHERE}


@pytest.mark.parametrize("fault", SEEN)
def test_it_is_seen_and_undone(ipo_unit: SimulatedUnit, fault: str) -> None:
    arguments, then, path, fields = SEEN[fault]

    def shown() -> bool:
        if path not in ipo_unit.paths():
            return False
        entity = ipo_unit.entity(path)
        return all(getattr(entity, name) == value for name, value in fields.items())

    assert not shown()
    ipo_unit.inject_fault(fault, **arguments)
    for verb in then:
        ipo_unit.do(verb)
    ipo_unit.wait_until(lambda _: shown(), within="20s")
    (injected,) = ipo_unit.faults
    assert ipo_unit.faults[injected].fault == fault
    # A card that has not been read yet is absent since the last one was pulled, as far as the unit knows.
    assert fault in " ".join(ipo_unit.why(path)) or fault == "slow-card"
    ipo_unit.clear_fault(injected)
    assert not ipo_unit.faults
    ipo_unit.restart()
    ipo_unit.wait_for("unit", state="running")
    assert not shown()
    assert not ipo_unit.alarms


def test_a_clock_drifts(ipo_unit: SimulatedUnit) -> None:
    before = ipo_unit.status.at
    ipo_unit.inject_fault("clock-drift", ppm=1000, interval="100s")
    ipo_unit.advance(1000)
    ipo_unit.remove_card()
    gone = ipo_unit.feature_key.at - before
    assert Nanoseconds(round(gone.total_seconds() * 1000)) == 1_001_000
