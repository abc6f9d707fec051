"""A real broker beside a virtual world: what a stock client finds there, also when the broker is lost and back."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.model import UnitName
from ipo_sim.errors import BrokerError, CommandRejected
from ipo_sim.mqtt.broker import EmbeddedBroker
from ipo_sim.mqtt.client import Incoming
from ipo_sim.mqtt.plan import build_links
from ipo_sim.mqtt.session import Session, Subscribe
from ipo_sim.mqtt.settings import MqttSettings
from ipo_sim.mqtt.topics import AVAILABILITY, COMMANDS, EVENTS, SCHEMA, Topics, entity_path
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.commands import execute
from ipo_sim.scenario.model import Json

# How late a client of a broker that has just come back may be, in seconds of ours.
TOLERANCE_S = 15.0
RETRY_S = 0.05
CLIENT_ID = "ipo-sim-scenario"


class Shore:
    """The broker with its watcher; `lose` and `bring_back` are what a scenario can do to it."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker
        self._settings = MqttSettings(url=broker.url)
        self._topics = Topics(self._settings.prefix)
        self._retained: dict[tuple[UnitName, str], Json] = {}
        self._is_there = True
        self._heard = asyncio.Event()

    @property
    def settings(self) -> MqttSettings:
        """How clients reach it."""
        return self._settings

    def entity(self, unit: UnitName, path: str) -> Json:
        """What the broker retains; None: nothing, or there is no broker."""
        return self._retained.get((unit, path))

    async def set(self, state: object) -> None:
        """`lost` or `back`; CommandRejected when it is so already."""
        is_there = state == "back"
        if is_there is self._is_there:
            raise CommandRejected("unchanged", f"the broker is {'there' if is_there else 'lost'} already")
        self._is_there = is_there
        await (self._broker.start() if is_there else self._broker.stop())

    async def settle(self, is_so: Callable[[], bool]) -> None:
        """Wait until `is_so`, for TOLERANCE_S at most."""
        try:
            async with asyncio.timeout(TOLERANCE_S):
                while not is_so():
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            return

    async def watch(self) -> None:
        """Listen to all that is retained, again and again, until cancelled."""
        while True:
            session = None
            try:
                session = await Session.open(self._settings, CLIENT_ID, on_message=self._take)
                await session.subscribe([Subscribe(f"{self._settings.prefix}/#", 1)])
                await session.lost()
            except BrokerError:
                self._retained.clear()
                self._heard.set()
            finally:
                if session is not None:
                    await session.close()
            await asyncio.sleep(RETRY_S)

    def _take(self, message: Incoming) -> None:
        address = self._topics.parse(message.topic)
        if address is None or address.rest in (EVENTS, SCHEMA) or address.rest.startswith(f"{COMMANDS}/"):
            return
        key = (address.owner, entity_path(address.rest))
        if not message.payload:
            self._retained.pop(key, None)
        elif address.rest == AVAILABILITY:
            self._retained[key] = {"value": message.payload.decode(errors="replace")}
        else:
            self._retained[key] = _payload(message.payload)
        self._heard.set()


@asynccontextmanager
async def shore_of(runtime: Runtime) -> AsyncIterator[Shore]:
    """A broker on any free port of loopback, with the units of the runtime on it."""
    with tempfile.TemporaryDirectory(prefix="ipo-sim-scenario-") as folder:
        async with EmbeddedBroker(Path(folder) / "broker", port=0) as broker:
            shore = Shore(broker)
            units = runtime.engine.names()
            links = build_links(shore.settings, units, runtime.bus, load_catalogue(), partial(_execute, runtime))
            tasks = [asyncio.create_task(link.run(), name=f"scenario-link {link.identity.client_id}") for link in links]
            tasks.append(asyncio.create_task(shore.watch(), name="scenario-watch"))
            try:
                yield shore
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


async def _execute(
    runtime: Runtime, unit: UnitName, verb: str, arguments: Mapping[str, object], request_id: str | None = None
) -> Mapping[str, object]:
    return await execute(runtime.context, unit, verb, arguments, request_id)


def _payload(payload: bytes) -> Json:
    """What a payload says; a text that is no JSON stays text, as under an injected fault."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode(errors="replace")
