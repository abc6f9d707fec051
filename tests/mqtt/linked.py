"""A link that runs beside a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.model import UnitName
from ipo_sim.mqtt.backoff import Backoff
from ipo_sim.mqtt.link import Link
from ipo_sim.mqtt.plan import build_links
from ipo_sim.mqtt.settings import MqttSettings
from ipo_sim.mqtt.topics import Topics
from ipo_sim.runtime.bus import Bus
from tests.mqtt.brokers import DEADLINE_S, HOST
from tests.mqtt.watcher import retained_now
from tests.mqtt.world import Registry

UNIT = UnitName("bench-1")


def settings_for(port: int, **changes: object) -> MqttSettings:
    return MqttSettings(**{"url": f"mqtt://{HOST}:{port}", "timeout_s": 5.0} | changes)  # type: ignore[arg-type] # by name only


def make_link(settings: MqttSettings, bus: Bus, registry: Registry | None = None) -> Link:
    """The one link for all units on the bus, which comes back within milliseconds."""
    (link,) = build_links(settings, list(bus.units()), bus, load_catalogue(), registry or Registry())
    link._backoff = Backoff("test", base_s=0.01, cap_s=0.05)
    return link


async def synchronised(link: Link) -> None:
    async with asyncio.timeout(DEADLINE_S):
        await link.synchronised.wait()


@asynccontextmanager
async def running(link: Link) -> AsyncIterator[asyncio.Task[None]]:
    """Run a link until the end of the block, which is a clean stop."""
    task = asyncio.create_task(link.run(), name="test-link")
    # Whoever waits for a link that ended by a defect learns of it now.
    task.add_done_callback(lambda _: link.synchronised.set())
    try:
        yield task
    finally:
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(outcome, asyncio.CancelledError), outcome


def store(bus: Bus, link: Link, prefix: str = "ipo-sim") -> dict[str, bytes]:
    """The entities that the broker has to retain: the bus's, encoded."""
    topics = Topics(prefix)
    return {
        topics.entity(unit, path): link._encoder.entity(unit, entry)
        for unit in bus.units()
        for path, entry in bus.latest(unit).items()
    }


def entities_only(retained: dict[str, bytes]) -> dict[str, bytes]:
    """A retained set without availability and schema."""
    return {topic: value for topic, value in retained.items() if not topic.endswith(("/availability", "/schema"))}


async def holds_the_store(port: int, bus: Bus, link: Link) -> dict[str, bytes]:
    """Wait until the broker retains the store, no more and no less, and return all that it retains.

    At once, but for a broker that has just started and remembers late.
    """
    async with asyncio.timeout(DEADLINE_S):
        while entities_only(retained := await retained_now(port)) != store(bus, link):
            pass
    return retained
