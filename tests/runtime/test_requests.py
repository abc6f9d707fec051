from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ipo_sim.errors import CommandRejected
from ipo_sim.runtime import requests as requests_module
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.commands import execute
from ipo_sim.runtime.requests import Answer, Requests
from tests.runtime.bench import A, B, boot, open_bench
from tests.runtime.test_pump import Disk, running


@pytest.fixture
async def runtime() -> AsyncIterator[Runtime]:
    runtime = open_bench()
    boot(runtime)
    async with running(runtime.pump):
        yield runtime
    runtime.close()


async def test_the_same_id_twice_is_carried_out_once_and_answered_alike(runtime: Runtime) -> None:
    first = await execute(runtime.context, A, "remove-card", {}, request_id="1")
    assert await execute(runtime.context, A, "remove-card", {}, request_id="1") == first
    assert runtime.engine.unit(A).seq == first["seq"]
    entry = runtime.journal.entry(A, 1, first["seq"])
    assert entry is not None
    assert entry.event.cause == "command:remove-card#1"


async def test_twice_at_once_is_carried_out_once_too(runtime: Runtime) -> None:
    answers = await asyncio.gather(*(execute(runtime.context, A, "remove-card", {}, request_id="1") for _ in range(3)))
    assert answers == [answers[0]] * 3
    assert runtime.engine.unit(A).seq == answers[0]["seq"]


async def test_arguments_that_mean_the_same_are_the_same_request(runtime: Runtime) -> None:
    first = await execute(runtime.context, A, "power", {"on": False}, request_id="1")
    assert await execute(runtime.context, A, "power", {"on": "false"}, request_id="1") == first


async def test_a_refusal_is_answered_alike_too(runtime: Runtime) -> None:
    for _ in range(2):
        with pytest.raises(CommandRejected) as refusal:
            await execute(runtime.context, A, "power", {"on": True}, request_id="1")
        assert refusal.value.reason == "wrong-state"
        await execute(runtime.context, A, "power", {"on": False}, request_id="2")


async def test_an_id_stands_for_one_request_of_one_unit(runtime: Runtime) -> None:
    await execute(runtime.context, A, "remove-card", {}, request_id="1")
    await execute(runtime.context, B, "remove-card", {}, request_id="1")
    with pytest.raises(CommandRejected, match="id 1 stands for another request: remove-card") as refusal:
        await execute(runtime.context, A, "restart", {}, request_id="1")
    assert refusal.value.reason == "stale-id"


async def test_what_only_asks_is_asked_again(runtime: Runtime) -> None:
    before = await execute(runtime.context, A, "status", {}, request_id="1")
    await execute(runtime.context, A, "remove-card", {})
    assert await execute(runtime.context, A, "status", {}, request_id="1") != before


async def test_a_full_disk_is_not_remembered(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(runtime.journal.append)
    monkeypatch.setattr(runtime.journal, "append", disk.append)
    disk.is_full = True
    with pytest.raises(CommandRejected) as refusal:
        await execute(runtime.context, A, "remove-card", {}, request_id="1")
    assert refusal.value.reason == "journal-unavailable"
    disk.is_full = False
    await execute(runtime.context, A, "remove-card", {}, request_id="1")
    assert runtime.engine.unit(A).key.serial is None


@pytest.mark.parametrize("request_id", ["", "x" * 129, "a\nb", "\ud800"])
async def test_an_id_is_short_and_printable(runtime: Runtime, request_id: str) -> None:
    with pytest.raises(CommandRejected) as refusal:
        await execute(runtime.context, A, "remove-card", {}, request_id=request_id)
    assert refusal.value.reason == "bad-id"
    assert runtime.engine.unit(A).key.serial is not None


async def test_only_the_last_answers_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests_module, "MAX_ANSWERS", 3)
    requests = Requests()
    runs: list[str] = []

    async def once(request_id: str) -> None:
        async def run() -> Answer:
            runs.append(request_id)
            return {}

        await requests.once(A, request_id, "x", run)

    for request_id in "12341":
        await once(request_id)
    await once("4")
    assert runs == list("12341")
    assert len(requests._known) == 3


async def test_whoever_gives_up_lets_the_next_one_try() -> None:
    requests = Requests()
    gate = asyncio.Event()

    async def slow() -> Answer:
        await gate.wait()
        return {"slow": True}

    async def quick() -> Answer:
        return {"quick": True}

    first = asyncio.create_task(requests.once(A, "1", "x", slow))
    await asyncio.sleep(0)
    second = asyncio.create_task(requests.once(A, "1", "x", quick))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(CommandRejected) as refusal:
        await second
    assert (refusal.value.reason, refusal.value.temporary) == ("interrupted", True)
    assert await requests.once(A, "1", "x", quick) == {"quick": True}
    assert first.cancelled()


async def test_a_waiter_that_gives_up_takes_nobody_with_it() -> None:
    requests = Requests()
    gate = asyncio.Event()

    async def slow() -> Answer:
        await gate.wait()
        return {"slow": True}

    first = asyncio.create_task(requests.once(A, "1", "x", slow))
    await asyncio.sleep(0)
    second = asyncio.create_task(requests.once(A, "1", "x", slow))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    gate.set()
    assert await first == {"slow": True}
