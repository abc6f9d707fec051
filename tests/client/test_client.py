"""The client library against units of this process, on a broker and over HTTP, in an event loop and without."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import pytest

import ipo_sim.client
from ipo_sim.cli.config.demo import demo_settings
from ipo_sim.client import AsyncClient, AsyncUnit, Client, Unit
from ipo_sim.core.model import Nanoseconds
from ipo_sim.errors import BrokerError, CommandRejected, ConfigError, NotReached, PayloadError, UnknownEntity
from ipo_sim.mqtt.session import Session
from ipo_sim.mqtt.settings import MqttSettings
from ipo_sim.testing.bench import Bench
from ipo_sim.testing.broker import BrokerUnderTest
from ipo_sim.testing.place import HttpUnderTest, Place
from ipo_sim.testing.unit import SimulatedUnit
from tests.mqtt.brokers import Mosquitto
from tests.mqtt.conftest import mosquitto

__all__ = ["mosquitto"]


class Way(NamedTuple):
    url: str
    prefix: str


START = Nanoseconds(1_767_614_400_000_000_000)


WAYS = ("mqtt", "http")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, ipo_http: HttpUnderTest, ipo_broker: BrokerUnderTest) -> Way:
    """The two ways to the units of a test, both open in each."""
    return Way(ipo_broker.url, ipo_broker.prefix) if request.param == "mqtt" else Way(ipo_http.url, "ipo-sim")


@pytest.fixture
async def client(ipo_unit: SimulatedUnit, way: Way) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(way.url, prefix=way.prefix, timeout=20) as client:
        yield client


@pytest.fixture
async def unit(client: AsyncClient) -> AsyncUnit:
    return await client.unit("bench-1")


@pytest.fixture
def sync_client(ipo_unit: SimulatedUnit, way: Way) -> Iterator[Client]:
    with Client(way.url, prefix=way.prefix, timeout="20s") as client:
        yield client


@pytest.fixture
def sync_unit(sync_client: Client) -> Unit:
    return sync_client.unit("bench-1")


class TestEvents:
    async def test_what_a_command_did_is_there_with_its_answer(self, unit: AsyncUnit) -> None:
        assert [*unit.events] == []
        answer = await unit.remove_card()
        (event,) = unit.events
        assert (event.seq, event.type, event.data) == (answer["seq"], "feature-key-removed", {"counter": 1})
        assert event.cause.startswith("command:remove-card#")
        assert [sent.event for sent in event.notifications] == [40]

    async def test_one_is_waited_for(self, unit: AsyncUnit, ipo_unit: SimulatedUnit) -> None:
        waiting = asyncio.create_task(unit.wait_for_event("feature-key-inserted", serial="9999999999"))
        ipo_unit.insert_card("0000000001")
        ipo_unit.insert_card("9999999999")
        event = await waiting
        assert (event.seq, event.data["serial"]) == (ipo_unit.feature_key.seq, "9999999999")

    async def test_what_was_before_does_not_count(self, unit: AsyncUnit) -> None:
        await unit.remove_card()
        first = await unit.wait_for_event("feature-key-removed")
        wanted = r"feature-key-removed did not come behind event 5 within 0.1: the last were feature-key-removed \(5\)"
        with pytest.raises(NotReached, match=wanted):
            await unit.wait_for_event("feature-key-removed", after=first.seq, within=0.1)
        await unit.insert_card()
        assert (await unit.wait_for_event(after=first.seq)).type == "feature-key-inserted"

    # Faults of messages are those of MQTT.
    @pytest.mark.parametrize("way", ["mqtt"], indirect=True)
    async def test_one_that_a_fault_has_spoilt_is_left_out(self, unit: AsyncUnit) -> None:
        await unit.inject_fault("mqtt-malformed")
        await unit.remove_card()
        await unit.clear_fault("mqtt-malformed")
        assert "feature-key-removed" not in [event.type for event in unit.events]
        assert (await unit.wait_for_event("fault-withdrawn")).data == {"id": "mqtt-malformed"}

    def test_without_an_event_loop(self, sync_unit: Unit) -> None:
        answer = sync_unit.remove_card()
        assert sync_unit.wait_for_event("feature-key-removed", counter=1).seq == answer["seq"]
        assert [event.type for event in sync_unit.events] == ["feature-key-removed"]


class TestInAnEventLoop:
    async def test_it_shows_what_the_unit_is(self, unit: AsyncUnit, ipo_unit: SimulatedUnit) -> None:
        assert unit.online
        assert (unit.state, unit.edition) == ("running", "professional")
        assert set(unit.paths()) == set(ipo_unit.paths())
        for path in unit.paths():
            assert unit.entity(path) == ipo_unit.entity(path)
        with pytest.raises(UnknownEntity, match=r"unit bench-1 has no slots/9: there are slots/1"):
            unit.slots[9]
        assert repr(unit) == "<unit bench-1: online>"

    async def test_a_command_answers_and_its_state_is_there(self, unit: AsyncUnit) -> None:
        answer = await unit.remove_card()
        assert answer["seq"] == unit.feature_key.seq
        assert unit.feature_key.presence == "absent"
        await unit.advance("2h")
        assert unit.state == "awaiting_feature_key"
        assert (await unit.why("expansion/1"))[-1] == "the feature key was removed"
        with pytest.raises(RuntimeError, match=r"ask by await unit\.why\('expansion/1'\)"):
            _ = unit.expansion[1].why

    async def test_a_refusal_is_an_error_or_an_outcome(self, unit: AsyncUnit) -> None:
        with pytest.raises(CommandRejected) as refused:
            await unit.fit("slots/1", "DS8")
        outcome = await unit.attempt("fit", path="slots/1", part="DS8")
        assert (outcome.ok, outcome.code, outcome.message) == (False, refused.value.reason, str(refused.value))
        assert (await unit.attempt("restart")).answer["seq"]
        assert (await unit.attempt("rstart")).code == "unknown-command"

    async def test_it_waits_for_what_others_do(self, unit: AsyncUnit, ipo_unit: SimulatedUnit) -> None:
        waiting = asyncio.create_task(unit.wait_for("feature-key", presence="absent", within="20s"))
        alarm = asyncio.create_task(unit.wait_for("alarms/40-feature-key", lambda alarm: alarm.event == 40, within=20))
        await asyncio.sleep(0)
        await asyncio.to_thread(ipo_unit.remove_card)
        assert await waiting == unit.feature_key
        assert (await alarm).path == "alarms/40-feature-key"
        gone = asyncio.create_task(unit.wait_gone("alarms/40-feature-key", within=20))
        await asyncio.to_thread(ipo_unit.insert_card)
        await gone

    async def test_what_does_not_come_says_what_is_instead(self, unit: AsyncUnit) -> None:
        with pytest.raises(
            NotReached, match=r"^unit bench-1: unit state=off did not come within 20ms: it has state=run"
        ):
            await unit.wait_for("unit", state="off", within="20ms")
        with pytest.raises(NotReached, match="there is no alarms/40-feature-key"):
            await unit.wait_for("alarms/40-feature-key", within=0.01)
        with pytest.raises(NotReached, match="online still after 10ms"):
            await unit.wait_offline(within="10ms")

    async def test_units_are_found(self, client: AsyncClient) -> None:
        assert await client.units() == {"bench-1": True}
        assert await client.unit("bench-1") is await client.unit("bench-1")
        with pytest.raises(CommandRejected, match=r"no unit bench1( on this broker)?: did you mean bench-1\?"):
            await client.unit("bench1")


async def test_what_is_no_payload_is_told(ipo_unit: SimulatedUnit, ipo_broker: BrokerUnderTest) -> None:
    settings = MqttSettings(url=ipo_broker.url)
    session = await Session.open(settings, "stranger", on_message=lambda _: None)
    await session.publish(ipo_broker.topic("bench-1", "slots/7"), b'{"v": 1}', retain=True)
    await session.drain()
    await session.close()
    async with AsyncClient(ipo_broker.url, prefix=ipo_broker.prefix, timeout=20) as client:
        unit = await client.unit("bench-1")
        with pytest.raises(PayloadError, match="unit bench-1, slots/7"):
            await unit.wait_for("slots/7", within=20)


class TestWithoutAnEventLoop:
    def test_it_is_used_as_a_unit_in_process_is(self, sync_unit: Unit) -> None:
        assert sync_unit.online
        assert sync_unit.state == "running"
        sync_unit.remove_card()
        sync_unit.advance(7_200)
        sync_unit.wait_for("unit", state="awaiting_feature_key")
        module = sync_unit.expansion[1]
        assert module.why == sync_unit.why("expansion/1")
        assert module.why[-1] == "the feature key was removed"
        assert len(sync_unit.slots) == 4
        sync_unit.insert_card()
        sync_unit.wait_gone("alarms/40-feature-key")
        assert repr(sync_unit) == "<unit bench-1: online>"

    def test_refusals_and_waits(self, sync_unit: Unit) -> None:
        with pytest.raises(CommandRejected, match="did you mean"):
            sync_unit.do("remove-crad")
        assert sync_unit.attempt("remove-card").ok
        assert sync_unit.attempt("remove-card").code == "no-card"
        with pytest.raises(NotReached):
            sync_unit.wait_for("unit", state="off", within=0)
        with pytest.raises(UnknownEntity, match="did you mean feature-key"):
            sync_unit.entity("feature-kye")
        sync_unit.wait_online()
        with pytest.raises(NotReached):
            sync_unit.wait_offline(within=0)

    def test_units_are_found(self, sync_client: Client) -> None:
        assert sync_client.connected
        assert sync_client.units() == {"bench-1": True}
        with pytest.raises(CommandRejected, match="no unit nobody"):
            sync_client.unit("nobody")

    def test_it_is_for_a_with_block(self) -> None:
        with pytest.raises(RuntimeError, match="use it in `with`"):
            Client().units()


class TestNobodyThere:
    async def test_no_broker(self) -> None:
        with pytest.raises(BrokerError, match=r"mqtt://127\.0\.0\.1:1: Connection refused \(does a daemon run\?"):
            async with AsyncClient("mqtt://127.0.0.1:1"):
                pass
        with pytest.raises(BrokerError, match="Connection refused"), Client("mqtt://127.0.0.1:1"):
            pass

    async def test_no_url(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ConfigError, match="expected mqtt://HOST"):
            AsyncClient("ftp://127.0.0.1")
        with pytest.raises(ConfigError, match="expected http://HOST"):
            AsyncClient("http://:secret@")
        with pytest.raises(ValueError, match="no length of time"):
            AsyncClient(timeout="soon")
        monkeypatch.setenv("IPO_SIM_BROKER", "mqtt://127.0.0.1:2")
        with pytest.raises(BrokerError, match=r"127\.0\.0\.1:2"):
            await AsyncClient().__aenter__()

    async def test_not_open(self) -> None:
        with pytest.raises(BrokerError, match="use it in `async with`"):
            await AsyncClient(timeout=0.01).unit("bench-1")

    async def test_no_daemon(self, ipo_broker: BrokerUnderTest) -> None:
        async with AsyncClient(ipo_broker.url, prefix=ipo_broker.prefix) as client:
            assert await client.units() == {}
            with pytest.raises(CommandRejected, match=f"no unit is known below {ipo_broker.prefix}/"):
                await client.unit("bench-1")

    async def test_a_daemon_that_does_not_answer(self, ipo_broker: BrokerUnderTest) -> None:
        session = await Session.open(MqttSettings(url=ipo_broker.url), "dead", on_message=lambda _: None)
        await session.publish(ipo_broker.topic("bench-1", "availability"), b"online", retain=True)
        await session.drain()
        async with AsyncClient(ipo_broker.url, prefix=ipo_broker.prefix, timeout=0.2) as client:
            unit = await client.unit("bench-1")
            outcome = await unit.attempt("restart")
            assert outcome.code == "no-answer"
            await session.publish(ipo_broker.topic("bench-1", "availability"), b"offline", retain=True)
            # Who listens may hear it before the broker has kept it for those who ask anew.
            await session.drain()
            await unit.wait_offline()
            assert (await unit.attempt("restart")).code == "offline"
        await session.close()


@pytest.fixture
def bench(mosquitto: Mosquitto) -> Iterator[Bench]:
    place = Place(f"mqtt://127.0.0.1:{mosquitto.port}", "ipo-sim")
    bench = Bench.open(demo_settings(), {}, START, place)
    bench.boot()
    yield bench
    bench.close()


@pytest.mark.timeout(90)
class TestABrokerThatGoes:
    async def test_it_is_connected_again_and_nothing_out_of_date_is_left(
        self, bench: Bench, mosquitto: Mosquitto
    ) -> None:
        simulated = bench.units[0]
        simulated.remove_card()
        async with AsyncClient(f"mqtt://127.0.0.1:{mosquitto.port}", timeout=40) as client:
            unit = await client.unit("bench-1")
            assert unit.alarm(40) is not None
            await mosquitto.kill()
            await unit.wait_offline(within=40)
            await asyncio.to_thread(simulated.insert_card)
            await mosquitto.start()
            await unit.wait_online(within=40)
            await unit.wait_for("feature-key", presence="present", within=40)
            await unit.wait_gone("alarms/40-feature-key", within=40)
            assert (await unit.restart())["seq"]

    async def test_a_request_waits_for_it_and_is_carried_out_once(self, bench: Bench, mosquitto: Mosquitto) -> None:
        async with AsyncClient(f"mqtt://127.0.0.1:{mosquitto.port}", timeout=60) as client:
            unit = await client.unit("bench-1")
            await mosquitto.kill()
            asked = asyncio.create_task(unit.attempt("restart"))
            await asyncio.sleep(0)
            await mosquitto.start()
            outcome = await asked
            while outcome.code in ("unknown-unit", "offline"):  # the broker is back before the daemon is
                outcome = await unit.attempt("restart")
            assert outcome.ok, outcome
        restarts = [entry for entry in bench.history("bench-1") if entry.event.cause.startswith("command:restart")]
        assert len(restarts) == 1

    async def test_without_reconnection_it_is_told_at_once(self, bench: Bench, mosquitto: Mosquitto) -> None:
        async with AsyncClient(f"mqtt://127.0.0.1:{mosquitto.port}", reconnect=False, timeout=40) as client:
            unit = await client.unit("bench-1")
            await mosquitto.kill()
            await unit.wait_offline(within=40)
            assert (await unit.attempt("restart")).code == "broker"
            with pytest.raises(BrokerError):
                await unit.restart()
        await mosquitto.start()


def test_what_the_package_offers_is_loaded_when_it_is_used() -> None:
    assert ipo_sim.client.__all__ == ["AsyncClient", "AsyncUnit", "Client", "Unit"]
    with pytest.raises(AttributeError, match="has no attribute 'Cleint'"):
        _ = ipo_sim.client.Cleint
    code = "import sys, ipo_sim.client.mqtt_connection; print('pydantic' in sys.modules or 'aiohttp' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.strip() == "False"
