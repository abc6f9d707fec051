"""Injected faults of messages, as a stock client sees them on a broker."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved
from ipo_sim.core.fault_events import FaultInjected, FaultWithdrawn
from ipo_sim.core.model import SECOND_NS, UnitName
from ipo_sim.mqtt.link import Link
from ipo_sim.mqtt.schema import asyncapi
from ipo_sim.runtime.bus import Bus
from ipo_sim.runtime.commands import COMMANDS
from tests.core.bench import SERIAL
from tests.mqtt.brokers import Mosquitto
from tests.mqtt.linked import holds_the_store, make_link, running, settings_for, synchronised
from tests.mqtt.watcher import Watcher, watcher
from tests.mqtt.world import LiveUnit, Registry

UNIT = "ipo-sim/bench-1/unit"
KEY = "ipo-sim/bench-1/feature-key"
ALARM = "ipo-sim/bench-1/alarms/40-feature-key"
EVENTS = "ipo-sim/bench-1/events"


class Clearing(Registry):
    """A registry that takes faults back."""

    def __init__(self) -> None:
        super().__init__()
        self.unit: LiveUnit | None = None

    async def __call__(
        self, unit: UnitName, verb: str, arguments: Mapping[str, object], request_id: str | None = None
    ) -> dict[str, object]:
        if verb != "clear-fault" or self.unit is None:
            return await super().__call__(unit, verb, arguments, request_id)
        self.unit.apply(FaultWithdrawn(str(arguments["fault"])))
        return {}


@asynccontextmanager
async def bench(broker: Mosquitto) -> AsyncIterator[tuple[LiveUnit, Watcher, Link]]:
    """A unit on the broker, and a client that hears it."""
    bus, registry = Bus(), Clearing()
    unit = registry.unit = LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port), bus, registry)
    async with running(link):
        await synchronised(link)
        async with watcher(broker.port) as seen:
            await seen.until(lambda: "ipo-sim/bench-1/schema" in seen.retained)
            seen.heard.clear()
            yield unit, seen, link
        await holds_the_store(broker.port, bus, link)


def tampering(fault: str, **life: object) -> FaultInjected:
    options = tuple((name, option.default) for name, option in load_catalogue().faults[fault].options.items())
    return FaultInjected(fault, "mqtt", options, **life)  # type: ignore[arg-type] # by name


async def test_messages_are_published_twice(mosquitto: Mosquitto) -> None:
    async with bench(mosquitto) as (unit, seen, _link):
        unit.apply(tampering("mqtt-duplicated"))
        unit.apply(FeatureKeyRemoved())
        await seen.until(lambda: len(seen.on(ALARM)) == 2)
        assert seen.on(ALARM)[0] == seen.on(ALARM)[1]
        assert json.loads(seen.retained["ipo-sim/bench-1/faults/mqtt-duplicated"])["state"] == "active"
        unit.apply(FaultWithdrawn("mqtt-duplicated"))
        await seen.until(lambda: "ipo-sim/bench-1/faults/mqtt-duplicated" not in seen.retained)


async def test_messages_are_lost_until_the_fault_is_cleared_and_the_broker_is_put_right(mosquitto: Mosquitto) -> None:
    async with bench(mosquitto) as (unit, seen, link):
        unit.apply(tampering("mqtt-lost"))
        await seen.until(lambda: "ipo-sim/bench-1/faults/mqtt-lost" in seen.retained)
        unit.apply(FeatureKeyRemoved())
        await link.settle()
        unit.apply(FaultWithdrawn("mqtt-lost"))
        await seen.until(lambda: ALARM in seen.retained)
        assert seen.json(KEY)["condition"] == "grace"
        await seen.until(lambda: bool(seen.on(EVENTS)))
        assert [json.loads(event)["type"] for event in seen.on(EVENTS)] == ["fault-withdrawn"]


async def test_messages_are_cut_short(mosquitto: Mosquitto) -> None:
    async with bench(mosquitto) as (unit, seen, _link):
        unit.apply(tampering("mqtt-malformed"))
        await seen.until(lambda: "ipo-sim/bench-1/faults/mqtt-malformed" in seen.retained)
        unit.apply(FeatureKeyRemoved())
        await seen.until(lambda: ALARM in seen.retained)
        cut = seen.retained[ALARM]
        assert cut.startswith(b'{"v":1,')
        assert not cut.endswith(b"}")
        unit.apply(FaultWithdrawn("mqtt-malformed"))
        await seen.until(lambda: seen.retained[ALARM].endswith(b"}"))
        assert seen.json(ALARM)["severity"] == "warning"


async def test_messages_are_late_and_may_be_overtaken(mosquitto: Mosquitto) -> None:
    async with bench(mosquitto) as (unit, seen, _link):
        late = tampering("mqtt-late", clear_after=1)
        unit.apply(FaultInjected(late.fault, late.target, (("delay", str(SECOND_NS // 2)),), clear_after=1))
        await seen.until(lambda: "ipo-sim/bench-1/faults/mqtt-late" not in seen.retained)
        unit.apply(FeatureKeyRemoved())
        unit.apply(FeatureKeyInserted(SERIAL, counter=2))
        await seen.until(lambda: any(b'"fault-injected"' in event for event in seen.on(EVENTS)))
        await seen.field(KEY, "counter", 2)


async def test_a_fault_that_has_struck_often_enough_is_taken_back(mosquitto: Mosquitto) -> None:
    async with bench(mosquitto) as (unit, seen, _link):
        unit.apply(tampering("mqtt-lost", clear_after=3))
        for counter in range(2, 6):
            unit.apply(FeatureKeyRemoved())
            unit.apply(FeatureKeyInserted(SERIAL, counter=counter))
        await seen.field(KEY, "counter", 5)
        assert "faults/mqtt-lost" not in unit.bus.latest(unit.name)


async def test_chance_of_messages_follows_from_the_seed(mosquitto: Mosquitto) -> None:
    lost = []
    for _ in range(2):
        async with bench(mosquitto) as (unit, seen, link):
            unit.apply(tampering("mqtt-lost", probability=0.5))
            await seen.until(lambda seen=seen: "ipo-sim/bench-1/faults/mqtt-lost" in seen.retained)  # type: ignore[misc] # bound now
            for counter in range(2, 30):
                unit.apply(FeatureKeyRemoved())
                await link.settle()
                unit.apply(FeatureKeyInserted(SERIAL, counter=counter))
            await link.settle()
            unit.apply(FaultWithdrawn("mqtt-lost"))
            await seen.until(lambda seen=seen: b"fault-withdrawn" in b"".join(seen.on(EVENTS)))  # type: ignore[misc] # bound now
            lost.append([json.loads(event)["seq"] for event in seen.on(EVENTS)])
    assert lost[0] == lost[1]
    assert 10 < len(lost[0]) < 50


def test_the_schema_flags_what_may_be_spoilt() -> None:
    operations = asyncapi(COMMANDS)["operations"]
    flags = ["late", "duplicated", "lost", "malformed"]
    assert operations["alarm"]["x-ipo-sim-faults"] == flags
    assert operations["event"]["x-ipo-sim-faults"] == flags
    assert not [name for name in ("fault", "availability", "answer") if "x-ipo-sim-faults" in operations[name]]
