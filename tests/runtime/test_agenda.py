"""Facts that are known ahead happen at their moments, whatever else happens, and whatever the disk does."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.core.events import Fact, FeatureKeyInserted, FeatureKeyRemoved, PowerApplied, ReaderAttached
from ipo_sim.core.model import SECOND_NS, Nanoseconds, UnitName
from ipo_sim.errors import JournalError
from ipo_sim.runtime.agenda import Agenda, Foreseen
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.bus import Record
from ipo_sim.runtime.engine import MAX_BATCH
from tests.core.bench import NOON, SERIAL
from tests.runtime.bench import HOUR, A, B, Line, boot, open_bench, published, toggles
from tests.runtime.histories import Action, Advance, histories, play
from tests.runtime.test_pump import running, until

SECOND = Nanoseconds(SECOND_NS)


def foreseen(at: int, unit: UnitName = A, cause: str = "tape") -> Foreseen:
    return Foreseen(Nanoseconds(NOON + at), unit, FeatureKeyRemoved(), cause)


def blinking(unit: UnitName, count: int | None = None) -> Iterator[Foreseen]:
    """A card that goes out and in every second."""
    facts: Iterator[Fact] = itertools.cycle((FeatureKeyRemoved(), FeatureKeyInserted(SERIAL)))
    moments = itertools.count(NOON + HOUR, SECOND) if count is None else range(NOON + HOUR, NOON + HOUR + count, 1)
    return (Foreseen(Nanoseconds(at), unit, fact, "tape") for at, fact in zip(moments, facts, strict=False))


def from_tape(runtime: Runtime) -> list[tuple[int, Fact]]:
    events = [entry.event for entry in runtime.journal.entries(A, 1)]
    return [(event.at, event.fact) for event in events if event.cause == "tape"]


@given(st.lists(st.lists(st.integers(0, 9)).map(sorted), max_size=4), st.data())
def test_sources_are_merged_in_order_and_what_is_put_back_comes_again(
    sources: list[list[int]], data: st.DataObject
) -> None:
    agenda = Agenda()
    for number, moments in enumerate(sources):
        agenda.add(iter([foreseen(at, cause=str(number)) for at in moments]))
    expected = sorted((at, str(number)) for number, moments in enumerate(sources) for at in moments)
    done: list[tuple[int, str]] = []
    while len(done) < len(expected):
        count = data.draw(st.integers(1, 5))
        taken = [agenda.take() for _ in range(min(count, len(expected) - len(done)))]
        assert agenda.taken == len(taken)
        if data.draw(st.booleans()):
            agenda.put_back()
        else:
            agenda.keep()
            done += [(fact.at - NOON, fact.cause) for fact in taken]
        assert agenda.taken == 0
    assert done == expected
    assert agenda.next_at() is None


@given(histories)
def test_what_was_foreseen_does_what_was_applied(history: list[tuple[UnitName, Action]]) -> None:
    applied, ahead = open_bench(), open_bench()
    play(applied.engine, history)
    at, facts = Nanoseconds(NOON), []
    for name, action in history:
        if isinstance(action, Advance):
            at = Nanoseconds(at + action.duration)
        else:
            facts.append(Foreseen(at, name, action, "test"))
    ahead.engine.foresee(iter(facts))
    ahead.clock.advance(Nanoseconds(at - NOON))
    ahead.engine.run_due()
    for name in (A, B):
        assert list(ahead.journal.entries(name, 1)) == list(applied.journal.entries(name, 1))
    applied.close()
    ahead.close()


def test_an_endless_source_is_followed_as_far_as_time_goes() -> None:
    runtime = open_bench()
    boot(runtime)
    runtime.engine.foresee(blinking(A))
    subscription = runtime.bus.subscribe("test", max_records=10_000)
    assert runtime.engine.next_deadline() == NOON + HOUR
    assert runtime.engine.next_deadline(A) is None
    runtime.clock.advance(Nanoseconds(2 * HOUR))
    runtime.engine.run_due()
    lines = [line for line in published(subscription) if line.type.startswith("feature-key")]
    # 20 seconds went by at the boot.
    assert len(lines) == 3621
    assert [line.at for line in lines[:3]] == [NOON + HOUR, NOON + HOUR + SECOND, NOON + HOUR + 2 * SECOND]
    runtime.close()


def test_more_than_a_batch_at_once_and_refused_ones_among_them() -> None:
    runtime = open_bench()
    boot(runtime)
    facts = [foreseen(HOUR), *([foreseen(HOUR)._replace(fact=PowerApplied())] * 3 * MAX_BATCH), foreseen(HOUR, B)]
    runtime.engine.foresee(iter(facts))
    subscription = runtime.bus.subscribe("test")
    runtime.clock.advance(HOUR)
    runtime.engine.run_due()
    assert [line.unit for line in published(subscription)] == [A, B]
    assert not runtime.engine.is_due(runtime.clock.now())
    runtime.close()


def test_a_fact_for_a_unit_that_is_not_there_does_nothing() -> None:
    runtime = open_bench()
    runtime.engine.foresee(iter([foreseen(1, UnitName("c"))]))
    before = runtime.engine.events
    runtime.clock.advance(SECOND)
    runtime.engine.run_due()
    assert runtime.engine.next_deadline() != NOON + 1
    assert runtime.engine.events == before
    runtime.close()


def test_what_could_not_be_written_happens_later_at_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = open_bench()
    boot(runtime)
    subscription, append = runtime.bus.subscribe("test"), runtime.journal.append

    def full(_: Sequence[Record]) -> None:
        raise JournalError("no space is left")

    runtime.engine.foresee(iter([foreseen(HOUR), foreseen(HOUR + SECOND)._replace(fact=FeatureKeyInserted(SERIAL))]))
    monkeypatch.setattr(runtime.journal, "append", full)
    runtime.clock.advance(HOUR)
    for _ in range(2):
        with pytest.raises(JournalError):
            runtime.engine.run_due()
    assert published(subscription) == []
    monkeypatch.setattr(runtime.journal, "append", append)
    runtime.engine.run_due()
    seq = runtime.engine.unit(A).seq
    assert published(subscription)[-2:] == [
        Line(A, seq - 1, NOON + HOUR, "feature-key-removed"),
        Line(A, seq, NOON + HOUR + SECOND, "feature-key-inserted"),
    ]
    runtime.close()


async def test_the_pump_wakes_for_what_is_foreseen() -> None:
    runtime = open_bench()
    boot(runtime)
    runtime.clock.set_scale(1000)
    runtime.clock.resume()
    async with running(runtime.pump):
        await asyncio.sleep(0)
        begin = runtime.clock.now()
        facts = [Foreseen(Nanoseconds(begin + n * SECOND), A, fact, "tape") for n, fact in enumerate(toggles(4), 1)]
        runtime.pump.foresee(iter(facts))
        await until(runtime, lambda: len(from_tape(runtime)) == len(facts))
    assert from_tape(runtime) == [(fact.at, fact.fact) for fact in facts]
    runtime.close()


async def test_a_fact_can_bring_its_own_time() -> None:
    runtime = open_bench()
    boot(runtime)
    runtime.clock.advance(HOUR)
    async with running(runtime.pump):
        runtime.pump.submit(A, ReaderAttached("other"), "reader", Nanoseconds(NOON + HOUR - 5))
        await until(runtime, lambda: runtime.engine.unit(A).reader.name == "other")
    *_, last = runtime.journal.entries(A, 1)
    assert last.event.at == NOON + HOUR - 5
    runtime.close()
