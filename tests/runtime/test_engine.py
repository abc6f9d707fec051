from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import DateSet, Event, FeatureKeyInserted, FeatureKeyRemoved, PowerApplied, PowerRemoved
from ipo_sim.core.model import SECOND_NS, Lifecycle, Nanoseconds, Unit, UnitName
from ipo_sim.core.unit import new_unit, next_deadline, step
from ipo_sim.errors import CommandRejected, JournalError
from ipo_sim.runtime import engine as engine_module
from ipo_sim.runtime import snapshot
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.bus import Record
from ipo_sim.runtime.engine import MAX_BATCH, MIN_HEAP, Applied, Submission
from tests.core.bench import NOON, SERIAL
from tests.runtime.bench import HOUR, A, B, Line, boot, open_bench, published, small, toggles
from tests.runtime.histories import LICENCES, Action, Advance, histories, play

SECOND = Nanoseconds(SECOND_NS)


@pytest.fixture
def runtime() -> Runtime:
    runtime = open_bench()
    boot(runtime)
    return runtime


def check_order(records: list[Record], now: int) -> None:
    """Replay by hand: no event out of order, none past a deadline, every deadline at its exact time."""
    units: dict[UnitName, Unit] = {}
    last = 0
    for name, event, effects in records:
        unit = units.get(name) or new_unit(small(name), load_catalogue())
        deadline = next_deadline(unit)
        assert event.at >= last
        assert deadline is None or event.at <= deadline
        if event.fact.TYPE == "deadline-reached":
            assert event.at == deadline
        units[name], expected = step(unit, event)
        assert effects == expected
        last = event.at
    assert all((next_deadline(unit) or now + 1) > now for unit in units.values())


def first(runtime: Runtime, name: UnitName) -> Record:
    """What happened while everything was put together, before anybody could subscribe."""
    entry = runtime.journal.entry(name, 1, 1)
    assert entry is not None
    unit, effects = step(new_unit(small(name), load_catalogue()), entry.event)
    assert unit == runtime.engine.unit(name)
    return Record(name, entry.event, effects)


@given(histories)
def test_events_are_never_out_of_order_and_deadlines_are_exact(history: list[tuple[UnitName, Action]]) -> None:
    runtime = open_bench()
    records = [first(runtime, name) for name in runtime.engine.names()]
    subscription = runtime.bus.subscribe("test", max_records=100_000)
    play(runtime.engine, history)
    check_order(records + subscription.take().records, runtime.clock.now())
    runtime.close()


@given(histories, st.integers(1, 20))
def test_a_batch_does_what_one_by_one_does(history: list[tuple[UnitName, Action]], size: int) -> None:
    one, many = open_bench(), open_bench()
    play(one.engine, history)
    submissions: list[Submission] = []
    for name, action in history:
        if isinstance(action, Advance):
            many.clock.advance(action.duration)
        else:
            submissions.append(Submission(name, action, "test", many.clock.now()))
    while submissions or many.engine.is_due(many.clock.now()):
        done = many.engine.run_batch(
            submissions[:size], submissions[size].at if submissions[size:] else many.clock.now()
        )
        del submissions[: len(done)]
    assert [many.engine.unit(name) for name in (A, B)] == [one.engine.unit(name) for name in (A, B)]
    assert [list(many.journal.entries(name, 1)) for name in (A, B)] == [
        list(one.journal.entries(name, 1)) for name in (A, B)
    ]
    one.close()
    many.close()


class TestApply:
    def test_it_tells_what_happened(self, runtime: Runtime) -> None:
        applied = runtime.engine.apply(A, FeatureKeyRemoved(), "hand")
        assert isinstance(applied, Applied)
        assert (applied.seq, applied.at) == (runtime.engine.unit(A).seq, runtime.clock.now())
        assert next(iter(applied.effects.changes)) == "feature-key"

    def test_it_is_written_and_published(self, runtime: Runtime) -> None:
        subscription = runtime.bus.subscribe("test")
        applied = runtime.engine.apply(A, FeatureKeyRemoved(), "hand")
        entry = runtime.journal.entry(A, 1, applied.seq)
        assert entry is not None
        assert entry.event.cause == "hand"
        assert published(subscription) == [Line(A, applied.seq, applied.at, "feature-key-removed")]
        assert runtime.bus.latest(A)["feature-key"].value == runtime.engine.unit(A).key

    def test_a_rejected_fact_leaves_everything_as_it_was(self, runtime: Runtime) -> None:
        unit, subscription = runtime.engine.unit(A), runtime.bus.subscribe("test")
        with pytest.raises(CommandRejected) as refusal:
            runtime.engine.apply(A, PowerApplied(), "hand")
        assert refusal.value.reason == "wrong-state"
        assert runtime.engine.unit(A) is unit
        assert published(subscription) == []

    def test_what_is_due_comes_first(self, runtime: Runtime) -> None:
        runtime.engine.apply(A, FeatureKeyRemoved(), "hand")
        grace = runtime.engine.next_deadline(A)
        subscription = runtime.bus.subscribe("test")
        runtime.clock.advance(Nanoseconds(3 * HOUR))
        runtime.engine.apply(B, FeatureKeyRemoved(), "hand")
        assert [(line.unit, line.at, line.type) for line in published(subscription)] == [
            (A, grace, "deadline-reached"),
            (B, runtime.clock.now(), "feature-key-removed"),
        ]

    def test_a_deadline_of_the_same_instant_comes_before_the_fact(self, runtime: Runtime) -> None:
        runtime.engine.apply(A, FeatureKeyRemoved(), "hand")
        subscription = runtime.bus.subscribe("test")
        runtime.clock.advance(Nanoseconds(2 * HOUR))
        runtime.engine.apply(A, FeatureKeyInserted(SERIAL), "hand")
        lines = published(subscription)
        assert [line.type for line in lines] == ["deadline-reached", "feature-key-inserted"]
        assert lines[0].at == lines[1].at

    def test_an_unknown_unit_is_named(self, runtime: Runtime) -> None:
        with pytest.raises(CommandRejected, match="no unit nowhere") as refusal:
            runtime.engine.apply(UnitName("nowhere"), PowerApplied(), "hand")
        assert refusal.value.reason == "unknown-unit"

    def test_time_does_not_go_back_for_a_fact_that_waited(self, runtime: Runtime) -> None:
        runtime.clock.advance(SECOND)
        runtime.engine.apply(B, FeatureKeyRemoved(), "hand")
        outcomes = runtime.engine.run_batch([Submission(A, FeatureKeyRemoved(), "late", NOON)], runtime.clock.now())
        assert isinstance(outcomes[0], Applied)
        assert outcomes[0].at == runtime.clock.now()


class TestDeadlines:
    def test_more_than_a_batch_of_them_fire_in_order_of_time(self) -> None:
        names = [UnitName(f"u{number:03}") for number in range(MAX_BATCH + 50)]
        runtime = open_bench(None, *map(small, names))
        subscription = runtime.bus.subscribe("test", max_records=10_000)
        runtime.clock.advance(Nanoseconds(20 * SECOND))
        runtime.engine.run_due()
        lines = published(subscription)
        assert [line.unit for line in lines] == names
        assert {line.at for line in lines} == {NOON + 8 * SECOND}
        assert {runtime.engine.unit(name).life.state for name in names} == {Lifecycle.AWAITING_FEATURE_KEY}
        runtime.close()

    def test_a_deadline_that_was_put_off_does_not_fire(self, runtime: Runtime) -> None:
        runtime.engine.apply(A, FeatureKeyRemoved(), "hand")
        runtime.clock.advance(HOUR)
        runtime.engine.apply(A, FeatureKeyInserted(SERIAL), "hand")
        runtime.engine.apply(A, FeatureKeyRemoved(), "hand")
        subscription = runtime.bus.subscribe("test")
        runtime.clock.advance(HOUR)
        runtime.engine.run_due()
        assert published(subscription) == []
        runtime.clock.advance(HOUR)
        runtime.engine.run_due()
        assert [line.type for line in published(subscription)] == ["deadline-reached"]

    def test_the_next_one_is_the_earliest_of_all_units(self, runtime: Runtime) -> None:
        assert runtime.engine.next_deadline() is None
        runtime.engine.apply(A, FeatureKeyRemoved(), "hand")
        runtime.clock.advance(SECOND)
        runtime.engine.apply(B, FeatureKeyRemoved(), "hand")
        assert runtime.engine.next_deadline() == runtime.engine.next_deadline(A)
        runtime.engine.apply(A, PowerRemoved(), "hand")
        assert runtime.engine.next_deadline(A) is None
        assert runtime.engine.next_deadline() == runtime.engine.next_deadline(B)

    def test_deadlines_put_off_for_ever_do_not_pile_up(self, runtime: Runtime) -> None:
        runtime.engine.apply(B, FeatureKeyRemoved(), "hand")
        for fact in toggles(3_000):
            runtime.clock.advance(SECOND)
            runtime.engine.apply(A, fact, "hand")
        assert runtime.engine.next_deadline() == runtime.engine.next_deadline(B)
        assert len(runtime.engine._heap) <= 2 * 2 + MIN_HEAP + 1

    def test_a_unit_that_came_late_catches_up_on_its_own_past(self, tmp_path: Path) -> None:
        first = open_bench(tmp_path, small(A), small(B))
        boot(first)
        first.engine.apply(A, FeatureKeyRemoved(), "hand")
        grace = first.engine.next_deadline(A)
        first.close()
        second = open_bench(tmp_path, small(B))
        second.clock.advance(Nanoseconds(5 * HOUR))
        second.engine.apply(B, FeatureKeyRemoved(), "hand")
        second.close()
        third = open_bench(tmp_path, small(A), small(B))
        assert third.journal.last_at() == NOON + 5 * HOUR
        third.clock.advance(Nanoseconds(6 * HOUR))
        third.engine.run_due()
        entry = third.journal.entry(A, 1, third.engine.unit(A).seq)
        assert entry is not None
        assert entry.event.at == grace
        third.close()

    def test_a_fact_waits_for_however_many_of_them(self) -> None:
        names = [UnitName(f"u{number:03}") for number in range(MAX_BATCH + 50)]
        runtime = open_bench(None, *map(small, names))
        subscription = runtime.bus.subscribe("test", max_records=10_000)
        runtime.clock.advance(Nanoseconds(20 * SECOND))
        runtime.engine.apply(names[0], PowerRemoved(), "hand")
        assert [line.type for line in published(subscription)] == ["deadline-reached"] * len(names) + ["power-removed"]
        runtime.close()


class TestDefects:
    def test_a_deadline_that_never_moves_on_is_found(self, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
        unit, seq = runtime.engine.unit(A), runtime.journal.last_seq(A, 1)
        monkeypatch.setattr(engine_module, "next_deadline", lambda unit: unit.at)
        monkeypatch.setattr(engine_module, "step", lambda unit, event: step(unit, Event(event.at, toggle(unit))))
        runtime.engine.install(unit, runtime.bus.latest(A))
        with pytest.raises(RuntimeError, match=f"unit {A} reaches its deadline at .* without end"):
            runtime.engine.run_due()
        assert runtime.engine.unit(A) is unit
        assert runtime.journal.last_seq(A, 1) == seq

    def test_an_error_in_the_middle_of_a_batch_undoes_all_of_it(self, runtime: Runtime) -> None:
        units = [runtime.engine.unit(name) for name in (A, B)]
        deadlines = dict(runtime.engine._deadlines)
        now = runtime.clock.now()
        batch = [Submission(A, FeatureKeyRemoved(), "", now), Submission(B, None, "", now), Submission(B, 1, "", now)]  # type: ignore[arg-type]  # the error
        with pytest.raises(KeyError):
            runtime.engine.run_batch(batch, now)
        assert [runtime.engine.unit(name) for name in (A, B)] == units
        assert runtime.engine._deadlines == deadlines
        assert runtime.engine.apply(A, FeatureKeyRemoved(), "again").seq == units[0].seq + 1

    def test_a_batch_that_is_not_written_did_not_happen(
        self, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unit, subscription = runtime.engine.unit(A), runtime.bus.subscribe("test")
        with monkeypatch.context() as patch:
            patch.setattr(runtime.journal, "append", _fail)
            for fact in (FeatureKeyRemoved(), DateSet(SECOND)):
                with pytest.raises(JournalError):
                    runtime.engine.apply(A, fact, "hand")
        assert runtime.engine.unit(A) is unit
        assert runtime.engine.next_deadline() is None
        assert published(subscription) == []
        assert runtime.engine.apply(A, FeatureKeyRemoved(), "again").seq == unit.seq + 1


def toggle(unit: Unit) -> FeatureKeyRemoved | FeatureKeyInserted:
    return FeatureKeyRemoved() if unit.key.serial else FeatureKeyInserted(SERIAL)


def _fail(*_: object) -> None:
    raise JournalError("no space")


class TestSnapshots:
    def test_one_is_taken_every_so_many_events(self, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(snapshot, "SNAPSHOT_EVERY", 10)
        seqs = set()
        for fact in toggles(40):
            runtime.engine.apply(A, fact, "hand")
            taken = runtime.journal.snapshot(A)
            seqs.add(taken.seq if taken else 0)
        assert [later - sooner for sooner, later in zip(sorted(seqs)[1:], sorted(seqs)[2:], strict=False)] == [10] * 3
        assert runtime.journal.snapshot(B) is None

    def test_one_that_cannot_be_written_stops_nobody(self, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(snapshot, "SNAPSHOT_EVERY", 2)
        monkeypatch.setattr(runtime.journal, "write_snapshot", _fail)
        for fact in toggles(10):
            runtime.engine.apply(A, fact, "hand")
        assert runtime.journal.last_seq(A, 1) == runtime.engine.unit(A).seq

    def test_closing_keeps_the_clock_and_the_state_behind_a_long_history(self, tmp_path: Path) -> None:
        runtime = open_bench(tmp_path, small(A, LICENCES[0]))
        boot(runtime)
        for fact in toggles(150):
            runtime.engine.apply(A, fact, "hand")
        runtime.clock.advance(HOUR)
        unit, now = runtime.engine.unit(A), runtime.clock.now()
        runtime.close()
        again = open_bench(tmp_path, small(A, LICENCES[0]))
        kept, taken = again.journal.clock(), again.journal.snapshot(A)
        assert kept is not None
        assert taken is not None
        # The second runtime has its own clock, and has kept that.
        assert kept.at == NOON < now
        assert taken.seq == unit.seq
        again.close()

    def test_a_disk_that_is_full_at_the_end_is_told_and_the_directory_given_back(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        runtime = open_bench(tmp_path)
        monkeypatch.setattr(runtime.journal, "write_clock", _fail)
        with capture_logs() as logs:
            runtime.close()
        assert [log["event"] for log in logs] == ["journal_not_closed_cleanly"]
        open_bench(tmp_path).close()
