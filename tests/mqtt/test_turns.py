"""Who publishes when: an answer, or whoever asks that all be settled, goes behind all state that there is by then."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved
from ipo_sim.mqtt import link as link_module
from ipo_sim.mqtt.client import Incoming
from ipo_sim.mqtt.commands import Answer
from ipo_sim.mqtt.link import Link
from ipo_sim.mqtt.session import Session, Subscribe
from ipo_sim.runtime import bus as bus_module
from ipo_sim.runtime.bus import Bus
from tests.core.bench import SERIAL
from tests.mqtt.linked import make_link, running, settings_for, synchronised
from tests.mqtt.world import LiveUnit

REPLY = "ipo-sim/bench-1/commands/power/reply"
KEY = "ipo-sim/bench-1/feature-key"
ANSWER = Answer(REPLY, b"{}")


class Wire:
    """A session to a broker that takes everything and has retained nothing; its subscriptions wait for `granted`."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.granted = asyncio.Event()
        self.granted.set()
        self.subscribing = asyncio.Event()

    async def subscribe(self, filters: Sequence[Subscribe]) -> list[bool]:
        self.subscribing.set()
        await self.granted.wait()
        return [True] * len(filters)

    def unsubscribe(self, filters: Sequence[str]) -> None:
        pass

    async def publish(self, topic: str, payload: bytes, **_: object) -> None:
        await asyncio.sleep(0)
        self.topics.append(topic)

    async def drain(self) -> None:
        pass

    async def lost(self) -> None:
        await asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        pass


class Blank:
    """What such a broker has retained: nothing, at once."""

    stale: tuple[()] = ()

    def __init__(self, *_: object) -> None:
        pass

    async def wait(self) -> bool:
        return True

    def covers(self, _: object) -> bool:
        return True

    def birth(self, _: object) -> None:
        pass


class Echo(Wire):
    """One that brings back what is published."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link

    async def publish(self, topic: str, payload: bytes, **_: object) -> None:
        await super().publish(topic, payload)
        self._link._on_message(Incoming(topic, payload, retained=False))


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    made = Wire()

    async def opened(*_: Any, **__: Any) -> Wire:
        return made

    monkeypatch.setattr(Session, "open", opened)
    monkeypatch.setattr(link_module, "Readback", Blank)
    return made


@pytest.mark.parametrize("wait", ["settle", "answer"])
async def test_nothing_goes_ahead_of_a_store_that_was_not_told_yet(wire: Wire, wait: str) -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    wire.granted.clear()
    link = make_link(settings_for(1), bus)
    async with running(link):
        await wire.subscribing.wait()
        waiting = asyncio.create_task(link.settle() if wait == "settle" else link._answer(ANSWER))
        await asyncio.sleep(0)
        wire.granted.set()
        await waiting
        told = list(wire.topics)
        await synchronised(link)
    assert {f"ipo-sim/bench-1/{path}" for path in bus.latest(unit.name)} <= set(told)


async def test_two_who_empty_a_backlog_of_many_pieces_both_come_to_its_end(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "PIECE", 1)
    monkeypatch.setattr(link_module, "PIECE", 1)
    bus = Bus()
    units = [LiveUnit(bus, f"bench-{number}").boot() for number in range(1, 21)]
    link = make_link(settings_for(1), bus)
    async with running(link):
        await synchronised(link)
        before = len(wire.topics)
        for unit in units:
            unit.apply(FeatureKeyRemoved())
        async with asyncio.timeout(5.0):
            await asyncio.gather(link.settle(), link._answer(ANSWER))
    told = wire.topics[before:]
    changed = [f"ipo-sim/{unit.name}/feature-key" for unit in units]
    assert [topic for topic in told if topic in changed] == changed
    assert set(changed) <= set(told[: told.index(REPLY)])


async def test_what_waits_for_its_turn_is_said_as_it_is_then(wire: Wire) -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    link = make_link(settings_for(1), bus)
    async with running(link):
        await synchronised(link)
        before = wire.topics.count(KEY)
        await link._turn.acquire()
        unit.apply(FeatureKeyRemoved())
        settled = asyncio.create_task(link.settle())
        for _ in range(3):
            await asyncio.sleep(0)
        unit.apply(FeatureKeyInserted(SERIAL))
        link._turn.release()
        await settled
        await link.settle()
        assert wire.topics.count(KEY) == before + 1


async def test_a_second_look_at_what_is_retained_waits_for_the_end_of_the_first() -> None:
    bus = Bus()
    names = [LiveUnit(bus, f"bench-{number}").name for number in range(1, 21)]
    link = make_link(settings_for(1), bus)
    session = cast("Session", Echo(link))
    async with asyncio.timeout(1.0):
        looks = await asyncio.gather(link._read_back(session, names[:10]), link._read_back(session, names[10:]))
    assert [look._complete.is_set() for look in looks] == [True, True]
