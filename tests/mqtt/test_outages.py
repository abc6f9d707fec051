"""Brokers that die, hang, refuse or lag, and daemons that die: afterwards the broker holds what the bus holds."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, LicenceRemoved, PartFitted, PartWithdrawn
from ipo_sim.mqtt.backoff import Backoff
from ipo_sim.mqtt.link import Link
from ipo_sim.runtime.bus import Bus
from tests.core.bench import SERIAL, key
from tests.mqtt.brokers import HOST, Broker, Mosquitto, Nats, until
from tests.mqtt.linked import holds_the_store, make_link, running, settings_for, store, synchronised
from tests.mqtt.watcher import retained_now, watcher
from tests.mqtt.world import LiveUnit, Registry

ROOT = Path(__file__).parents[2]
ALARM = "ipo-sim/bench-1/alarms/40-feature-key"
AVAILABILITY = "ipo-sim/bench-1/availability"


async def lost(link: Link) -> None:
    """Wait until the link has seen that its broker is gone."""
    await until(lambda: not link.synchronised.is_set())


async def test_a_killed_broker_comes_back_to_the_latest_store(broker: Broker) -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    unit.apply(FeatureKeyRemoved())
    link = make_link(settings_for(broker.port), bus)
    async with running(link):
        await synchronised(link)
        await broker.persisted(ALARM)
        await broker.kill()
        await lost(link)
        unit.apply(FeatureKeyInserted(SERIAL), LicenceRemoved(key()), PartWithdrawn("slots/1/daughter"))
        unit.apply(PartFitted("slots/1/daughter", "ATM4"), PartWithdrawn("expansion/8"))
        assert ALARM not in store(bus, link)
        await broker.start()
        await synchronised(link)
        retained = await holds_the_store(broker.port, bus, link)
        assert retained[AVAILABILITY] == b"online"
        counters = link.counters()
    assert counters["connects"] == 2
    assert counters["missed_events"] == 5


async def test_what_a_broker_only_remembers_after_a_while_is_cleared_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """nats-server accepts clients while it still reads what it retained."""
    monkeypatch.setattr("ipo_sim.mqtt.link.RECHECK_S", 0.2)
    broker = Nats(tmp_path)
    bus = Bus()
    LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port), bus)
    try:
        await broker.start()
        async with watcher(broker.port, "none") as seen:
            seen.client.pending_calls_threshold = 1_000
            for start in range(0, 3_000, 50):
                topics = [f"ipo-sim/bench-1/licences/{1_000 + start + number}" for number in range(50)]
                await asyncio.gather(*(seen.client.publish(topic, b"{}", qos=1, retain=True) for topic in topics))
        await broker.kill()
        await broker.start()
        async with running(link):
            await synchronised(link)
            await holds_the_store(broker.port, bus, link)
            assert link.counters()["published"] > 3_000
    finally:
        await broker.stop()


async def test_a_broker_that_is_not_there_yet_is_waited_for(broker: Broker) -> None:
    await broker.kill()
    bus = Bus()
    unit = LiveUnit(bus)
    link = make_link(settings_for(broker.port), bus)
    async with running(link):
        unit.boot()
        await until(lambda: link.last_error is not None)
        assert link.last_error is not None
        assert link.last_error == f"broker mqtt://{HOST}:{broker.port}: Connection refused"
        await broker.start()
        await synchronised(link)
        await holds_the_store(broker.port, bus, link)
        assert link.last_error is None


async def test_a_hung_broker_is_given_up_and_found_again(broker: Broker) -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port, timeout_s=0.3), bus)
    async with running(link):
        await synchronised(link)
        broker.hang()
        for _ in range(20):
            unit.apply(FeatureKeyRemoved())
            unit.apply(FeatureKeyInserted(SERIAL))
        await lost(link)
        unit.apply(FeatureKeyRemoved())
        broker.resume()
        await synchronised(link)
        retained = await holds_the_store(broker.port, bus, link)
        assert ALARM in retained
        assert retained[AVAILABILITY] == b"online"


async def test_an_idle_link_notices_a_hung_broker_by_its_keepalive(mosquitto: Mosquitto) -> None:
    bus = Bus()
    LiveUnit(bus).boot()
    link = make_link(settings_for(mosquitto.port, keepalive_s=1, timeout_s=0.3), bus)
    async with running(link):
        await synchronised(link)
        mosquitto.hang()
        await lost(link)
        mosquitto.resume()
        await synchronised(link)
        assert link.counters()["connects"] == 2


async def test_while_the_broker_is_away_there_is_no_backlog(broker: Broker) -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port), bus)
    async with running(link):
        await synchronised(link)
        await broker.kill()
        await lost(link)
        for _ in range(1_000):
            unit.apply(FeatureKeyRemoved())
            unit.apply(FeatureKeyInserted(SERIAL))
        subscription = link._subscription
        assert subscription is not None
        assert subscription.take() == ({}, [])
        await broker.start()
        await synchronised(link)
        assert link.counters()["missed_events"] == 2_000
        await holds_the_store(broker.port, bus, link)


async def test_a_subscriber_that_does_not_read_holds_nobody_up(broker: Broker) -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port), bus)
    reader, writer = await asyncio.open_connection(HOST, broker.port, limit=1_024)
    try:
        connect = b"\x00\x04MQTT\x04\x02\x00\x00\x00\x04slow"
        subscribe = b"\x00\x01\x00\x01#\x00"
        writer.write(bytes([0x10, len(connect)]) + connect)
        await reader.readexactly(4)
        writer.write(bytes([0x82, len(subscribe)]) + subscribe)
        writer.transport.pause_reading()  # type: ignore[attr-defined] # of every socket transport
        async with running(link), watcher(broker.port, "ipo-sim/#") as seen:
            await synchronised(link)
            # More than the sockets between them and the slow one can hold.
            for _ in range(100):
                await seen.client.publish("flood", bytes(100_000), qos=1)
            for _ in range(20):
                unit.apply(FeatureKeyRemoved())
                unit.apply(FeatureKeyInserted(SERIAL))
                await seen.field("ipo-sim/bench-1/feature-key", "seq", unit.unit.seq)
            await seen.until(lambda: len(seen.on("ipo-sim/bench-1/events")) == 40)
            assert link.counters()["connects"] == 1
    finally:
        writer.transport.abort()


async def test_a_killed_daemon_leaves_its_last_will_and_the_next_one_its_birth(broker: Broker) -> None:
    async with watcher(broker.port, AVAILABILITY) as seen:
        for _ in range(2):
            daemon = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.mqtt.daemon", str(broker.port), cwd=ROOT
            )
            try:
                await seen.value(AVAILABILITY, b"online")
            finally:
                daemon.kill()
                await daemon.wait()
            await seen.value(AVAILABILITY, b"offline")
    assert [item.payload for item in seen.heard] == [b"online", b"offline"] * 2


async def test_a_second_daemon_with_the_same_unit_takes_over_and_the_first_backs_off(broker: Broker) -> None:
    bus = Bus()
    LiveUnit(bus).boot()
    one, two = (make_link(settings_for(broker.port), bus) for _ in range(2))
    one._backoff = Backoff("test", base_s=3_600.0, cap_s=3_600.0)
    async with running(one):
        await synchronised(one)
        async with running(two):
            await synchronised(two)
            await until(lambda: one._backoff.failures == 1)
            assert one.last_error is not None
            assert one.last_error.endswith("connection lost")
            assert (await retained_now(broker.port))[AVAILABILITY] == b"online"


async def test_a_stop_while_the_broker_is_away_or_hung_is_quick(broker: Broker) -> None:
    bus = Bus()
    LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port, timeout_s=0.3), bus)
    async with running(link) as task:
        await synchronised(link)
        broker.hang()
        task.cancel()
        async with asyncio.timeout(5.0):
            await asyncio.wait({task})
    assert task.cancelled()


async def test_answers_without_a_connection_are_dropped(broker: Broker) -> None:
    bus, registry = Bus(), Registry()
    LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port), bus, registry)
    released = asyncio.Event()

    async def slow(unit: str, verb: str, arguments: object, request_id: str | None = None) -> dict[str, object]:
        registry.asked.append((unit, verb, {}, request_id))
        await released.wait()
        return {"seq": 1}

    link._desk._execute = slow
    async with running(link):
        await synchronised(link)
        async with watcher(broker.port, "none") as seen:
            await seen.client.publish("ipo-sim/bench-1/commands/power", b'{"id": 1}', qos=1)
            await until(lambda: bool(registry.asked))
        await broker.kill()
        await lost(link)
        released.set()
        await broker.start()
        await synchronised(link)
    assert registry.asked == [("bench-1", "power", {}, "1")]


@pytest.mark.parametrize("rounds", [10])
async def test_a_broker_that_dies_again_and_again(broker: Broker, rounds: int) -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    link = make_link(settings_for(broker.port), bus)
    async with running(link):
        for number in range(rounds):
            await synchronised(link)
            unit.apply(FeatureKeyInserted(SERIAL) if number % 2 else FeatureKeyRemoved())
            await broker.kill()
            await lost(link)
            await broker.start()
        await synchronised(link)
        await holds_the_store(broker.port, bus, link)
        assert link.counters()["connects"] == rounds + 1
