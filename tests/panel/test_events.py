"""Streams: all that there is, then what happens, in order, and nothing missing without a word."""

from __future__ import annotations

import json

import pytest

from ipo_sim.api.encoder import Encoder
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import DateSet, FeatureKeyInserted, FeatureKeyRemoved
from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.panel import events, resources
from ipo_sim.panel.history import History
from ipo_sim.runtime.bus import MAX_RECORDS, Bus
from ipo_sim.runtime.store import Stamp
from tests.core.bench import SERIAL
from tests.mqtt.world import LiveUnit
from tests.panel.served import Told, ask, listen, serving

UNIT = UnitName("bench-1")


def folded(told: list[Told]) -> dict[str, object]:
    """What a reader knows of entities in the end."""
    known: dict[str, object] = {}
    for item in told:
        if item.event == "entity":
            known[item.data["path"]] = item.data["entity"]
            if item.data["entity"] is None:
                del known[item.data["path"]]
    return known


async def snapshot(port: int) -> dict[str, object]:
    entities: dict[str, object] = (await ask(port, "GET", "/units/bench-1")).json["entities"]
    return entities


async def test_a_stream_begins_with_all_that_there_is() -> None:
    async with serving() as served, await listen(served.port, "/units/bench-1/events") as stream:
        told = await stream.until("synchronised")
        assert folded(told) == await snapshot(served.port)
        assert {item.event for item in told[:-1]} == {"entity"}
        seq = served.units["bench-1"].unit.seq
        assert told[-1].seq == str(seq)
        assert told[-1].data == {"unit": "bench-1", "seq": seq, "paths": list(served.bus.latest(UNIT))}


async def test_then_come_changes_and_events_as_mqtt_tells_them() -> None:
    async with serving() as served, await listen(served.port, "/units/bench-1/events") as stream:
        told = await stream.until("synchronised")
        recorded = served.bus.subscribe("test")
        served.units["bench-1"].apply(FeatureKeyRemoved())
        (record,) = recorded.take().records
        recorded.close()
        told += await stream.until("event")
        assert folded(told) == await snapshot(served.port)
        assert told[-1].data == json.loads(Encoder(served.bus, load_catalogue()).event(record))
        assert told[-1].seq == str(record.effects.seq)


async def test_what_is_gone_is_null() -> None:
    async with serving() as served:
        served.units["bench-1"].apply(FeatureKeyRemoved())
        async with await listen(served.port, "/units/bench-1/events") as stream:
            await stream.until("synchronised")
            served.units["bench-1"].apply(FeatureKeyInserted(SERIAL))
            told = await stream.until("event")
            gone = [item.data["path"] for item in told if item.event == "entity" and item.data["entity"] is None]
            assert gone == ["alarms/40-feature-key"]


async def test_a_date_that_was_set_shows_in_the_feature_key() -> None:
    async with serving() as served:
        served.units["bench-1"].apply(FeatureKeyRemoved())
        async with await listen(served.port, "/units/bench-1/events?only=entities") as stream:
            before = folded(await stream.until("synchronised"))["feature-key"]
            served.units["bench-1"].apply(DateSet(Nanoseconds(served.units["bench-1"].unit.at + 3_600_000_000_000)))
            after = folded(await stream.until("entity"))["feature-key"]
            assert isinstance(before, dict)
            assert isinstance(after, dict)
            assert before["grace_until"] != after["grace_until"]


async def test_events_since_a_number_are_told_again() -> None:
    async with serving(boot=False) as served:
        unit = served.units["bench-1"]
        async with await listen(served.port, "/units/bench-1/events?only=events") as first:
            await first.until("synchronised")
            unit.boot()
            live = [await first.next() for _ in range(unit.unit.seq)]
        for how in ({"path": "?since=2&only=events"}, {"path": "?only=events", "last_event_id": "2"}):
            path = how.pop("path")
            async with await listen(served.port, f"/units/bench-1/events{path}", **how) as again:
                told = await again.until("synchronised")
                assert told[:-1] == live[2:]
                assert told[-1].data == {"unit": "bench-1", "seq": unit.unit.seq}


@pytest.mark.parametrize(
    ("since", "numbers"),
    [("0", {"from": 1, "to": 4}), ("2", {"from": 3, "to": 4}), ("999", {})],
    ids=["all", "some", "not-reached"],
)
async def test_events_that_are_not_at_hand_are_said_to_be_missing(since: str, numbers: dict[str, int]) -> None:
    path = f"/units/bench-1/events?only=events&since={since}"
    # It booted before the server began.
    async with serving() as served:
        unit = served.units["bench-1"]
        assert unit.unit.seq == 4
        async with await listen(served.port, path) as before:
            await before.until("synchronised")
        unit.apply(FeatureKeyRemoved())
        async with await listen(served.port, path) as stream:
            missed, *told = await stream.until("synchronised")
            assert missed == Told("missed", None, {"unit": "bench-1", **numbers})
            assert [item.seq for item in told[:-1]] == ([] if since == "999" else ["5"])


async def test_too_many_at_once_are_said_to_be_missing() -> None:
    async with serving() as served, await listen(served.port, "/units/bench-1/events?only=events") as stream:
        await stream.until("synchronised")
        for number in range(MAX_RECORDS + 1):
            served.units["bench-1"].apply(FeatureKeyInserted(SERIAL) if number % 2 else FeatureKeyRemoved())
        assert await stream.next() == Told("missed", None, {"unit": "bench-1"})
        last = str(served.units["bench-1"].unit.seq)
        while (await stream.next()).seq != last:
            pass


async def test_an_answer_stands_behind_what_its_command_did() -> None:
    async with serving() as served, await listen(served.port, "/units/bench-1/events") as stream:
        await stream.until("synchronised")
        served.units["bench-1"].apply(FeatureKeyRemoved())
        await ask(served.port, "POST", "/units/bench-1/commands/power", b'{"id": "a1"}')
        told = await stream.until("answer")
        assert told[-1].data == {"unit": "bench-1", "verb": "power", "id": "a1", "ok": True}
        assert folded(told)["feature-key"] == (await snapshot(served.port))["feature-key"]
        await ask(served.port, "POST", "/units/bench-1/commands/power")  # without an id nobody waits for it
        await ask(served.port, "POST", "/units/bench-1/commands/explode", b'{"id": 2}')
        assert (await stream.next()).data == {"unit": "bench-1", "verb": "explode", "id": 2, "ok": False}


async def test_all_units_at_once() -> None:
    async with serving("a", "b") as served, await listen(served.port, "/events") as stream:
        told = await stream.until("synchronised") + await stream.until("synchronised")
        assert [item.data["unit"] for item in told if item.event == "synchronised"] == ["a", "b"]
        served.units["b"].apply(FeatureKeyRemoved())
        event = (await stream.until("event"))[-1]
        assert (event.data["unit"], event.seq) == ("b", None)


async def test_only_one_kind() -> None:
    async with serving() as served:
        async with await listen(served.port, "/units/bench-1/events?only=entities") as stream:
            await stream.until("synchronised")
            served.units["bench-1"].apply(FeatureKeyRemoved())
            served.units["bench-1"].apply(FeatureKeyInserted(SERIAL))
            served.bus.replace(UNIT, {}, Stamp(0, Nanoseconds(0)))
            told: list[Told] = []
            while not told or told[-1].data["path"] != "unit" or told[-1].data["entity"] is not None:
                told.append(await stream.next())
            assert {item.event for item in told} == {"entity"}
        for wrong in ("/units/bench-1/events?only=all", "/units/bench-1/events?since=-1", "/events?since=3"):
            answer = await ask(served.port, "GET", wrong)
            assert (answer.status, answer.code) == (400, "bad-arguments")


async def test_a_silent_stream_says_that_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.01)
    async with serving() as served, await listen(served.port, "/units/bench-1/events?only=events") as stream:
        await stream.until("synchronised")
        assert await stream._chunked_event() == ":"


async def test_streams_are_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "MAX_STREAMS", 1)
    async with serving() as served:
        async with await listen(served.port, "/events") as stream:
            await stream.until("synchronised")
            answer = await ask(served.port, "GET", "/events")
            assert (answer.status, answer.code) == (503, "too-many")
        # Whoever hangs up makes room.
        await served.number_of_subscriptions(1)
        async with await listen(served.port, "/events") as stream:
            await stream.until("synchronised")


class TestHistory:
    def test_it_begins_anew_behind_a_rewind(self) -> None:
        bus = Bus()
        unit = LiveUnit(bus)
        history = History(bus)
        unit.boot()
        before, last = unit.unit, unit.unit.seq
        unit.apply(FeatureKeyRemoved())
        unit.apply(FeatureKeyInserted(SERIAL))
        unit.unit = before
        unit.apply(FeatureKeyRemoved())
        missed = history.since(UNIT, last, unit.unit.seq)
        assert missed.complete
        assert [record.event.fact for record in missed.records] == [FeatureKeyRemoved()]
        assert len(history.since(UNIT, 0, last).records) == last
        assert not history.since(UNIT, last + 2, last + 1).complete
        assert not history.since(UnitName("other"), 0, 1).complete
        history.close()

    def test_it_keeps_so_much(self) -> None:
        bus = Bus()
        history = History(bus, size=3)
        unit = LiveUnit(bus).boot()
        missed = history.since(UNIT, 0, unit.unit.seq)
        assert (len(missed.records), missed.complete) == (3, False)
        assert (missed.first, missed.last) == (1, unit.unit.seq - 3)
        assert history.since(UNIT, unit.unit.seq - 3, unit.unit.seq).complete
        history.close()
