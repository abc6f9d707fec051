"""The desk and the requests that it takes: every one gets its answer, none breaks anything."""

from __future__ import annotations

import asyncio
import json

import pytest

from ipo_sim.api.allowance import Allowance
from ipo_sim.api.requests import MAX_ID_CHARACTERS, MAX_REQUEST_BYTES
from ipo_sim.core.model import UnitName
from ipo_sim.errors import CommandRejected, JournalError
from ipo_sim.mqtt.client import Incoming
from ipo_sim.mqtt.commands import MAX_RESPONSE_TOPIC, MAX_VERB, MAX_WAITING, Answer, CommandDesk
from ipo_sim.mqtt.topics import Topics
from tests.mqtt.world import Registry

UNIT = UnitName("bench-1")
TOPIC = "ipo-sim/bench-1/commands/power"


def desk_for(registry: Registry, allowance: Allowance | None = None) -> CommandDesk:
    return CommandDesk(Topics("ipo-sim"), registry, allowance=allowance)


async def answer_to(registry: Registry, payload: bytes, verb: str = "power") -> dict[str, object]:
    answer = await desk_for(registry).answer(UNIT, verb, Incoming(TOPIC, payload, retained=False))
    assert answer.topic == f"ipo-sim/bench-1/commands/{verb}/reply"
    assert answer.correlation is None
    decoded = json.loads(answer.payload)
    assert isinstance(decoded, dict)
    return decoded


async def code_of(payload: bytes, verb: str = "power") -> object:
    registry = Registry()
    answer = await answer_to(registry, payload, verb)
    assert answer["ok"] is False
    error = answer["error"]
    assert isinstance(error, dict)
    assert error["message"]
    assert registry.asked == [] or verb != "power"
    return error["code"]


async def test_a_request_is_carried_out_and_answered_with_its_id() -> None:
    registry = Registry()
    assert await answer_to(registry, b'{"id": "a1", "on": true}') == {"id": "a1", "ok": True, "seq": 1}
    assert registry.asked == [("bench-1", "power", {"on": True}, "a1")]


@pytest.mark.parametrize("payload", [b"", b"  \n", b"{}"])
async def test_nothing_at_all_asks_without_arguments(payload: bytes) -> None:
    registry = Registry()
    assert await answer_to(registry, payload) == {"id": None, "ok": True, "seq": 1}
    assert registry.asked == [("bench-1", "power", {}, None)]


async def test_a_number_is_an_id_too() -> None:
    registry = Registry()
    assert (await answer_to(registry, b'{"id": 7}'))["id"] == 7
    assert registry.asked[0][3] == "7"


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"{", "bad-json"),
        (b"not json", "bad-json"),
        (b'{"on": NaN}', "bad-json"),
        (b'{"on": "\\ud800"}', "bad-json"),
        (b'{"n": ' + b"9" * 5_000 + b"}", "bad-json"),
        (b"[" * 60_000, "bad-json"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "bad-json"),
        (b'"on"', "bad-request"),
        (b"[1]", "bad-request"),
        (b"null", "bad-request"),
        (b'{"on": "\xff"}', "bad-utf8"),
        (b"\xff\xfe{\x00}\x00", "bad-utf8"),
        (b" " * MAX_REQUEST_BYTES + b"{}", "too-large"),
        (b'{"id": true}', "bad-id"),
        (b'{"id": 1.5}', "bad-id"),
        (b'{"id": {}}', "bad-id"),
        (b'{"id": 99999999999999999999}', "bad-id"),
        (b'{"id": "%s"}' % (b"x" * (MAX_ID_CHARACTERS + 1)), "bad-id"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:12]),
)
async def test_a_malformed_request_is_told_what_is_wrong(payload: bytes, code: str) -> None:
    assert await code_of(payload) == code


async def test_an_unknown_verb_is_told_so() -> None:
    assert await code_of(b"{}", "explode") == "unknown-command"


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (CommandRejected("card-present", "there is a card"), "card-present"),
        (JournalError("the disk is full"), "journal"),
        (ZeroDivisionError("a defect"), "internal-error"),
    ],
    ids=["rejected", "failed", "broke"],
)
async def test_a_command_that_fails_is_answered_with_its_id(failure: Exception, code: str) -> None:
    registry = Registry()
    registry.failure = failure
    answer = await answer_to(registry, b'{"id": "x"}')
    assert answer["id"] == "x"
    assert answer["ok"] is False
    error = answer["error"]
    assert isinstance(error, dict)
    assert error["code"] == code


async def test_a_response_topic_gets_the_answer_with_its_correlation_data() -> None:
    message = Incoming(TOPIC, b'{"id": 1}', retained=False, response_topic="me/answers", correlation=b"\x00\xff")
    answer = await desk_for(Registry()).answer(UNIT, "power", message)
    assert answer == Answer("me/answers", b'{"id":1,"ok":true,"seq":1}', b"\x00\xff")


@pytest.mark.parametrize("topic", ["", "a/#", "+/a", "a\x00b", "x" * (MAX_RESPONSE_TOPIC + 1)])
async def test_a_response_topic_that_nobody_can_publish_to_is_passed_over(topic: str) -> None:
    message = Incoming(TOPIC, b"", retained=False, response_topic=topic, correlation=b"1")
    answer = await desk_for(Registry()).answer(UNIT, "power", message)
    assert answer.topic == "ipo-sim/bench-1/commands/power/reply"


async def answers(desk: CommandDesk, count: int) -> list[Answer]:
    """Run the desk until it has answered so many."""
    sent: list[Answer] = []
    done = asyncio.Event()

    async def send(answer: Answer) -> None:
        sent.append(answer)
        if len(sent) == count:
            done.set()

    worker = asyncio.create_task(desk.run(send))
    async with asyncio.timeout(5.0):
        await done.wait()
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    return sent


def request(number: int, *, retained: bool = False) -> Incoming:
    return Incoming(TOPIC, b'{"id": %d}' % number, retained=retained)


async def test_requests_are_answered_in_the_order_they_came() -> None:
    desk = desk_for(Registry())
    for number in range(20):
        desk.receive(UNIT, "commands/power", request(number))
    assert [json.loads(answer.payload)["id"] for answer in await answers(desk, 20)] == list(range(20))


async def test_a_retained_request_is_refused_with_its_id() -> None:
    registry = Registry()
    desk = desk_for(registry)
    desk.receive(UNIT, "commands/power", request(5, retained=True))
    (answer,) = await answers(desk, 1)
    decoded = json.loads(answer.payload)
    assert (decoded["id"], decoded["error"]["code"]) == (5, "retained")
    assert registry.asked == []
    assert desk.refused == 1


async def test_too_many_requests_are_refused_and_then_not_even_that() -> None:
    registry = Registry()
    desk = desk_for(registry, Allowance(rate=0.001, burst=10))
    for number in range(MAX_WAITING + 50):
        desk.receive(UNIT, "commands/power", request(number))
    assert desk.overflowed == 50
    codes = [json.loads(answer.payload).get("error", {}).get("code") for answer in await answers(desk, MAX_WAITING)]
    assert codes == [None] * 10 + ["rate-limited"] * (MAX_WAITING - 10)
    assert len(registry.asked) == 10


async def test_what_is_no_request_is_not_answered() -> None:
    desk = desk_for(Registry())
    for rest in ("commands/power/reply", "commands/", f"commands/{'x' * (MAX_VERB + 1)}"):
        desk.receive(UNIT, rest, request(1))
    assert desk.received == 0
