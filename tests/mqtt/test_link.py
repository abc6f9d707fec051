"""What a stock client sees of a unit, on each broker: birth, values, cascades, events, withdrawal, clean stop."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ipo_sim.api.paths import cascade_rank
from ipo_sim.core.dect_events import BaseStationConfigured, BaseStationLost, BaseStationRemoved
from ipo_sim.core.events import (
    DateSet,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    LicenceRemoved,
    PartWithdrawn,
    UserConfigured,
    UserRemoved,
)
from ipo_sim.core.model import SECOND_NS, Nanoseconds, UnitName
from ipo_sim.mqtt.settings import ConnectionMode
from ipo_sim.mqtt.topics import Topics
from ipo_sim.runtime.bus import Bus
from tests.core.bench import SERIAL, key
from tests.core.dect_bench import ADMM, SECOND, THIRD, system, with_dect
from tests.mqtt.brokers import Broker
from tests.mqtt.linked import entities_only, holds_the_store, make_link, running, settings_for, store, synchronised
from tests.mqtt.watcher import retained_now, watcher
from tests.mqtt.world import LiveUnit, Registry

UNIT = "ipo-sim/bench-1/unit"
ALARM = "ipo-sim/bench-1/alarms/40-feature-key"


async def test_birth_store_and_schema_are_retained_and_a_clean_stop_says_offline(broker: Broker) -> None:
    bus = Bus()
    LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port), bus)
    async with running(link):
        await synchronised(link)
        retained = await retained_now(broker.port)
        assert retained["ipo-sim/bench-1/availability"] == b"online"
        assert json.loads(retained[UNIT])["state"] == "running"
        assert json.loads(retained["ipo-sim/bench-1/schema"])["asyncapi"] == "3.0.0"
        assert entities_only(retained) == store(bus, link)
    assert (await retained_now(broker.port))["ipo-sim/bench-1/availability"] == b"offline"


async def test_the_whole_store_comes_in_the_order_of_a_cascade(broker: Broker) -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    unit.apply(FeatureKeyRemoved())
    async with watcher(broker.port) as seen, running(make_link(settings_for(broker.port), bus)):
        await seen.until(lambda: "ipo-sim/bench-1/schema" in seen.retained)
    topics = Topics("ipo-sim")
    rests = [address.rest for item in seen.heard if (address := topics.parse(item.topic))]
    assert rests[0] == "availability"
    paths = rests[1 : rests.index("schema")]
    assert "alarms/40-feature-key" in paths
    assert paths == sorted(paths, key=cascade_rank)
    assert paths[-1] == "unit"


async def test_a_cascade_arrives_in_its_order_with_unit_last_and_then_its_event(broker: Broker) -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port), bus)
    async with running(link), watcher(broker.port) as seen:
        await synchronised(link)
        unit.apply(FeatureKeyRemoved())
        await seen.until(lambda: len(seen.on("ipo-sim/bench-1/events")) == 1)
        before = len(seen.heard)
        unit.advance(hours=2)
        await seen.field(UNIT, "state", "awaiting_feature_key")
        await seen.until(lambda: len(seen.on("ipo-sim/bench-1/events")) == 2)
    _, effects = unit.history[-1]
    expected = [f"ipo-sim/bench-1/{path}" for path in effects.changes]
    assert expected[-1] == UNIT
    assert [item.topic for item in seen.heard[before:]][: len(expected) + 1] == [*expected, "ipo-sim/bench-1/events"]


async def test_an_event_is_told_once_and_not_retained(broker: Broker) -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port), bus)
    async with running(link), watcher(broker.port, "ipo-sim/bench-1/events") as seen:
        await synchronised(link)
        unit.apply(FeatureKeyRemoved(counter=3))
        await seen.until(lambda: bool(seen.heard))
    (event,) = (json.loads(item.payload) for item in seen.heard)
    assert (event["type"], event["data"], event["cause"]) == ("feature-key-removed", {"counter": 3}, "test")
    assert event["seq"] == unit.unit.seq
    assert [(n["event"], n["severity"]) for n in event["notifications"]] == [(40, "warning")]
    assert "ipo-sim/bench-1/events" not in await retained_now(broker.port)


async def test_what_exists_no_longer_is_cleared_at_once(broker: Broker) -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port), bus)
    async with running(link), watcher(broker.port) as seen:
        await synchronised(link)
        unit.apply(FeatureKeyRemoved())
        await seen.until(lambda: ALARM in seen.retained)
        unit.apply(FeatureKeyInserted(SERIAL))
        unit.apply(LicenceRemoved(key()))
        unit.apply(PartWithdrawn("slots/1/daughter"))
        await seen.until(lambda: len(seen.on("ipo-sim/bench-1/events")) == 4)
        assert not {ALARM, "ipo-sim/bench-1/licences/1"} & set(seen.retained)
        assert entities_only(await retained_now(broker.port)) == store(bus, link)


async def test_base_stations_come_and_go_with_their_system(broker: Broker) -> None:
    unit = LiveUnit(Bus(), unit_definition=with_dect(system(2))).boot()
    link = make_link(settings_for(broker.port), unit.bus)
    top = "ipo-sim/bench-1/dect"
    async with running(link), watcher(broker.port) as seen:
        await synchronised(link)
        await seen.field(top, "state", "ok")
        unit.apply(BaseStationConfigured(THIRD, admm=True), BaseStationLost(SECOND))
        unit.apply(BaseStationRemoved(ADMM))
        await seen.until(lambda: f"{top}/bases/{ADMM}" not in seen.retained)
        retained = await holds_the_store(broker.port, unit.bus, link)
        assert sorted(topic for topic in retained if topic.startswith(top)) == [
            top,
            f"{top}/bases/{SECOND}",
            f"{top}/bases/{THIRD}",
        ]
        assert json.loads(retained[top])["state"] == "voice_blocked"
        assert json.loads(retained[f"{top}/bases/{SECOND}"])["reachable"] is False


async def test_what_an_earlier_life_left_behind_is_cleared_and_nothing_else(broker: Broker) -> None:
    dect = ["dect", "dect/bases/02:00:5e:10:00:01"]
    stale = [
        *dect,
        "licences/77",
        "features/old",
        "slots/9",
        "slots/1/old",
        "expansion/12",
        "leds/gone",
        "alarms/20-slots-4",
    ]
    foreign = ["ipo-sim/bench-1/notes", "ipo-sim/bench-10/alarms/40-feature-key", "other/bench-1/alarms/1"]
    bus = Bus()
    LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port), bus)
    async with watcher(broker.port) as seen:
        for topic in (*(f"ipo-sim/bench-1/{path}" for path in stale), *foreign):
            await seen.client.publish(topic, b"{}", qos=1, retain=True)
        async with running(link):
            await synchronised(link)
            retained = await retained_now(broker.port, "#")
    left = {topic: value for topic, value in entities_only(retained).items() if topic not in foreign}
    assert left == store(bus, link)
    assert set(foreign) <= set(retained)


async def test_two_daemons_share_a_prefix(broker: Broker) -> None:
    first, second = Bus(), Bus()
    LiveUnit(first, "bench-1").boot()
    LiveUnit(second, "bench-2").boot()
    shared = settings_for(broker.port, connection=ConnectionMode.SHARED)
    one, two = make_link(shared, first), make_link(shared, second)
    async with running(one):
        await synchronised(one)
        async with running(two):
            await synchronised(two)
        retained = await retained_now(broker.port)
    assert entities_only(retained) == store(first, one) | store(second, two)
    assert retained["ipo-sim/bench-1/availability"] == retained["ipo-sim/ipo-sim-bench-1/availability"] == b"online"
    assert retained["ipo-sim/bench-2/availability"] == retained["ipo-sim/ipo-sim-bench-2/availability"] == b"offline"


async def test_many_units_on_one_connection(broker: Broker) -> None:
    bus = Bus()
    names = [f"unit-{number}" for number in range(20)]
    for name in names:
        LiveUnit(bus, name).boot()
    link = make_link(settings_for(broker.port, client_id="fleet"), bus)
    stale = "ipo-sim/unit-19/alarms/40-feature-key"
    async with watcher(broker.port) as seen:
        await seen.client.publish(stale, b"{}", qos=1, retain=True)
        async with running(link):
            await synchronised(link)
            retained = await retained_now(broker.port)
    assert entities_only(retained) == store(bus, link)
    assert {retained[f"ipo-sim/{name}/availability"] for name in (*names, "fleet")} == {b"online"}
    assert json.loads(retained["ipo-sim/unit-7/unit"])["daemon"] == "fleet"


async def test_a_late_last_will_is_contradicted(broker: Broker) -> None:
    bus = Bus()
    LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port), bus)
    topic = "ipo-sim/bench-1/availability"
    async with running(link), watcher(broker.port, topic) as seen:
        await synchronised(link)
        await seen.client.publish(topic, b"offline", qos=1, retain=True)
        await seen.until(lambda: [item.payload for item in seen.heard][-2:] == [b"offline", b"online"])
        assert (await retained_now(broker.port))[topic] == b"online"


async def test_a_unit_whose_clock_is_set_tells_its_deadlines_anew(broker: Broker) -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    unit.apply(FeatureKeyRemoved())
    link = make_link(settings_for(broker.port), bus)
    async with running(link), watcher(broker.port) as seen:
        await synchronised(link)
        await seen.field("ipo-sim/bench-1/feature-key", "grace_until", "2026-01-05T14:00:10Z")
        unit.apply(DateSet(Nanoseconds(3_600 * SECOND_NS)))
        told = await seen.field("ipo-sim/bench-1/feature-key", "grace_until", "2026-01-05T15:00:10Z")
    assert told["condition"] == "grace"


async def test_a_name_with_a_blank_is_no_trouble_to_any_broker(broker: Broker) -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    unit.apply(UserConfigured("anna jones"))
    for left in (True, False):
        link = make_link(settings_for(broker.port), bus)
        async with running(link):
            await synchronised(link)
            retained = await retained_now(broker.port)
            assert entities_only(retained) == store(bus, link)
            assert ("ipo-sim/bench-1/users/anna%20jones" in retained) is left
        # Gone while nobody looks: it is found and cleared by its topic.
        if left:
            unit.apply(UserRemoved("anna jones"))


class Obedient(Registry):
    """Takes the card of a unit out when it is asked for anything."""

    def __init__(self, unit: LiveUnit) -> None:
        super().__init__()
        self._unit = unit

    async def __call__(
        self, unit: UnitName, verb: str, arguments: Mapping[str, object], request_id: str | None = None
    ) -> dict[str, object]:
        self._unit.apply(FeatureKeyRemoved())
        self._unit.advance(hours=2)
        return await super().__call__(unit, verb, arguments, request_id)


async def test_an_answer_comes_behind_the_state_that_its_request_changed(broker: Broker) -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port), bus, Obedient(unit))
    async with running(link), watcher(broker.port) as seen:
        await synchronised(link)
        await seen.client.publish("ipo-sim/bench-1/commands/power", b"{}", qos=1)
        await seen.until(lambda: bool(seen.on("ipo-sim/bench-1/commands/power/reply")))
    assert json.loads(seen.retained[UNIT])["state"] == "awaiting_feature_key"
    topics = [item.topic for item in seen.heard]
    changed = len(topics) - 1 - topics[::-1].index(UNIT)
    assert changed < topics.index("ipo-sim/bench-1/commands/power/reply")
