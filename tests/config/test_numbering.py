"""Many units from one entry."""

from __future__ import annotations

import pytest

from ipo_sim.config.load import load_text
from ipo_sim.core.model import UnitDefinition
from ipo_sim.licensing.key import recognise, verify

MINTED = "{licence: IP500 Upgrade Standard to Professional}, {licence: Receptionist, instances: 4, expiry: 2030-01-31}"


def units(entry: str) -> tuple[UnitDefinition, ...]:
    return load_text(f"units:\n  - {entry}", "x.yaml").units


def test_names_are_numbered_from_1() -> None:
    assert [unit.name for unit in units('{model: ip500, count: 3, name: "unit-{n:04}"}')] == [
        "unit-0001",
        "unit-0002",
        "unit-0003",
    ]
    assert [unit.name for unit in units("{model: ip500, count: 2}")] == ["unit-1", "unit-2"]


def test_numbers_may_start_anywhere_and_outgrow_their_width() -> None:
    found = units('{model: ip500, count: 2, first: 99, name: "a{n:02}b{n}"}')
    assert [unit.name for unit in found] == ["a99b99", "a100b100"]


def test_system_name_serial_and_port_are_numbered() -> None:
    found = units('{model: ip500, count: 2, system_name: "Site {n}", feature_key: {serial: "9000{n:06}"}}')
    assert [(unit.system_name, unit.card and unit.card.serial) for unit in found] == [
        ("Site 1", "9000000001"),
        ("Site 2", "9000000002"),
    ]
    found = units('{model: ip500, count: 2, feature_key: {reader: serial, port: "socket://127.0.0.1:70{n:02}"}}')
    assert [unit.reader_name for unit in found] == ["socket://127.0.0.1:7001", "socket://127.0.0.1:7002"]


def test_what_follows_from_the_name_differs_and_is_the_same_next_time() -> None:
    found = units("{model: ip500, count: 1000}")
    assert len({unit.mac for unit in found}) == len({unit.system_name for unit in found}) == 1000
    assert len({unit.card for unit in found}) == 1000
    assert found == units("{model: ip500, count: 1000}")
    assert all(int(unit.mac[:2], 16) & 3 == 2 for unit in found), "locally administered, of one station"


def test_licences_are_minted_for_each_unit_s_own_card() -> None:
    for unit in units(f"{{model: ip500, count: 3, licences: [{MINTED}], key: {{secret: s}}}}"):
        assert unit.card is not None
        keys = [recognise(text) for text in unit.licences]
        assert all(key is not None and verify(key, unit.card.serial, b"s") for key in keys)
        assert [(key.instances, str(key.expiry)) for key in keys if key] == [(1, "None"), (4, "2030-01-31")]


def test_equal_licences_give_different_keys() -> None:
    (unit,) = units("{model: ip500, count: 1, licences: [{licence: Receptionist}, {licence: Receptionist}]}")
    assert len(set(unit.licences)) == 2


def test_keys_and_minted_licences_mix_in_their_order() -> None:
    key = "2vAHyzUXcjjyyV3pkFLbZzFQ6wkRRRRR"
    first, second = units(f"{{model: ip500, count: 2, licences: [{key}, {MINTED}]}}")
    assert first.licences[0] == second.licences[0] == key
    assert first.licences[1] != second.licences[1]


@pytest.mark.parametrize(
    "field", ["parts", "release", "secret", "model", "grace_ns", "poll_ns", "reader_name", "licences"]
)
def test_equal_values_of_a_fleet_are_one_object(field: str) -> None:
    entry = "{model: ip500, slots: {1: DS8}, licences: [2vAHyzUXcjjyyV3pkFLbZzFQ6wkRRRRR], %s, key: {grace_s: 100000}}"
    text = "units:\n" + "".join(f"  - {entry % row}\n" for row in ('count: 2, name: "a{n}"', "name: b", "name: c"))
    loaded = load_text(text, "x.yaml").units
    assert len(loaded) == 4
    assert len({id(getattr(unit, field)) for unit in loaded}) == 1


def test_readers_of_a_fleet_are_one_object() -> None:
    loaded = load_text("units: [{model: ip500, count: 5}]", "x.yaml")
    assert len(loaded.readers) == 5
    assert len({id(reader) for reader in loaded.readers.values()}) == 1
