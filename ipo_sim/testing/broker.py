"""The broker of tests: one for all tests of a process, and for each test a prefix below which nobody else is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from ipo_sim.client.loop_thread import LoopThread
from ipo_sim.core.model import UnitName
from ipo_sim.errors import BrokerError
from ipo_sim.mqtt.broker import EmbeddedBroker
from ipo_sim.mqtt.client import Incoming
from ipo_sim.mqtt.session import Session, Subscribe
from ipo_sim.mqtt.settings import MqttSettings
from ipo_sim.mqtt.topics import Topics
from ipo_sim.testing.place import TIMEOUT_S, Place


class BrokerServer:
    """A broker at `url`; `embedded` is its server if it is ours. All its work is done in `thread`."""

    def __init__(self, thread: LoopThread, url: str, embedded: EmbeddedBroker | None) -> None:
        self.thread = thread
        self.url = url
        self.embedded = embedded
        self.runs = True

    def stop(self) -> None:
        """Let it die; BrokerError when it is not ours."""
        self.thread.call(self._own().stop())
        self.runs = False

    def start(self) -> None:
        """Let it come back, on the same port and with all that it retained; nothing when it runs."""
        if not self.runs:
            self.thread.call(self._own().start())
            self.runs = True

    def _own(self) -> EmbeddedBroker:
        if self.embedded is None:
            raise BrokerError(f"the broker at {self.url} is that of --ipo-broker-url: it is not ours to stop")
        return self.embedded


class BrokerUnderTest:
    """The broker as one test has it."""

    def __init__(self, server: BrokerServer) -> None:
        self._server = server
        self.place = Place(server.url, f"ipo-sim-{token_hex(4)}")
        endpoint = self.place.settings().endpoint()
        self.host, self.port = endpoint.host, endpoint.port

    @property
    def url(self) -> str:
        """Where clients connect: `mqtt://HOST:PORT`."""
        return self.place.url

    @property
    def prefix(self) -> str:
        """What the topics of this test's units begin with."""
        return self.place.prefix

    def topic(self, unit: str, path: str) -> str:
        """Topic of an entity or command: `topic("bench-1", "slots/1")`, `topic("bench-1", "commands/remove-card")`."""
        return Topics(self.prefix).entity(UnitName(unit), path)

    def stop(self) -> None:
        """Let the broker die; BrokerError when it is that of `--ipo-broker-url`."""
        self._server.stop()

    def start(self) -> None:
        """Let it come back, on the same port and with all that it retained."""
        self._server.start()


@contextmanager
def open_server(url: str | None, folder: Path) -> Iterator[BrokerServer]:
    """The broker at `url`, or without one a broker of our own on a free port; BrokerError, ConfigError."""
    with ExitStack() as stack:
        thread = LoopThread("ipo-broker")
        stack.callback(thread.close)
        if url is not None:
            thread.call(_try(MqttSettings(url=url, timeout_s=TIMEOUT_S)))
            yield BrokerServer(thread, url, None)
            return
        embedded = EmbeddedBroker(folder, port=0)
        thread.call(embedded.start())
        stack.callback(lambda: thread.call(embedded.stop()))
        yield BrokerServer(thread, embedded.url, embedded)


@contextmanager
def broker_for_a_test(server: BrokerServer) -> Iterator[BrokerUnderTest]:
    """The broker with nothing below the test's prefix, neither before nor after it."""
    broker = BrokerUnderTest(server)
    try:
        yield broker
    finally:
        server.start()
        # In a loop that ends with the test: connecting takes a thread, which loops keep.
        thread = LoopThread("ipo-broker-clear")
        try:
            with suppress(BrokerError):
                thread.call(_clear(broker.place))
        finally:
            thread.close()


async def _try(settings: MqttSettings) -> None:
    """BrokerError: nobody is there, or he does not let us in."""
    session = await Session.open(settings, f"ipo-sim-{token_hex(4)}", on_message=lambda _: None)
    await session.close()


async def _clear(place: Place) -> None:
    """Take back all that is retained below the prefix."""
    retained: list[str] = []

    def take(message: Incoming) -> None:
        if message.retained and message.payload:
            retained.append(message.topic)

    session = await Session.open(place.settings(), f"{place.prefix}-clear", on_message=take)
    try:
        everything = Subscribe(f"{place.prefix}/#", 0)
        # Brokers deliver in order: behind the second answer nothing is retained any more.
        await session.subscribe([everything])
        await session.subscribe([everything])
        for topic in dict.fromkeys(retained):
            await session.publish(topic, b"", retain=True)
        await session.drain()
    finally:
        await session.close()
