from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from structlog.testing import capture_logs

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import (
    DateSet,
    FaultSet,
    FeatureKeyRemoved,
    LicenceAdded,
    LicenceRemoved,
    PartConfigured,
    PartFitted,
    PartWithdrawn,
    PowerRemoved,
)
from ipo_sim.core.model import Lifecycle, Nanoseconds, UnitDefinition, UnitName
from ipo_sim.core.unit import entities
from ipo_sim.errors import JournalError
from ipo_sim.runtime import restore as restore_module
from ipo_sim.runtime import snapshot
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.journal import Journal
from ipo_sim.runtime.restore import fold, origin
from ipo_sim.runtime.snapshot import State
from tests.core.bench import NOON, VOICEMAIL_PRO, key
from tests.runtime.bench import HOUR, A, B, boot, open_bench, small, toggles
from tests.runtime.histories import Action, histories, play

CATALOGUE = load_catalogue()


def folded(journal: Journal, definition: UnitDefinition) -> State:
    """The state that the journal alone says, without any short cut."""
    epoch = journal.epochs(definition.name)[-1]
    return fold(origin(definition, CATALOGUE, epoch.created), journal.entries(definition.name, epoch.number))


def check_is_folded(runtime: Runtime, definition: UnitDefinition) -> None:
    state = folded(runtime.journal, definition)
    assert runtime.engine.unit(definition.name) == state.unit
    assert dict(runtime.bus.latest(definition.name)) == state.entries
    assert {path: entry.value for path, entry in state.entries.items()} == entities(state.unit)


@given(histories)
def test_what_runs_is_what_the_journal_says(history: list[tuple[UnitName, Action]]) -> None:
    runtime = open_bench()
    play(runtime.engine, history)
    for name in (A, B):
        check_is_folded(runtime, small(name))
    runtime.close()


@given(histories, histories)
def test_a_snapshot_changes_nothing_but_the_time_it_takes(
    tmp_path_factory: pytest.TempPathFactory,
    history: list[tuple[UnitName, Action]],
    rest: list[tuple[UnitName, Action]],
) -> None:
    state_dir = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "SNAPSHOT_EVERY", 3)
        patch.setattr(restore_module, "REPLAY_WITHOUT_SNAPSHOT", 0)
        runtime = open_bench(state_dir)
        play(runtime.engine, history)
        now = runtime.clock.now()
        runtime.close()
        again = open_bench(state_dir)
        again.clock.advance(Nanoseconds(now - NOON))
        play(again.engine, rest)
        for name in (A, B):
            check_is_folded(again, small(name))
        again.close()


class TestRestart:
    def test_the_state_comes_back_and_power_is_not_applied_again(self, tmp_path: Path) -> None:
        runtime = open_bench(tmp_path)
        boot(runtime)
        unit, latest = runtime.engine.unit(A), dict(runtime.bus.latest(A))
        runtime.close()
        with capture_logs() as logs:
            again = open_bench(tmp_path)
        assert again.engine.unit(A) == unit
        assert dict(again.bus.latest(A)) == latest
        assert [(log["event"], log["unit"], log["state"]) for log in logs] == [
            ("unit_restored", A, Lifecycle.RUNNING),
            ("unit_restored", B, Lifecycle.RUNNING),
        ]
        again.close()

    def test_what_commands_changed_is_kept(self, tmp_path: Path) -> None:
        runtime = open_bench(tmp_path, small())
        boot(runtime)
        runtime.engine.apply(A, LicenceAdded(key(VOICEMAIL_PRO)), "hand")
        runtime.engine.apply(A, PartFitted("slots/2", "POT8"), "hand")
        runtime.close()
        again = open_bench(tmp_path, small())
        unit = again.engine.unit(A)
        assert key(VOICEMAIL_PRO) in [licence.text for licence in unit.licences]
        assert [part.fitted and part.fitted.code for part in unit.parts if part.place.path == "slots/2"] == ["POT8"]
        again.close()

    def test_entities_keep_the_event_and_the_moment_of_their_last_change(self, tmp_path: Path) -> None:
        runtime = open_bench(tmp_path, small())
        boot(runtime)
        runtime.clock.advance(HOUR)
        removed = runtime.engine.apply(A, FeatureKeyRemoved(), "hand")
        runtime.close()
        again = open_bench(tmp_path, small())
        latest = again.bus.latest(A)
        assert (latest["feature-key"].seq, latest["feature-key"].at) == (removed.seq, removed.at)
        assert latest["slots/1"].seq < removed.seq
        again.close()

    def test_a_unit_killed_before_its_first_event_is_powered_up(self, tmp_path: Path) -> None:
        journal = Journal.create(tmp_path)
        list(restore_module.restore(journal, CATALOGUE, [small()], NOON))
        journal.close()
        runtime = open_bench(tmp_path, small())
        assert runtime.engine.unit(A).life.state is Lifecycle.STARTING
        assert len(runtime.journal.epochs(A)) == 1
        runtime.close()

    def test_a_deadline_that_passed_meanwhile_fires_at_its_time(self, tmp_path: Path) -> None:
        runtime = open_bench(tmp_path, small())
        boot(runtime)
        runtime.engine.apply(A, FeatureKeyRemoved(), "hand")
        grace = runtime.engine.next_deadline(A)
        runtime.close()
        again = open_bench(tmp_path, small())
        again.clock.advance(Nanoseconds(30 * HOUR))
        again.engine.run_due()
        assert again.engine.unit(A).at == grace
        assert again.engine.unit(A).life.state is Lifecycle.AWAITING_FEATURE_KEY
        again.close()


class TestEpochs:
    @pytest.fixture
    def state_dir(self, tmp_path: Path) -> Path:
        """A unit that commands have changed, stopped."""
        runtime = open_bench(tmp_path, small())
        boot(runtime)
        for fact in (
            LicenceAdded(key(VOICEMAIL_PRO)),
            LicenceAdded("X" * 32),
            LicenceRemoved("X" * 32),
            PartFitted("slots/2", "POT8"),
            PartWithdrawn("expansion/1"),
            FaultSet("slots/1", "overheated"),
            PartConfigured("slots/3", "DS8"),
            DateSet(HOUR),
        ):
            runtime.engine.apply(A, fact, "hand")
        runtime.close()
        return tmp_path

    def start(self, state_dir: Path, definition: UnitDefinition, *, fresh: bool = False) -> list[Mapping[str, Any]]:
        with capture_logs() as logs:
            runtime = open_bench(state_dir, definition, fresh=fresh)
        unit = runtime.engine.unit(A)
        assert unit.seq == 1
        assert unit.definition == definition
        assert [epoch.number for epoch in runtime.journal.epochs(A)] == [1, 2]
        assert len(list(runtime.journal.entries(A, 1))) > 6
        runtime.close()
        return [log for log in logs if log["event"] == "history_begins_anew"]

    def test_a_changed_definition_begins_anew_and_the_log_says_what_that_drops(self, state_dir: Path) -> None:
        (log,) = self.start(state_dir, replace(small(), system_name="Renamed", licences=()))
        assert log["log_level"] == "warning"
        assert log["unit"] == A
        assert log["changed"] == ["system_name", "licences"]
        assert log["dropped"] == [
            f"licence {key(VOICEMAIL_PRO)} was added",
            "POT8 was fitted at slots/2",
            "the part at expansion/1 was withdrawn",
            "a fault was set at slots/1: overheated",
            "DS8 was configured at slots/3",
            "the unit's date was set",
        ]

    def test_a_fresh_start_begins_anew_with_the_same_definition(self, state_dir: Path) -> None:
        (log,) = self.start(state_dir, small(), fresh=True)
        assert (log["reason"], log["changed"]) == ("fresh start", [])

    def test_the_new_history_is_the_one_that_goes_on(self, state_dir: Path) -> None:
        self.start(state_dir, small(), fresh=True)
        runtime = open_bench(state_dir, small())
        assert runtime.engine.unit(A).seq == 1
        runtime.engine.apply(A, PowerRemoved(), "hand")
        assert runtime.journal.last_seq(A, 2) == 2
        runtime.close()

    def test_a_snapshot_of_an_older_history_is_not_taken(
        self, state_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(restore_module, "REPLAY_WITHOUT_SNAPSHOT", 0)
        runtime = open_bench(state_dir, small())
        snapshot.save(runtime.journal, runtime.engine.unit(A), runtime.bus.latest(A))
        runtime.close()
        self.start(state_dir, small(), fresh=True)
        again = open_bench(state_dir, small())
        check_is_folded(again, small())
        again.close()

    def test_unknown_units_of_the_journal_are_left_alone(self, state_dir: Path) -> None:
        open_bench(state_dir, small(B)).close()
        runtime = open_bench(state_dir, small())
        assert runtime.engine.unit(A).seq > 6
        runtime.close()


class TestSnapshots:
    @pytest.fixture
    def state_dir(self, tmp_path: Path) -> Path:
        """A unit with a history and, at its end, a snapshot."""
        runtime = open_bench(tmp_path, small())
        boot(runtime)
        for fact in toggles(150):
            runtime.engine.apply(A, fact, "hand")
        runtime.close()
        return tmp_path

    def replayed(self, state_dir: Path) -> int:
        with capture_logs() as logs:
            runtime = open_bench(state_dir, small())
        check_is_folded(runtime, small())
        runtime.close()
        return int(logs[0]["replayed"])

    def test_one_spares_the_replay(self, state_dir: Path) -> None:
        assert self.replayed(state_dir) == 0

    def test_code_that_changed_replays_all(self, state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(snapshot, "digest", lambda: "another")
        assert self.replayed(state_dir) > 150

    @pytest.mark.parametrize("data", ["{", "{}", '{"unit": {}, "entries": {}}', "[]"])
    def test_one_that_cannot_be_read_is_passed_over(self, state_dir: Path, data: str) -> None:
        journal = Journal.create(state_dir)
        journal._connection.execute("UPDATE snapshots SET data = ?", (data,))
        journal.close()
        assert self.replayed(state_dir) > 150

    def test_the_digest_knows_all_code_and_data_that_make_a_state(self, monkeypatch: pytest.MonkeyPatch) -> None:
        digests = {snapshot.digest()}
        for package in snapshot._PACKAGES:
            monkeypatch.setattr(snapshot, "_PACKAGES", tuple(set(snapshot._PACKAGES) - {package}))
            digests.add(snapshot.digest.__wrapped__())
        assert len(digests) == 4


def test_a_state_directory_that_does_not_come_back_is_not_kept_locked(tmp_path: Path) -> None:
    runtime = open_bench(tmp_path, small())
    runtime.close()
    journal = Journal.create(tmp_path)
    journal._connection.execute("UPDATE events SET type = 'unheard-of'")
    journal.close()
    for _ in range(2):
        with pytest.raises(JournalError, match="unheard-of"):
            open_bench(tmp_path, small())
