"""Units of a test on a real broker, for the tool that is tested."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ipo_sim.errors import BrokerError
from ipo_sim.mqtt.client import Incoming
from ipo_sim.mqtt.session import Session, Subscribe
from ipo_sim.mqtt.settings import MqttSettings
from ipo_sim.testing.bench import Units
from ipo_sim.testing.broker import BrokerServer, BrokerUnderTest, broker_for_a_test
from ipo_sim.testing.clock import VirtualClock
from ipo_sim.testing.reader import ReaderUnderTest
from ipo_sim.testing.unit import SimulatedUnit
from tests.mqtt.brokers import Mosquitto
from tests.mqtt.conftest import mosquitto
from tests.testing.runs import INI, run

__all__ = ["mosquitto"]

TWO = {"units": [{"name": "a", "model": "ip500"}, {"name": "b", "model": "ip500"}]}


class Tool:
    """A management tool with a client of its own, in the test's loop."""

    def __init__(self, url: str) -> None:
        self._settings = MqttSettings(url=url)
        self.topics: dict[str, bytes] = {}
        self.session: Session | None = None

    async def open(self, *filters: str) -> None:
        """Connect, and take in all that is retained below the filters."""
        self.session = await Session.open(self._settings, "tool", on_message=self._take)
        for _ in range(2 if filters else 0):  # behind the second answer nothing is retained any more
            await self.session.subscribe([Subscribe(topic, 1) for topic in filters])

    def _take(self, message: Incoming) -> None:
        self.topics[message.topic] = message.payload


@asynccontextmanager
async def tool_at(url: str, *filters: str) -> AsyncIterator[Tool]:
    tool = Tool(url)
    await tool.open(*filters)
    assert tool.session is not None
    try:
        yield tool
    finally:
        await tool.session.close()


async def test_what_a_command_did_is_on_the_broker_when_it_answers(
    ipo_unit: SimulatedUnit, ipo_clock: VirtualClock, ipo_broker: BrokerUnderTest
) -> None:
    ipo_unit.remove_card()
    ipo_clock.advance("2h")
    async with tool_at(ipo_broker.url, f"{ipo_broker.prefix}/#") as tool:
        seen = {topic.removeprefix(f"{ipo_broker.prefix}/bench-1/"): said for topic, said in tool.topics.items()}
    assert seen["availability"] == b"online"
    assert json.loads(seen["unit"])["state"] == ipo_unit.state == "awaiting_feature_key"
    paths = set(ipo_unit.paths())
    assert {path.replace("%20", " ") for path in seen} == paths | {"availability", "schema"}


async def test_what_a_tool_asks_over_the_broker_happens_to_the_unit(
    ipo_unit: SimulatedUnit, ipo_broker: BrokerUnderTest
) -> None:
    async with tool_at(ipo_broker.url, ipo_broker.topic("bench-1", "commands/+/reply")) as tool:
        assert tool.session is not None
        await tool.session.publish(ipo_broker.topic("bench-1", "commands/remove-card"), b'{"id": "1"}')
        await asyncio.to_thread(ipo_unit.wait_for, "feature-key", presence="absent", really="20s")
    assert ipo_unit.state == "running"


def test_a_plain_test_has_it_too(ipo_broker: BrokerUnderTest, ipo_unit: SimulatedUnit, ipo_clock: VirtualClock) -> None:
    assert ipo_unit.state == "running"
    ipo_clock.advance("1h")
    ipo_unit.restart()
    ipo_unit.wait_for("unit", state="running")
    assert ipo_clock.paused
    ipo_clock.resume(scale=100)
    ipo_unit.restart()
    ipo_unit.wait_for("unit", state="running")
    assert ipo_broker.url == f"mqtt://{ipo_broker.host}:{ipo_broker.port}"


def test_the_reader_is_at_hand(ipo_broker: BrokerUnderTest, ipo_reader: ReaderUnderTest) -> None:
    ipo_reader.unplug()
    assert not ipo_reader.attached
    ipo_reader.plug()
    ipo_reader.bounce()
    assert ipo_reader.card == "1234567890"


@pytest.mark.ipo_config(TWO)
def test_several_units_are_on_one_broker(ipo_units: Units, ipo_broker: BrokerUnderTest) -> None:
    assert {unit.state for unit in ipo_units.values()} == {"running"}


DYING = """
    from ipo_sim.client import Client

    def test_it(ipo_broker, ipo_unit):
        with Client(ipo_broker.url, prefix=ipo_broker.prefix, timeout=40) as client:
            unit = client.unit("bench-1")
            ipo_broker.stop()
            unit.wait_offline(within=40)
            ipo_unit.remove_card()
            assert ipo_unit.feature_key.presence == "absent"
            ipo_broker.start()
            unit.wait_online(within=40)
            unit.wait_for("feature-key", presence="absent", within=40)

    def test_it_was_the_same_broker_all_the_time(ipo_broker, ipo_unit):
        ipo_broker.stop()

    def test_it_is_back_for_the_next_test(ipo_broker, ipo_unit):
        with Client(ipo_broker.url, prefix=ipo_broker.prefix, timeout=40) as client:
            assert client.units() == {"bench-1": True}
"""


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_broker_that_dies_is_told_everything_when_it_is_back(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)
    pytester.makepyfile(DYING)
    pytester.runpytest_subprocess("-p", "no:randomly").assert_outcomes(passed=3)


@pytest.fixture
def server(request: pytest.FixtureRequest, ipo_broker: BrokerUnderTest) -> BrokerServer:
    """The broker of all tests of this process."""
    found: BrokerServer = request.getfixturevalue("_ipo_broker_server")
    return found


async def test_a_test_leaves_nothing_behind(server: BrokerServer) -> None:
    with broker_for_a_test(server) as broker:
        async with tool_at(broker.url) as tool:
            assert tool.session is not None
            await tool.session.publish(broker.topic("bench-1", "unit"), b"{}", retain=True)
            await tool.session.drain()
    async with tool_at(broker.url, f"{broker.prefix}/#") as tool:
        assert tool.topics == {}


class TestTheBrokerOfTheOption:
    @pytest.mark.slow
    @pytest.mark.timeout(90)
    async def test_it_is_used_and_left_as_it_was(self, pytester: pytest.Pytester, mosquitto: Mosquitto) -> None:
        pytester.makeini(INI)
        pytester.makepyfile(
            f"""
            import pytest
            from ipo_sim.errors import BrokerError

            def test_it(ipo_broker, ipo_unit):
                assert ipo_broker.port == {mosquitto.port}
                ipo_unit.remove_card()
                with pytest.raises(BrokerError, match="not ours to stop"):
                    ipo_broker.stop()
            """
        )
        result = await asyncio.to_thread(
            pytester.runpytest_subprocess, "-p", "no:randomly", f"--ipo-broker-url=mqtt://127.0.0.1:{mosquitto.port}"
        )
        result.assert_outcomes(passed=1)
        async with tool_at(f"mqtt://127.0.0.1:{mosquitto.port}", "#") as tool:
            assert tool.topics == {}

    @pytest.mark.parametrize(
        ("url", "told"),
        [("mqtt://127.0.0.1:1", "*broker mqtt://127.0.0.1:1: *"), ("http://x", "*expected mqtt://HOST*")],
    )
    def test_one_that_cannot_be_is_told(self, pytester: pytest.Pytester, url: str, told: str) -> None:
        pytester.makepyfile("def test_it(ipo_broker, ipo_unit):\n    pass\n")
        result = run(pytester, f"--ipo-broker-url={url}")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([told])


def test_only_our_own_broker_can_be_stopped(server: BrokerServer) -> None:
    other = BrokerServer(server.thread, "mqtt://127.0.0.1:1", None)
    with pytest.raises(BrokerError, match="not ours to stop"):
        other.stop()
