"""What can be read and told: the payloads of MQTT, the registry's answers, and a status for every error."""

from __future__ import annotations

import asyncio
import json

import pytest

from ipo_sim.api.encoder import Encoder
from ipo_sim.api.requests import MAX_REQUEST_BYTES
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.model import UnitName
from ipo_sim.errors import CommandRejected, JournalError
from ipo_sim.panel import documents
from tests.mqtt.world import Registry
from tests.panel.served import TOKEN, ask, call, serving

UNIT = UnitName("bench-1")


async def test_entities_are_what_mqtt_retains() -> None:
    async with serving() as served, await call(served.port) as caller:
        encoder = Encoder(served.bus, load_catalogue())
        for path, entry in served.bus.latest(UNIT).items():
            answer = await caller.ask("GET", f"/units/bench-1/{path}")
            assert answer.status == 200
            assert answer.headers["content-type"] == "application/json"
            assert answer.body == encoder.entity(UNIT, entry)


async def test_a_snapshot_holds_them_all_in_the_order_of_a_cascade() -> None:
    async with serving() as served:
        snapshot = (await ask(served.port, "GET", "/units/bench-1")).json
        encoder = Encoder(served.bus, load_catalogue())
        latest = served.bus.latest(UNIT)
        assert snapshot["entities"] == {path: json.loads(encoder.entity(UNIT, entry)) for path, entry in latest.items()}
        assert list(snapshot["entities"])[-1] == "unit"
        assert (snapshot["unit"], snapshot["seq"]) == ("bench-1", served.units["bench-1"].unit.seq)


async def test_units_are_listed_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_PAGE", 2)
    async with serving("a", "b", "c", boot=False) as served:
        first = (await ask(served.port, "GET", "/units")).json
        assert (list(first["units"]), first["next"]) == (["a", "b"], "b")
        assert first["units"]["a"]["state"] == "off"
        second = (await ask(served.port, "GET", "/units?after=b")).json
        assert (list(second["units"]), second["next"]) == (["c"], None)
        assert (await ask(served.port, "GET", "/units?after=d")).code == "unknown-unit"


async def test_the_index_and_the_document() -> None:
    async with serving() as served:
        index = (await ask(served.port, "GET", "/")).json
        for name in ("units", "openapi"):
            assert (await ask(served.port, "GET", index[name])).status == 200
        head = await ask(served.port, "HEAD", "/units", connection="close")
        assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    ("path", "code", "told"),
    [
        ("/units/bench1", "unknown-unit", "did you mean bench-1?"),
        ("/units/bench1/slots/1", "unknown-unit", "did you mean bench-1?"),
        ("/units/bench-1/slots/11", "unknown-entity", "did you mean slots/1?"),
        ("/units/bench-1/" + "x" * 500, "unknown-entity", "has no xxx"),
        ("/units/bench1/events", "unknown-unit", "did you mean bench-1?"),
        ("/unit", "unknown-path", "/openapi.json"),
        ("/units/", "unknown-path", "/openapi.json"),
    ],
    ids=lambda text: text[:30],
)
async def test_what_is_not_there(path: str, code: str, told: str) -> None:
    async with serving() as served:
        answer = await ask(served.port, "GET", path)
        assert (answer.status, answer.code) == (404, code)
        assert told in answer.json["error"]["message"]
        assert len(answer.body) < 400


async def test_a_command_is_carried_out_and_answered_as_over_mqtt() -> None:
    async with serving() as served:
        answer = await ask(served.port, "POST", "/units/bench-1/commands/power", b'{"id": "a1", "on": true}')
        assert (answer.status, answer.body) == (200, b'{"id":"a1","ok":true,"seq":1}')
        answer = await ask(served.port, "POST", "/units/bench-1/commands/power")
        assert (answer.status, answer.json) == (200, {"id": None, "ok": True, "seq": 2})
        assert served.registry.asked == [("bench-1", "power", {"on": True}, "a1"), ("bench-1", "power", {}, None)]


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (CommandRejected("card-present", "there is a card"), 409),
        (CommandRejected("stale-id", "another request"), 409),
        (CommandRejected("bad-arguments", "no"), 400),
        (CommandRejected("unknown-unit", "no"), 404),
        (CommandRejected("busy", "later", temporary=True), 503),
        (JournalError("the disk is full"), 503),
        (ZeroDivisionError("a defect"), 500),
    ],
    ids=lambda value: (
        getattr(value, "reason", None) or (str(value) if isinstance(value, int) else type(value).__name__)
    ),
)
async def test_an_error_has_its_status_and_the_same_body(failure: Exception, status: int) -> None:
    registry = Registry()
    registry.failure = failure
    async with serving(registry=registry) as served:
        answer = await ask(served.port, "POST", "/units/bench-1/commands/power", b'{"id": 7}')
        assert answer.status == status
        assert answer.json["id"] == 7
        assert answer.json["ok"] is False
        assert set(answer.json["error"]) == {"code", "message"}
        assert "a defect" not in answer.body.decode()
        assert (await ask(served.port, "GET", "/units")).status == 200


async def test_an_unknown_command() -> None:
    async with serving() as served:
        answer = await ask(served.port, "POST", "/units/bench-1/commands/explode", b"{}")
        assert (answer.status, answer.code) == (404, "unknown-command")
        assert (await ask(served.port, "POST", "/units/nobody/commands/power")).status == 404
        answer = await ask(served.port, "GET", "/units/bench-1/commands/power")
        assert (answer.status, answer.code) == (404, "unknown-entity")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "bad-json"),
        (b"[1]", 400, "bad-request"),
        (b'{"on": "\xff"}', 400, "bad-utf8"),
        (b'{"id": {}}', 400, "bad-id"),
        (b"[" * 60_000, 400, "bad-json"),
        (b" " * MAX_REQUEST_BYTES + b"{}", 413, "too-large"),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else str(value),
)
async def test_a_malformed_body(body: bytes, status: int, code: str) -> None:
    async with serving() as served:
        answer = await ask(served.port, "POST", "/units/bench-1/commands/power", body)
        assert (answer.status, answer.code) == (status, code)
        assert served.registry.asked == []


async def test_a_body_is_json_and_nothing_that_a_page_could_send() -> None:
    async with serving() as served:
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            answer = await ask(served.port, "POST", "/units/bench-1/commands/power", b"{}", content_type=kind)
            assert (answer.status, answer.code) == (415, "not-json")
        packed = await ask(served.port, "POST", "/units/bench-1/commands/power", b"{}", content_encoding="gzip")
        assert packed.status == 415
        answer = await ask(served.port, "POST", "/units/bench-1/commands/power", origin="https://evil.example")
        assert (answer.status, answer.code) == (403, "wrong-origin")
        assert served.registry.asked == []


async def test_methods_that_are_not_there() -> None:
    async with serving() as served:
        answer = await ask(served.port, "DELETE", "/units/bench-1")
        assert (answer.status, answer.code, answer.headers["allow"]) == (405, "method-not-allowed", "get, head")
        answer = await ask(served.port, "OPTIONS", "/units/bench-1/commands/power", origin="https://evil.example")
        assert answer.status == 403
        assert "access-control-allow-origin" not in answer.headers


async def test_the_token_is_asked_for() -> None:
    async with serving(token=TOKEN) as served:
        answer = await ask(served.port, "GET", "/units", host="bench.lab")
        assert (answer.status, answer.code) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == 'bearer realm="ipo-sim"'
        assert (await ask(served.port, "POST", "/units/bench-1/commands/power")).status == 401
        assert (await ask(served.port, "GET", "/nothing")).status == 401
        assert (await ask(served.port, "GET", "/units", authorization=f"Bearer {TOKEN}")).status == 200


async def test_another_name_is_told_that_it_is_wrong() -> None:
    async with serving() as served:
        answer = await ask(served.port, "GET", "/units", host="evil.example")
        assert (answer.status, answer.code) == (421, "wrong-host")


async def test_too_many_requests_are_told_to_come_later() -> None:
    async with serving() as served, await call(served.port) as caller:
        answers = [await caller.ask("POST", "/units/bench-1/commands/power", b'{"id": 1}') for _ in range(101)]
        statuses = [answer.status for answer in answers]
        assert statuses[:100] == [200] * 100
        if statuses[100] != 200:  # a slow machine has earned another one by now
            assert (statuses[100], answers[100].code, answers[100].json["id"]) == (429, "rate-limited", 1)
            assert answers[100].headers["retry-after"] == "1"


async def test_who_goes_away_does_not_take_the_command_along() -> None:
    begun, let_go = asyncio.Event(), asyncio.Event()

    class Slow(Registry):
        async def __call__(self, *asked: object, **named: object) -> dict[str, object]:
            begun.set()
            await let_go.wait()
            return await super().__call__(*asked, **named)  # type: ignore[arg-type] # passed on as it came

    async with serving(registry=Slow()) as served:
        async with await call(served.port) as caller:
            await caller.send(b"POST /units/bench-1/commands/power HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await begun.wait()
        assert served.registry.asked == []
        let_go.set()
    assert served.registry.asked == [("bench-1", "power", {}, None)]
