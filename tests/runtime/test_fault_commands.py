"""`inject-fault` and `clear-fault`: options, refusals, and faults that outlive their daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ipo_sim.core.model import InjectedFault
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.describe import describe
from tests.core.bench import SERIAL
from tests.runtime.bench import A, boot, open_bench
from tests.runtime.test_commands import ask, refusal
from tests.runtime.test_pump import running


@pytest.fixture
async def runtime() -> AsyncIterator[Runtime]:
    runtime = open_bench()
    boot(runtime)
    async with running(runtime.pump):
        yield runtime
    runtime.close()


def faults(runtime: Runtime) -> dict[str, InjectedFault]:
    latest = runtime.bus.latest(A)
    return {path: entry.value for path, entry in latest.items() if isinstance(entry.value, InjectedFault)}


async def test_options_have_defaults_and_lengths_of_time_their_units(runtime: Runtime) -> None:
    await ask(
        runtime, "inject-fault fault=flaky-contact interval=1m30s start=1h duration=90 probability=0.5 clear_after=2"
    )
    (fault,) = faults(runtime).values()
    assert dict(fault.options) == {"bounces": "3", "interval": "90000000000"}
    assert fault.until is not None
    assert (fault.until - fault.starts, fault.probability, fault.clear_after) == (90 * 10**9, 0.5, 2)
    assert (fault.begun, fault.seed) == (False, 0)


async def test_faults_are_published_and_taken_back_by_their_id(runtime: Runtime) -> None:
    await ask(runtime, "inject-fault fault=part-failed path=slots/1")
    assert list(faults(runtime)) == ["faults/part-failed-slots-1"]
    why = await ask(runtime, "why path=slots/1")
    assert [link["text"] for link in why["chain"]] == [
        "it has the fault part-failed",
        "fault part-failed was injected at slots/1",
    ]
    await ask(runtime, "clear-fault fault=part-failed-slots-1")
    assert faults(runtime) == {}


async def test_the_chain_of_causes_names_the_fault(runtime: Runtime) -> None:
    await ask(runtime, "inject-fault fault=card-mute start=10s")
    await ask(runtime, "advance seconds=10800")
    why = await ask(runtime, "why path=expansion/1")
    texts = [link["text"] for link in why["chain"]]
    assert "the injected fault card-mute strikes" in texts


async def test_set_fault_is_still_mended_by_its_path(runtime: Runtime) -> None:
    await ask(runtime, "set-fault path=slots/1 fault=overheated")
    await ask(runtime, "clear-fault path=slots/1")
    assert (await refusal(runtime, "clear-fault path=slots/1"))[0] == "no-fault"


async def test_what_if_tells_what_a_fault_would_do(runtime: Runtime) -> None:
    answer = await ask(runtime, "what-if 'events=inject-fault fault=part-failed path=slots/1'")
    assert "slots/1" in {change["path"] for change in answer["changes"]}
    assert faults(runtime) == {}


@pytest.mark.parametrize(
    ("line", "reason", "text"),
    [
        ("inject-fault fault=card-muet", "unknown-fault", "did you mean card-mute?"),
        ("inject-fault fault=card-mute bounces=3", "bad-arguments", "card-mute has no such option; its options: none"),
        ("inject-fault fault=card-unreadable reason=5", "bad-arguments", "it is 3 (no_register_access), 4 ("),
        ("inject-fault fault=flaky-contact bounces=0", "bad-arguments", "it is 1 to 1000, not 0"),
        ("inject-fault fault=slow-card delay=2h", "bad-arguments", "it is 0.001 to 3600 seconds, not 7200"),
        ("inject-fault fault=part-failed", "bad-arguments", "needs the place that fails, such as slots/1"),
        ("inject-fault fault=card-mute path=reader", "bad-target", "is a fault of feature-key, not of reader"),
        ("inject-fault fault=card-mute probability=2", "bad-arguments", "it must be at most 1"),
        ("inject-fault fault=card-mute duration=soon", "bad-arguments", "no length of time"),
        ("clear-fault", "bad-arguments", "either fault or path is wanted"),
        ("clear-fault fault=slots/1", "bad-arguments", "slots/1 is a place, and no id: path=slots/1 mends"),
        ("clear-fault fault=feature-key", "bad-arguments", "path=feature-key mends what set-fault broke there"),
        ("clear-fault fault=card-mute", "no-fault", "there are: none"),
    ],
)
async def test_what_cannot_be_is_refused_in_plain_words(runtime: Runtime, line: str, reason: str, text: str) -> None:
    code, said = await refusal(runtime, line)
    assert code == reason
    assert text in said


@pytest.mark.parametrize("snapshot", [False, True])
async def test_faults_outlive_their_daemon(tmp_path: Path, *, snapshot: bool) -> None:
    runtime = open_bench(tmp_path)
    boot(runtime)
    async with running(runtime.pump):
        await ask(runtime, "remove-card")
        await ask(runtime, "inject-fault fault=flaky-contact bounces=2 interval=1s")
        for _ in range(60 if snapshot else 1):
            await ask(runtime, f"insert-card serial={SERIAL}")
            await ask(runtime, "advance seconds=1.5")
            if snapshot:
                await ask(runtime, "advance seconds=10")
                await ask(runtime, "remove-card")
        before = runtime.engine.unit(A)
    runtime.close()
    again = open_bench(tmp_path, clock=runtime.clock)
    assert again.engine.unit(A) == before
    assert faults(again).keys() == {"faults/flaky-contact"}
    again.close()


async def test_a_fault_is_told_in_words(runtime: Runtime) -> None:
    await ask(runtime, "inject-fault fault=clock-drift ppm=-20")
    await ask(runtime, "clear-fault fault=clock-drift")
    entries = list(runtime.journal.entries(A, runtime.journal.epoch(A)))
    assert [describe(entry.event.fact) for entry in entries[-2:]] == [
        "fault clock-drift was injected at unit",
        "the injected fault clock-drift was taken back",
    ]
