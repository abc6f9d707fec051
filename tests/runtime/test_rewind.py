"""A bench that is taken back: everything is as it was then, goes on from there, and what was left behind is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, PartFitted, ReaderAttached
from ipo_sim.core.model import SECOND_NS, KeyPresence, Lifecycle, Nanoseconds, UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.clock import ClockBase, restored, stepped
from ipo_sim.runtime.journal import JournalReader, Rewound
from ipo_sim.runtime.journal_replay import Point, Replayer
from ipo_sim.runtime.journal_verify import verify
from ipo_sim.runtime.rewind import cut_after, cut_at, rewind
from ipo_sim.runtime.store import Entry
from tests.core.bench import NOON, OTHER_SERIAL, SERIAL
from tests.runtime.bench import HOUR, A, B, boot, open_bench, small
from tests.runtime.histories import Action, histories, play
from tests.runtime.test_commands import ask, refusal
from tests.runtime.test_pump import running
from tests.runtime.test_restore import check_is_folded

CATALOGUE = load_catalogue()


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[Runtime]:
    runtime = open_bench(tmp_path)
    boot(runtime)
    async with running(runtime.pump):
        yield runtime
    runtime.close()


class TestCommand:
    async def test_everything_is_as_it_was_and_goes_on_from_there(self, runtime: Runtime) -> None:
        now = runtime.clock.now()
        units = {name: runtime.engine.unit(name) for name in (A, B)}
        stores = {name: dict(runtime.bus.latest(name)) for name in (A, B)}
        await ask(runtime, "remove-card")
        await ask(runtime, "advance seconds=7200")
        assert runtime.engine.unit(A).life.state is Lifecycle.AWAITING_FEATURE_KEY
        answer = await ask(runtime, "rewind seconds=2h")
        assert (answer["seq"], answer["epoch"], answer["time"]) == (5, 2, "2026-01-05T12:00:20.000Z")
        await ask(runtime, "rewind seq=4")
        assert {name: runtime.engine.unit(name) for name in (A, B)} == units
        assert {name: dict(runtime.bus.latest(name)) for name in (A, B)} == stores
        assert runtime.clock.now() == NOON + 8 * SECOND_NS < now
        removed = await ask(runtime, "remove-card")
        assert removed["seq"] == 5
        await ask(runtime, "advance seconds=7199")
        assert runtime.engine.unit(A).life.state is Lifecycle.RUNNING
        await ask(runtime, "advance seconds=1")
        assert runtime.engine.unit(A).life.state is Lifecycle.AWAITING_FEATURE_KEY

    async def test_what_is_left_behind_stays_in_the_journal(self, runtime: Runtime) -> None:
        await ask(runtime, "remove-card")
        await ask(runtime, "advance seconds=60")
        answer = await ask(runtime, "rewind seq=3")
        assert answer["left_behind"] == 3
        first, second = runtime.journal.epochs(A)
        assert (second.definition, second.created) == (first.definition, first.created)
        assert second.rewound == Rewound(1, 3, NOON, "command:rewind")
        old, new = (list(runtime.journal.entries(A, epoch)) for epoch in (1, 2))
        assert [entry.event.fact for entry in old[4:]] == [FeatureKeyRemoved()]
        assert new == old[:3]
        assert not verify(runtime.journal).findings

    async def test_a_subscriber_is_told_what_is_different(self, runtime: Runtime) -> None:
        subscription = runtime.bus.subscribe("test", units=frozenset({A}))
        await ask(runtime, "set-fault path=slots/1")
        shown = {path: entry for (_, path), entry in subscription.take().entities.items()}
        await ask(runtime, "rewind seq=4")
        batch = subscription.take()
        told = {path: entry for (_, path), entry in batch.entities.items()}
        assert batch.records == []
        assert told.keys() == shown.keys()
        assert [path for path, entry in told.items() if entry.value is None] == [
            path for path in shown if path.startswith("alarms/")
        ]
        assert told["slots/1"] == runtime.bus.latest(A)["slots/1"]
        other = Entry(4, Nanoseconds(NOON + 8 * SECOND_NS), None)
        assert next(entry for path, entry in told.items() if path.startswith("alarms/")) == other

    async def test_a_restart_comes_back_to_the_moment(self, tmp_path: Path) -> None:
        runtime = open_bench(tmp_path)
        boot(runtime)
        async with running(runtime.pump):
            await ask(runtime, "advance seconds=600")
            await ask(runtime, "remove-card")
            await ask(runtime, "rewind seconds=10m")
        unit = runtime.engine.unit(A)
        runtime.close()
        with closing(JournalReader.open(tmp_path)) as reader:
            kept = reader.clock()
            assert kept is not None
            assert (kept.at, reader.last_at()) == (NOON + 20 * SECOND_NS, NOON + 8 * SECOND_NS)
            assert restored(kept, reader.last_at()).now() == kept.at
        again = open_bench(tmp_path, clock=stepped(kept.at))
        assert again.engine.unit(A) == unit
        check_is_folded(again, small(A))
        again.close()

    @pytest.mark.parametrize(
        ("line", "reason", "text"),
        [
            ("rewind", "bad-arguments", "one of seconds, seq and to is wanted"),
            ("rewind seq=3 seconds=1", "bad-arguments", "one of seconds, seq and to is wanted"),
            ("rewind seq=99", "no-such-event", "the present history of unit a has events 1 to 4, not 99"),
            ("rewind to=2027-01-01", "no-such-moment", "2027-01-01T00:00:00.000Z has not come yet"),
            ("rewind seconds=1h", "no-such-moment", "the present history of unit a begins only at 2026-01-05T12:00"),
            ("rewind to=yesterday", "bad-arguments", "to: 'yesterday' is no date and time"),
            ("what-if 'events=rewind seq=1'", "not-imaginable", "rewind cannot be part of a what-if"),
        ],
    )
    async def test_what_cannot_be_gone_back_to_is_refused(
        self, runtime: Runtime, line: str, reason: str, text: str
    ) -> None:
        told = await refusal(runtime, line)
        assert told[0] == reason
        assert text in told[1]
        assert runtime.journal.epoch(A) == 1

    async def test_on_a_full_disk_nothing_changes(self, runtime: Runtime) -> None:
        await ask(runtime, "remove-card")
        unit, now = runtime.engine.unit(A), runtime.clock.now()
        connection = runtime.journal._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        filler = "x" * 3_000
        with pytest.raises(CommandRejected, match="no space is left"):
            rewind(runtime.context, cut_after(runtime.journal, (A, B), A, 4, now), filler)
        assert (runtime.engine.unit(A), runtime.clock.now(), runtime.journal.epoch(A)) == (unit, now, 1)
        connection.execute("PRAGMA max_page_count = 100000")
        await ask(runtime, "rewind seq=4")
        assert not verify(runtime.journal).findings


class TestReaders:
    async def test_one_that_hands_move_stands_as_it_stands(self) -> None:
        unit = replace(small(A), reader_kind="serial", reader_name="serial")
        runtime = open_bench(None, unit)
        runtime.engine.apply(A, ReaderAttached("serial"), "serial")
        runtime.engine.apply(A, FeatureKeyInserted(SERIAL), "serial")
        runtime.clock.advance(Nanoseconds(20 * SECOND_NS))
        runtime.engine.run_due()
        runtime.engine.apply(A, FeatureKeyInserted(OTHER_SERIAL, kind="atmega", counter=2), "serial")
        async with running(runtime.pump):
            await ask(runtime, "rewind seq=4")
            await ask(runtime, "advance seconds=0")
            key = runtime.engine.unit(A).key
            assert (key.serial, key.kind, key.counter) == (OTHER_SERIAL, "atmega", 2)
            last = runtime.journal.entry(A, 2, 5)
            assert last is not None
            assert (last.event.cause, last.event.at) == ("rewind", NOON + 8 * SECOND_NS)
            runtime.engine.apply(A, FeatureKeyRemoved(2), "serial")
            await ask(runtime, "rewind seq=4")
            await ask(runtime, "advance seconds=0")
            assert runtime.engine.unit(A).key.presence is KeyPresence.ABSENT
        runtime.close()

    async def test_what_a_fault_hid_of_it_is_told(self) -> None:
        runtime = open_bench(None, replace(small(A), reader_kind="serial", reader_name="serial"))
        runtime.engine.apply(A, ReaderAttached("serial"), "serial")
        runtime.engine.apply(A, FeatureKeyInserted(SERIAL, kind="atmega"), "serial")
        runtime.clock.advance(Nanoseconds(20 * SECOND_NS))
        runtime.engine.run_due()
        async with running(runtime.pump):
            await ask(runtime, "inject-fault fault=card-mute")
            runtime.engine.apply(A, FeatureKeyRemoved(), "serial")
            runtime.engine.apply(A, FeatureKeyInserted(OTHER_SERIAL, kind="atmega"), "serial")
            assert runtime.engine.unit(A).key.presence is KeyPresence.UNREADABLE
            await ask(runtime, "rewind seq=4")
            await ask(runtime, "advance seconds=0")
            assert runtime.engine.unit(A).faults == ()
            assert runtime.engine.unit(A).key.serial == OTHER_SERIAL
        runtime.close()


@given(histories, st.data(), histories)
async def test_any_moment_of_any_history_can_be_gone_back_to(
    history: list[tuple[UnitName, Action]], data: st.DataObject, rest: list[tuple[UnitName, Action]]
) -> None:
    runtime = open_bench()
    play(runtime.engine, history)
    now = runtime.clock.now()
    moment = Nanoseconds(data.draw(st.integers(NOON, now)))
    replayer = Replayer(runtime.journal, CATALOGUE)
    then = {name: replayer.replay(name, 1, Point(at=moment)).state for name in (A, B)}
    rewind(runtime.context, cut_at(runtime.journal, (A, B), moment, now), "test")
    for name, state in then.items():
        assert runtime.engine.unit(name) == state.unit
        assert dict(runtime.bus.latest(name)) == state.entries
    assert runtime.clock.now() == moment
    play(runtime.engine, rest)
    for name in (A, B):
        check_is_folded(runtime, small(name))
    assert not verify(runtime.journal).findings
    assert replayer.replay(A).differences == ()
    runtime.close()


def test_the_clock_goes_back_and_on_at_its_pace() -> None:
    elapsed = 0
    clock = restored(ClockBase(NOON, NOON, 2.0), NOON, monotonic=lambda: elapsed, wall=lambda: int(NOON) + elapsed)
    elapsed = HOUR
    assert clock.now() == NOON + 2 * HOUR
    clock.go_back(Nanoseconds(NOON + HOUR))
    elapsed += HOUR
    assert clock.now() == NOON + 3 * HOUR
    clock.go_back(Nanoseconds(NOON + 100 * HOUR))
    assert clock.now() == NOON + 3 * HOUR


async def test_what_waits_in_the_inbox_happens_at_the_earlier_moment() -> None:
    runtime = open_bench()
    boot(runtime)
    runtime.pump.submit(A, PartFitted("slots/2", "POT8"), "hand")
    rewind(runtime.context, cut_after(runtime.journal, (A, B), A, 4, runtime.clock.now()), "test")
    async with running(runtime.pump):
        await runtime.pump.request(B, FeatureKeyRemoved(), "hand")
    assert runtime.engine.unit(A).at == NOON + 8 * SECOND_NS
    runtime.close()
