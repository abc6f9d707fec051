from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from ipo_sim.core.events import (
    FeatureKeyInserted,
    FeatureKeyRemoved,
    PowerApplied,
    PowerRemoved,
    ReaderAttached,
    ReaderLost,
)
from ipo_sim.core.model import SECOND_NS, KeyPresence, Lifecycle, Nanoseconds, UnitName
from ipo_sim.errors import CommandRejected, JournalError
from ipo_sim.runtime import pump as pump_module
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.bus import Record
from ipo_sim.runtime.clock import Clock, ClockBase
from ipo_sim.runtime.pump import MAX_FACTS_PER_UNIT, Pump
from tests.core.bench import NOON, SERIAL
from tests.runtime.bench import HOUR, A, B, boot, open_bench, published, small, toggles


class Disk:
    """Says whether the journal can be written."""

    def __init__(self, append: Callable[[Sequence[Record]], None]) -> None:
        self.is_full = False
        self.attempts = 0
        self._append = append

    def append(self, records: Sequence[Record]) -> None:
        self.attempts += 1
        if self.is_full:
            raise JournalError("no space is left")
        self._append(records)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    runtime = open_bench()
    boot(runtime)
    yield runtime
    runtime.close()


@pytest.fixture
def disk(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk(runtime.journal.append)
    monkeypatch.setattr(runtime.journal, "append", disk.append)
    monkeypatch.setattr(pump_module, "FIRST_RETRY_S", 0.001)
    monkeypatch.setattr(pump_module, "LONGEST_RETRY_S", 0.002)
    return disk


@asynccontextmanager
async def running(pump: Pump) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(pump.run(), name="pump")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(runtime: Runtime, condition: Callable[[], bool]) -> None:
    """Wait for events until the condition holds."""
    subscription = runtime.bus.subscribe("until")
    async with asyncio.timeout(5):
        while not condition():
            await subscription.next()
    subscription.close()


class TestRequests:
    async def test_an_answer_comes_after_the_event_is_written_and_published(self, runtime: Runtime) -> None:
        async with running(runtime.pump):
            applied = await runtime.pump.request(A, FeatureKeyRemoved(), "hand")
        assert runtime.journal.last_seq(A, 1) == applied.seq
        assert runtime.bus.latest(A)["feature-key"].seq == applied.seq

    async def test_a_refusal_is_the_units(self, runtime: Runtime) -> None:
        async with running(runtime.pump):
            with pytest.raises(CommandRejected) as refusal:
                await runtime.pump.request(A, PowerApplied(), "hand")
        assert refusal.value.reason == "wrong-state"

    async def test_many_at_once_share_a_commit(self, runtime: Runtime, disk: Disk) -> None:
        async with running(runtime.pump):
            await asyncio.gather(*(runtime.pump.request(A, fact, "hand") for fact in toggles(100)))
        assert disk.attempts == 1

    async def test_they_happen_in_the_order_in_which_they_came(self, runtime: Runtime) -> None:
        before = runtime.engine.unit(A).seq
        async with running(runtime.pump):
            applied = await asyncio.gather(*(runtime.pump.request(A, fact, "hand") for fact in toggles(600)))
        assert [one.seq - before for one in applied] == list(range(1, 601))

    async def test_a_request_that_was_given_up_does_not_happen(self, runtime: Runtime) -> None:
        before = runtime.engine.unit(A)
        request = asyncio.create_task(runtime.pump.request(A, FeatureKeyRemoved(), "hand"))
        await asyncio.sleep(0)
        request.cancel()
        await asyncio.wait([request])
        async with running(runtime.pump):
            await runtime.pump.request(B, FeatureKeyRemoved(), "hand")
        assert runtime.engine.unit(A) is before

    async def test_too_many_are_told_to_come_again(self, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pump_module, "MAX_COMMANDS", 4)
        requests = [asyncio.create_task(runtime.pump.request(A, fact, "hand")) for fact in toggles(6)]
        async with running(runtime.pump):
            outcomes = await asyncio.gather(*requests, return_exceptions=True)
            refused = [one for one in outcomes if isinstance(one, CommandRejected)]
            assert [(one.reason, one.temporary) for one in refused] == [("busy", True)] * 2
            await runtime.pump.request(B, FeatureKeyRemoved(), "hand")

    async def test_what_waits_when_the_pump_stops_is_refused(self, runtime: Runtime) -> None:
        async with running(runtime.pump) as task:
            await asyncio.sleep(0)
            request = asyncio.create_task(runtime.pump.request(A, FeatureKeyRemoved(), "hand"))
            task.cancel()
            (outcome,) = await asyncio.gather(request, return_exceptions=True)
        assert isinstance(outcome, CommandRejected)
        assert outcome.reason == "stopping"
        with pytest.raises(CommandRejected, match="stopping"):
            await runtime.pump.request(A, FeatureKeyRemoved(), "hand")


class TestFacts:
    async def test_a_fact_is_applied_without_anybody_waiting(self, runtime: Runtime) -> None:
        async with running(runtime.pump):
            runtime.pump.submit(A, FeatureKeyRemoved(1), "reader")
            await until(runtime, lambda: runtime.engine.unit(A).key.presence is KeyPresence.ABSENT)

    async def test_one_that_the_unit_knows_already_is_dropped(self, runtime: Runtime) -> None:
        async with running(runtime.pump):
            runtime.pump.submit(A, ReaderAttached("virtual"), "reader")
            with capture_logs() as logs:
                await runtime.pump.request(B, FeatureKeyRemoved(), "hand")
        assert [(log["event"], log["log_level"], log["reason"]) for log in logs] == [
            ("fact_rejected", "debug", "unchanged")
        ]

    async def test_a_flood_loses_history_but_never_what_is_true_in_the_end(self, runtime: Runtime) -> None:
        flood = [FeatureKeyInserted(f"{number:010}") for number in range(1_000)]
        runtime.pump.submit(A, ReaderLost("unplugged"), "reader")
        for fact in flood:
            runtime.pump.submit(A, fact, "reader")
        runtime.pump.submit(B, FeatureKeyRemoved(), "reader")
        assert len(runtime.pump._inbox) == MAX_FACTS_PER_UNIT + 1
        subscription = runtime.bus.subscribe("test")
        async with running(runtime.pump):
            await runtime.pump.request(B, PowerRemoved(), "hand")
        unit = runtime.engine.unit(A)
        assert unit.key.serial == flood[-1].serial
        assert not unit.reader.attached
        assert runtime.pump.coalesced == len(flood) + 1 - MAX_FACTS_PER_UNIT
        assert [line.type for line in published(subscription)][:2] == ["reader-lost", "feature-key-inserted"]

    async def test_a_flood_at_one_unit_leaves_the_commands_in_their_place(self, runtime: Runtime) -> None:
        order: list[str] = []
        request = asyncio.create_task(runtime.pump.request(B, PowerRemoved(), "hand"))
        await asyncio.sleep(0)
        request.add_done_callback(lambda _: order.append("answer"))
        for fact in toggles(200):
            runtime.pump.submit(A, fact, "reader")
        async with running(runtime.pump):
            await request
        assert runtime.engine.unit(B).life.state is Lifecycle.OFF
        assert order == ["answer"]


class TestTime:
    async def test_advance_returns_when_everything_on_the_way_has_happened(self, runtime: Runtime) -> None:
        async with running(runtime.pump):
            await runtime.pump.request(A, FeatureKeyRemoved(), "hand")
            grace = runtime.engine.next_deadline()
            at = await runtime.pump.advance(Nanoseconds(3 * HOUR))
        assert at == runtime.clock.now()
        assert runtime.engine.unit(A).at == grace
        assert runtime.engine.unit(A).life.state is Lifecycle.AWAITING_FEATURE_KEY

    async def test_a_fact_from_before_the_jump_happens_before_it(self, runtime: Runtime) -> None:
        before = runtime.clock.now()
        async with running(runtime.pump):
            runtime.pump.submit(A, FeatureKeyRemoved(), "reader")
            await runtime.pump.advance(Nanoseconds(3 * HOUR))
        assert runtime.engine.unit(A).life.state is Lifecycle.AWAITING_FEATURE_KEY
        assert runtime.engine.unit(A).at == before + 2 * HOUR

    async def test_deadlines_of_a_running_clock_fire_by_themselves(self) -> None:
        clock = Clock(ClockBase(NOON, NOON, 1_000.0, paused=True))
        runtime = open_bench(None, small(), clock=clock)
        subscription = runtime.bus.subscribe("test")
        loop = asyncio.get_running_loop()
        began = loop.time()
        clock.resume()
        async with running(runtime.pump):
            await until(runtime, lambda: runtime.engine.unit(A).life.state is Lifecycle.AWAITING_FEATURE_KEY)
        lines = published(subscription)
        assert [line.type for line in lines] == ["deadline-reached"]
        assert lines[0].at - NOON == 8 * SECOND_NS
        assert loop.time() - began >= 0.007
        runtime.close()

    async def test_a_paused_clock_that_resumes_sets_the_timer(self) -> None:
        clock = Clock(ClockBase(NOON, NOON, 100_000.0, paused=True))
        runtime = open_bench(None, small(), clock=clock)
        async with running(runtime.pump):
            await asyncio.sleep(0)
            assert runtime.pump._timer is None
            runtime.pump.change_clock(clock.resume)
            await until(runtime, lambda: runtime.engine.unit(A).life.state is Lifecycle.AWAITING_FEATURE_KEY)
        runtime.close()

    async def test_a_new_scale_moves_the_timer(self) -> None:
        clock = Clock(ClockBase(NOON, NOON, 0.1))
        runtime = open_bench(None, small(), clock=clock)
        async with running(runtime.pump):
            await asyncio.sleep(0)
            timer = runtime.pump._timer
            assert timer is not None
            assert timer.when() - asyncio.get_running_loop().time() > 60
            runtime.pump.change_clock(lambda: clock.set_scale(100_000))
            await until(runtime, lambda: runtime.engine.unit(A).life.state is Lifecycle.AWAITING_FEATURE_KEY)
        runtime.close()

    async def test_a_clock_that_cannot_be_kept_is_refused(
        self, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: ClockBase) -> None:
            raise JournalError("no space is left")

        monkeypatch.setattr(runtime.clock, "store", fail)
        with pytest.raises(CommandRejected) as refusal:
            await runtime.pump.advance(HOUR)
        assert (refusal.value.reason, refusal.value.temporary) == ("journal-unavailable", True)


class TestIdle:
    async def test_an_idle_pump_is_not_woken_at_all(self, runtime: Runtime) -> None:
        async with running(runtime.pump):
            await runtime.pump.request(A, FeatureKeyRemoved(), "hand")
            turns = runtime.pump.turns
            loop = asyncio.get_running_loop()
            for _ in range(1_000):
                await asyncio.sleep(0)
            assert runtime.pump.turns == turns
            assert runtime.pump._timer is None
            assert not [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]  # the loop's own list

    async def test_one_timer_serves_all_units(self) -> None:
        names = [UnitName(f"u{number}") for number in range(50)]
        runtime = open_bench(None, *map(small, names), clock=Clock(ClockBase(NOON, NOON)))
        async with running(runtime.pump):
            await runtime.pump.request(names[0], PowerRemoved(), "hand")
            scheduled = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]  # the loop's own list
            assert len([handle for handle in scheduled if not handle.cancelled()]) == 1
        runtime.close()


class TestFullDisk:
    async def test_commands_are_answered_and_facts_are_kept(self, runtime: Runtime, disk: Disk) -> None:
        disk.is_full = True
        async with running(runtime.pump):
            with capture_logs() as logs:
                runtime.pump.submit(A, FeatureKeyRemoved(7), "reader")
                with pytest.raises(CommandRejected) as refusal:
                    await runtime.pump.request(B, PowerRemoved(), "hand")
                with pytest.raises(CommandRejected):
                    await runtime.pump.request(B, PowerRemoved(), "hand")
            assert (refusal.value.reason, refusal.value.temporary) == ("journal-unavailable", True)
            assert [log["log_level"] for log in logs if log["event"] == "journal_unavailable"][:2] == ["error", "debug"]
            assert runtime.engine.unit(A).key.presence is KeyPresence.PRESENT
            disk.is_full = False
            await until(runtime, lambda: runtime.engine.unit(A).key.presence is KeyPresence.ABSENT)
        assert runtime.engine.unit(A).key.counter == 7
        assert runtime.engine.unit(B).life.state is Lifecycle.RUNNING

    async def test_kept_facts_happen_when_they_happened(self, runtime: Runtime, disk: Disk) -> None:
        disk.is_full = True
        pulled = runtime.clock.now()
        async with running(runtime.pump):
            runtime.pump.submit(A, FeatureKeyRemoved(), "reader")
            with pytest.raises(CommandRejected, match="no space is left"):
                await runtime.pump.advance(Nanoseconds(3 * HOUR))
            disk.is_full = False
            await until(runtime, lambda: runtime.engine.unit(A).life.state is Lifecycle.AWAITING_FEATURE_KEY)
        assert runtime.engine.unit(A).at == pulled + 2 * HOUR

    async def test_a_flood_meanwhile_keeps_to_its_bound(self, runtime: Runtime, disk: Disk) -> None:
        disk.is_full = True
        async with running(runtime.pump):
            for fact in toggles(1_001):
                runtime.pump.submit(A, fact, "reader")
                await asyncio.sleep(0)
            assert len(runtime.pump._inbox) == MAX_FACTS_PER_UNIT
            disk.is_full = False
            await until(runtime, lambda: runtime.engine.unit(A).key.presence is KeyPresence.ABSENT)
        assert runtime.pump.coalesced == 1_001 - MAX_FACTS_PER_UNIT

    async def test_it_says_so_when_it_can_write_again(self, runtime: Runtime, disk: Disk) -> None:
        disk.is_full = True
        async with running(runtime.pump):
            with pytest.raises(CommandRejected):
                await runtime.pump.request(A, FeatureKeyRemoved(), "hand")
            disk.is_full = False
            with capture_logs() as logs:
                await runtime.pump.request(A, FeatureKeyRemoved(), "hand")
            assert [log["event"] for log in logs] == ["journal_available_again"]

    async def test_trying_again_slows_down(self, runtime: Runtime, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pump_module, "FIRST_RETRY_S", 3.0)
        monkeypatch.setattr(pump_module, "LONGEST_RETRY_S", 10.0)
        disk.is_full = True
        loop, delays = asyncio.get_running_loop(), []
        async with running(runtime.pump):
            for _ in range(4):
                with pytest.raises(CommandRejected):
                    await runtime.pump.request(A, FeatureKeyRemoved(), "hand")
                assert runtime.pump._timer is not None
                delays.append(round(runtime.pump._timer.when() - loop.time()))
        assert delays == [3, 6, 10, 10]


async def test_a_defect_of_the_core_ends_the_pump_and_answers_nobody_twice(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("ipo_sim.runtime.engine.step", broken)
    async with running(runtime.pump) as task:
        with pytest.raises(CommandRejected, match="stopping"):
            await runtime.pump.request(A, FeatureKeyRemoved(), "hand")
        await asyncio.wait([task])
        assert isinstance(task.exception(), ZeroDivisionError)
    assert runtime.engine.unit(A).key.serial == SERIAL
