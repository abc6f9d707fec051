"""The configurations that come with the package: each one boots, and shows what its comment says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.config.load import load_config
from ipo_sim.core.dect_events import BaseStationLost
from ipo_sim.core.events import (
    DeadlineReached,
    Event,
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    PowerApplied,
    ReaderAttached,
    ReaderLost,
)
from ipo_sim.core.model import SECOND_NS, DectState, Lifecycle, Nanoseconds, OperState, Unit, UnitDefinition
from ipo_sim.core.unit import new_unit, next_deadline, step
from ipo_sim.licensing.status import LicenceStatus

CONFIGS = Path(__file__).parents[2] / "configs"
START = Nanoseconds(1_700_000_000_000_000_000)


def booted(definition: UnitDefinition) -> Unit:
    """The unit after power-up with what its reader reports at the start, once nothing is left to wait for at boot."""
    unit = new_unit(definition, load_catalogue())
    facts: list[Fact] = [PowerApplied()]
    if definition.card is not None:
        facts.insert(0, FeatureKeyInserted(definition.card.serial))
    virtual = definition.reader_kind == "virtual"
    facts.insert(0, ReaderAttached(definition.reader_name) if virtual else ReaderLost("no such device"))
    for fact in facts:
        unit, _ = step(unit, Event(START, fact))
    while unit.life.state is Lifecycle.STARTING:
        deadline = next_deadline(unit)
        assert deadline is not None
        unit, _ = step(unit, Event(deadline, DeadlineReached()))
    return unit


def units(name: str) -> list[Unit]:
    loaded = load_config(CONFIGS / f"{name}.yaml")
    assert loaded.warnings == ()
    return [booted(definition) for definition in loaded.units]


def in_service(unit: Unit, room: str) -> list[bool]:
    return [
        part.service.oper_state is OperState.ENABLED
        for part in unit.parts
        if part.fitted is not None and part.place.path.startswith(room)
    ]


def statuses(unit: Unit) -> set[LicenceStatus]:
    return {licence.status for licence in unit.licences}


def minimal() -> None:
    (unit,) = units("minimal")
    assert (unit.life.state, unit.edition.name) == (Lifecycle.RUNNING, "standard")
    assert in_service(unit, "") == []


def full() -> None:
    (unit,) = units("full")
    assert (unit.definition.name, unit.life.state, unit.edition.name) == ("bench-1", Lifecycle.RUNNING, "professional")
    assert in_service(unit, "slots/") == [True] * 8
    assert in_service(unit, "expansion/") == [True] * 8
    assert len(unit.licences) == 8
    assert statuses(unit) == {LicenceStatus.VALID}
    assert unit.alarms == ()


def unlicensed() -> None:
    (unit,) = units("unlicensed")
    assert (unit.life.state, unit.edition.name) == (Lifecycle.RUNNING, "standard")
    assert in_service(unit, "slots/") == [True] * 4
    assert in_service(unit, "expansion/") == [False] * 2


def wrong_card() -> None:
    (unit,) = units("wrong-card")
    assert (unit.life.state, unit.edition.name) == (Lifecycle.RUNNING, "standard")
    assert statuses(unit) == {LicenceStatus.INVALID}
    assert in_service(unit, "expansion/") == [False] * 2
    right, _ = step(unit, Event(unit.at, FeatureKeyRemoved()))
    right, _ = step(right, Event(unit.at, FeatureKeyInserted("1234567890")))
    assert statuses(right) == {LicenceStatus.VALID}
    assert in_service(right, "expansion/") == [True] * 2


def key_server() -> None:
    (unit,) = units("ip412-key-server")
    assert unit.life.state is Lifecycle.RUNNING
    assert {licence.status for licence in unit.licences} == {LicenceStatus.INVALID}
    with_dongle, _ = step(unit, Event(unit.at, ReaderAttached(unit.reader.name)))
    with_dongle, _ = step(with_dongle, Event(unit.at, FeatureKeyInserted("1234567890", kind="dongle-usb")))
    assert {licence.status for licence in with_dongle.licences} == {LicenceStatus.VALID}


def serial_reader() -> None:
    real_reader("serial-reader", "/dev/fkc0")


def pn532() -> None:
    real_reader("pn532", "/dev/nfc0")


def real_reader(name: str, port: str) -> None:
    (unit,) = units(name)
    assert unit.life.state is Lifecycle.AWAITING_FEATURE_KEY
    unit, _ = step(unit, Event(unit.at, ReaderAttached(port)))
    unit, _ = step(unit, Event(unit.at, FeatureKeyInserted("1234567890")))
    while unit.life.state is Lifecycle.STARTING:
        unit, _ = step(unit, Event(next_deadline(unit) or unit.at, DeadlineReached()))
    assert (unit.life.state, unit.edition.name) == (Lifecycle.RUNNING, "professional")
    assert statuses(unit) == {LicenceStatus.VALID}


def fleet() -> None:
    fleet = units("fleet")
    licensed, cardless = fleet[:25], fleet[25:]
    assert [unit.definition.name for unit in cardless] == [f"cardless-{n}" for n in range(101, 106)]
    assert {(unit.life.state, unit.edition.name) for unit in licensed} == {(Lifecycle.RUNNING, "professional")}
    assert {(unit.life.state, unit.edition.name) for unit in cardless} == {(Lifecycle.RUNNING, "standard")}
    for unit in licensed:
        assert statuses(unit) == {LicenceStatus.VALID}
        assert in_service(unit, "expansion/") == [True] * 2


def ip_dect() -> None:
    (unit,) = units("ip-dect")
    assert unit.life.state is Lifecycle.RUNNING
    assert unit.alarms == ()
    assert unit.dect is not None
    assert (unit.dect.dect.state, unit.dect.dect.licensed_bases) == (DectState.OK, 4)
    seen = []
    for mac in ("02:00:5e:10:00:02", "02:00:5e:10:00:03"):
        unit, _ = step(unit, Event(unit.at, BaseStationLost(mac)))
        assert unit.dect is not None
        seen.append(unit.dect.dect.state)
    deadline = next_deadline(unit)
    assert deadline == unit.at + 72 * 3_600 * SECOND_NS
    unit, _ = step(unit, Event(deadline or unit.at, DeadlineReached()))
    assert unit.dect is not None
    assert [*seen, unit.dect.dect.state] == [DectState.WARNING, DectState.VIOLATION, DectState.VOICE_BLOCKED]


def pcsc() -> None:
    (unit,) = units("pcsc")
    assert unit.life.state is Lifecycle.AWAITING_FEATURE_KEY
    unit, _ = step(unit, Event(unit.at, ReaderAttached("ACS ACR39U ICC Reader 00 00")))
    unit, _ = step(unit, Event(unit.at, FeatureKeyInserted("1234567890", kind="fkc")))
    while unit.life.state is Lifecycle.STARTING:
        unit, _ = step(unit, Event(next_deadline(unit) or unit.at, DeadlineReached()))
    assert (unit.life.state, unit.edition.name) == (Lifecycle.RUNNING, "professional")
    assert statuses(unit) == {LicenceStatus.VALID}


def ip406v2() -> None:
    (unit,) = units("ip406v2")
    assert (unit.life.state, unit.edition.name, unit.alarms) == (Lifecycle.RUNNING, "none", ())
    assert in_service(unit, "") == [True] * 5
    assert statuses(unit) == {LicenceStatus.VALID}
    unit, _ = step(unit, Event(unit.at, FeatureKeyRemoved()))
    unit, _ = step(unit, Event(next_deadline(unit) or unit.at, DeadlineReached()))
    assert (unit.life.state, statuses(unit)) == (Lifecycle.RUNNING, {LicenceStatus.INVALID})
    assert in_service(unit, "") == [True] * 5


SHOWS: dict[str, Callable[[], None]] = {
    "minimal": minimal,
    "full": full,
    "unlicensed": unlicensed,
    "wrong-card": wrong_card,
    "ip412-key-server": key_server,
    "serial-reader": serial_reader,
    "pcsc": pcsc,
    "pn532": pn532,
    "fleet": fleet,
    "ip406v2": ip406v2,
    "ip-dect": ip_dect,
}


@pytest.mark.parametrize("name", SHOWS)
def test_the_configuration_boots_and_shows_what_it_says(name: str) -> None:
    SHOWS[name]()
    assert (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8").startswith("# ")


def test_every_configuration_is_booted_here() -> None:
    assert {path.stem for path in CONFIGS.glob("*.yaml")} == set(SHOWS)
