"""Requests from stock clients to a real daemon's runtime, over real brokers: answered, once, whatever they hold."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ipo_sim.api.requests import MAX_REQUEST_BYTES
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.model import Lifecycle
from ipo_sim.mqtt.link import Link
from ipo_sim.mqtt.plan import build_links
from ipo_sim.mqtt.settings import MqttSettings
from ipo_sim.runtime.assembly import Runtime, open_runtime
from ipo_sim.runtime.clock import stepped
from ipo_sim.runtime.commands import execute
from tests.core.bench import NOON, definition, key
from tests.mqtt.brokers import Broker, Mosquitto
from tests.mqtt.linked import UNIT, entities_only, running, settings_for, store, synchronised
from tests.mqtt.watcher import Watcher, retained_now, watcher

REPLIES = "ipo-sim/bench-1/commands/+/reply"


@asynccontextmanager
async def daemon(settings: MqttSettings) -> AsyncIterator[tuple[Runtime, Link]]:
    """A runtime of one unit in memory, with its pump and its link at work; time moves by `advance` alone."""
    catalogue = load_catalogue()
    runtime = open_runtime(None, [definition(key())], catalogue, clock=stepped(NOON))
    try:
        names, call = runtime.engine.names(), partial(execute, runtime.context)
        (link,) = build_links(settings, names, runtime.bus, catalogue, call)
        pump = asyncio.create_task(runtime.pump.run(), name="test-pump")
        try:
            async with running(link):
                await synchronised(link)
                yield runtime, link
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
    finally:
        runtime.close()


async def ask(seen: Watcher, verb: str, payload: bytes | dict[str, object], **options: Any) -> None:
    if isinstance(payload, dict):
        payload = json.dumps(payload).encode()
    await seen.client.publish(f"ipo-sim/bench-1/commands/{verb}", payload, qos=1, **options)


async def answers(seen: Watcher, count: int) -> list[dict[str, Any]]:
    """So many answers, oldest first."""
    await seen.until(lambda: len(seen.heard) >= count)
    return [json.loads(item.payload) for item in seen.heard]


def without_passing(heard: dict[str, bytes]) -> dict[str, bytes]:
    """The entities among all that was heard."""
    passing = ("/events", "/commands/")
    return {topic: value for topic, value in entities_only(heard).items() if not any(part in topic for part in passing)}


async def test_a_card_is_pulled_and_put_back_by_commands(broker: Broker) -> None:
    async with (
        watcher(broker.port, "ipo-sim/#") as everything,
        daemon(settings_for(broker.port)) as (runtime, link),
        watcher(broker.port, REPLIES) as seen,
    ):
        await ask(seen, "advance", {"seconds": 10})
        await ask(seen, "insert-card", {"serial": "1234567890"})
        await ask(seen, "advance", {"seconds": 10})
        await ask(seen, "remove-card", b"")
        await ask(seen, "advance", {"seconds": 7200})
        assert all(answer["ok"] for answer in await answers(seen, 5))
        assert runtime.engine.unit(UNIT).life.state is Lifecycle.AWAITING_FEATURE_KEY
        await ask(seen, "insert-card", {"id": "back"})
        answer = (await answers(seen, 6))[-1]
        assert (answer["id"], answer["ok"], answer["seq"]) == ("back", True, runtime.engine.unit(UNIT).seq)
        assert runtime.engine.unit(UNIT).life.state is Lifecycle.RUNNING
        await everything.until(lambda: without_passing(everything.retained) == store(runtime.bus, link))


async def test_the_same_request_twice_is_carried_out_once(broker: Broker) -> None:
    async with daemon(settings_for(broker.port)) as (runtime, _), watcher(broker.port, REPLIES) as seen:
        before = runtime.engine.unit(UNIT).seq
        for _ in range(3):
            await ask(seen, "power", {"id": "off-1", "on": False})
        first, second, third = await answers(seen, 3)
        assert first == second == third
        assert (first["id"], first["ok"], first["seq"]) == ("off-1", True, before + 1)
        assert runtime.engine.unit(UNIT).seq == before + 1
        await ask(seen, "power", {"id": "off-1", "on": True})
        assert (await answers(seen, 4))[-1]["error"]["code"] == "stale-id"
        assert runtime.engine.unit(UNIT).seq == before + 1


async def test_an_mqtt_5_client_gets_its_answer_on_its_own_topic(mosquitto: Mosquitto) -> None:
    settings = settings_for(mosquitto.port, version=5)
    properties = Properties(PacketTypes.PUBLISH)
    properties.ResponseTopic = "my/answers"
    properties.CorrelationData = b"\x00\x01\xff"
    async with daemon(settings), watcher(mosquitto.port, "my/answers", REPLIES, modern=True) as seen:
        await ask(seen, "power", {"id": 1, "on": False}, properties=properties)
        await ask(seen, "power", {"id": 2, "on": True})
        await answers(seen, 2)
    own, shared = seen.heard
    assert (own.topic, own.properties.CorrelationData) == ("my/answers", b"\x00\x01\xff")
    assert json.loads(own.payload)["ok"] is True
    assert shared.topic == "ipo-sim/bench-1/commands/power/reply"
    assert json.loads(shared.payload)["id"] == 2


async def test_a_request_that_is_too_large_is_told_so(broker: Broker) -> None:
    async with daemon(settings_for(broker.port)), watcher(broker.port, REPLIES) as seen:
        await ask(seen, "import-licences", b" " * (MAX_REQUEST_BYTES + 1))
        await ask(seen, "power", b"{" * 500_000)
        assert [answer["error"]["code"] for answer in await answers(seen, 2)] == ["too-large"] * 2


async def test_a_retained_request_is_carried_out_when_it_comes_and_never_again(broker: Broker) -> None:
    async with daemon(settings_for(broker.port)) as (runtime, _), watcher(broker.port, REPLIES) as seen:
        await ask(seen, "power", {"on": False}, retain=True)
        assert [answer["ok"] for answer in await answers(seen, 1)] == [True]
        assert runtime.engine.unit(UNIT).life.state is Lifecycle.OFF
    async with watcher(broker.port, REPLIES) as seen, daemon(settings_for(broker.port)) as (runtime, _):
        assert [answer["error"]["code"] for answer in await answers(seen, 1)] == ["retained"]
        assert runtime.engine.unit(UNIT).life.state is not Lifecycle.OFF


async def test_whatever_comes_is_answered_and_the_unit_goes_on(broker: Broker) -> None:
    chance = random.Random(2)
    pieces = [
        b"{",
        b"}",
        b'"id"',
        b":",
        b"1",
        b'"x"',
        b"[",
        b"]",
        b",",
        b"\xff",
        b"\x00",
        b"true",
        b"\\u0000",
        b"1e999",
    ]
    verbs = ["power", "shutdown", "fit", "set-time", "no-such", "why", "advance", "Power", "--", "\u00fc"]
    async with daemon(settings_for(broker.port)) as (runtime, link), watcher(broker.port, REPLIES) as seen:
        for number in range(1, 91):
            payload = b"".join(chance.choices(pieces, k=chance.randrange(1, 12)))
            await ask(seen, chance.choice(verbs), payload)
            await seen.until(lambda number=number: len(seen.heard) == number)  # type: ignore[misc] # bound now
        assert not any(json.loads(item.payload)["ok"] for item in seen.heard if b"\xff" in item.payload)
        await ask(seen, "power", {"id": "last", "on": True})
        assert (await answers(seen, 91))[-1]["id"] == "last"
        assert link.counters()["connects"] == 1
        assert runtime.engine.unit(UNIT).seq >= 0


async def test_a_flood_is_refused_in_part_and_holds_up_nobody(broker: Broker) -> None:
    async with daemon(settings_for(broker.port)) as (_, link), watcher(broker.port, REPLIES) as seen:
        seen.client.pending_calls_threshold = 1_000
        for _ in range(10):
            await asyncio.gather(*(ask(seen, "why", {"path": "unit"}) for _ in range(40)))
        await seen.until(lambda: b"rate-limited" in seen.heard[-1].payload)
        counters = link.counters()
        assert counters["connects"] == 1
        assert counters["refused"] > 0
    assert (await retained_now(broker.port))["ipo-sim/bench-1/availability"] == b"offline"
