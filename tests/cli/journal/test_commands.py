"""`ipo-sim journal`, on what daemons wrote: running, stopped, killed."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ipo_sim.cli.main import main
from ipo_sim.runtime.journal_file import JOURNAL_NAME
from tests.cli.daemons import ipo_sim, started
from tests.runtime.write_journal import JOURNALS

Said = Callable[..., str]
DAY = "2026-01-05"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Runs `ipo-sim journal` and returns what it prints; the exit code must be 0 unless told."""

    def run(*words: object, code: int = 0) -> str:
        assert main(["journal", *map(str, words)]) == code
        printed = capsys.readouterr()
        return printed.out + printed.err

    return run


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A state directory with a history of three units, closed."""
    shutil.copy(JOURNALS / "schema-2.sqlite", tmp_path / JOURNAL_NAME)
    return tmp_path


def altered(state_dir: Path, statement: str) -> Path:
    with closing(sqlite3.connect(state_dir / JOURNAL_NAME)) as connection:
        connection.execute(statement)
        connection.commit()
    return state_dir


class TestShow:
    def test_units_epochs_and_events(self, said: Said, kept: Path) -> None:
        lines = said("show", "--state-dir", kept).splitlines()
        assert lines[0].split() == ["UNIT", "EPOCH", "SINCE", "MODEL", "EVENTS", "LAST", "HASH"]
        assert [line.split()[:2] for line in lines[1:5]] == [["a", "1"], ["b", "1"], ["b", "2"], ["served", "1"]]
        assert lines[5] == "a     1  2026-01-05T12:00:00.000Z  power was applied (start)"
        assert len(lines) == 5 + 46 + 4 + 8

    def shown(self, said: Said, kept: Path, *filters: object) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = json.loads(said("show", "--state-dir", kept, "--json", *filters))["events"]
        return events

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            (["--unit", "b"], [("b", 1), ("b", 2), ("b", 3), ("b", 4)]),
            (["--unit", "b", "--epoch", 1, "--since", 5], [("b", 5), ("b", 6)]),
            (["--unit", "a", "--since", 12, "--until", 13], [("a", 12), ("a", 13)]),
            (["--type", "reader-lost", "--type", "date-set"], [("a", 26), ("served", 7)]),
            (["--cause", "test:fault"], [("a", 5), ("a", 6)]),
            (
                ["--since", "2026-01-05T16:00:00Z", "--until", "2026-01-05T16:30:00Z", "--unit", "a", "--last", 1],
                [("a", 46)],
            ),
            (["--last", 0], []),
        ],
    )
    def test_filters(self, said: Said, kept: Path, filters: list[object], expected: list[tuple[str, int]]) -> None:
        assert [(event["unit"], event["seq"]) for event in self.shown(said, kept, *filters)] == expected

    def test_json_has_all_there_is(self, said: Said, kept: Path) -> None:
        (event,) = self.shown(said, kept, "--type", "dect-licence-removed")
        assert event.keys() == {"unit", "epoch", "seq", "at", "type", "text", "data", "cause"}

    def test_rows_that_nobody_wrote_are_shown_too(self, said: Said, kept: Path) -> None:
        altered(kept, "UPDATE events SET type = 'invented', at = 'soon' WHERE unit = 'b' AND epoch = 2 AND seq = 2")
        shown = said("show", "--state-dir", kept, "--unit", "b")
        assert "b     2  soon  no event of this version, invented" in shown

    def test_what_is_not_there_is_said(self, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["journal", "show", "--state-dir", str(kept), "--unit", "c"]) == 1
        assert capsys.readouterr().err == "ipo-sim: the journal has no unit c; it has a, b, served\n"
        with pytest.raises(SystemExit) as wrong:
            main(["journal", "show", "--since", "yesterday"])
        assert wrong.value.code == 2
        assert "yesterday is neither the number of an event nor a moment" in capsys.readouterr().err


class TestReplayAndVerify:
    def test_a_history_comes_to_the_same(self, said: Said, kept: Path) -> None:
        lines = said("replay", "--state-dir", kept).splitlines()
        assert len(lines) == 3
        assert all("comes to the same" in line for line in lines)
        (replay,) = json.loads(said("replay", "--state-dir", kept, "--unit", "a", "--until", 20, "--json"))
        assert (replay["events"], replay["same"], replay["state"]) == (20, True, "starting")

    def test_one_that_does_not_is_an_exit_code(self, said: Said, kept: Path) -> None:
        altered(kept, "UPDATE events SET type = 'power-applied', data = '{}' WHERE unit = 'a' AND seq = 3")
        told = said("replay", "--state-dir", kept, code=1)
        assert "a, epoch 1: 2 events, comes to something else" in told
        assert "  event 3: event 3 is not accepted" in told

    def test_verify_names_the_row(self, said: Said, kept: Path) -> None:
        assert "64 events of 4 epochs, whole" in said("verify", "--state-dir", kept)
        altered(kept, "UPDATE events SET cause = 'nobody' WHERE unit = 'a' AND seq = 7")
        told = said("verify", "--state-dir", kept, code=1)
        assert "unit a, epoch 1, event 7, row 15: the row was altered, or the one before it" in told
        assert "64 events of 4 epochs, 1 finding" in told
        found = json.loads(said("verify", "--state-dir", kept, "--json", code=1))
        assert (found["whole"], found["findings"][0]["seq"]) == (False, 7)

    def test_a_file_without_hashes_says_so(self, said: Said, tmp_path: Path) -> None:
        told = said("verify", "--file", shutil.copy(JOURNALS / "schema-1.sqlite", tmp_path / "copied"))
        assert "the file has schema 1, without hashes" in told


class TestAt:
    def test_the_state_after_an_event_is_shown_as_ctl_shows_it(self, said: Said, kept: Path) -> None:
        lines = said("at", "a", 20, "--state-dir", kept).splitlines()
        assert lines[0] == "a after event 20 of epoch 1, 2026-01-05T13:01:40.000Z"
        assert lines[1].split()[:2] == ["unit", "starting"]
        assert not [line for line in lines if line.startswith("  leds/")]
        assert [line for line in said("at", "a", 20, "--state-dir", kept, "--all").splitlines() if "leds/" in line]

    def test_json_is_what_the_broker_retained_then(self, said: Said, kept: Path) -> None:
        then = json.loads(said("at", "a", "2026-01-05T12:00:08Z", "--state-dir", kept, "--json"))
        assert (then["seq"], then["entities"]["unit"]["state"]) == (4, "running")
        assert then["entities"]["feature-key"]["serial"] == "1234567890"


class TestWhy:
    def test_causes_of_a_state_that_is_gone(self, said: Said, kept: Path) -> None:
        told = said("why", "a", "slots/1", "--at", 20, "--state-dir", kept).splitlines()
        assert told[0] == "slots/1 is not in order since event 20, 2026-01-05T13:01:40.000Z:"
        assert told[1] == "  1. the unit was starting"
        assert told[2].startswith("  2. a restart was asked for (event 20, 2026-01-05T13:01:40.000Z")

    def test_at_the_end_without_a_point(self, said: Said, kept: Path) -> None:
        answer = json.loads(said("why", "a", "feature-key", "--state-dir", kept, "--json"))
        assert (answer["in_order"], answer["chain"][-1]["text"]) == (False, "the feature key was removed")

    def test_what_is_not_there(self, said: Said, kept: Path) -> None:
        told = said("why", "a", "slots/9", "--state-dir", kept, code=1)
        assert "the unit has no slots/9; did you mean slots/4?" in told


class TestExportAndDiff:
    def test_an_export_can_be_read_by_everything(self, said: Said, kept: Path, tmp_path: Path) -> None:
        export = tmp_path / "export.jsonl"
        assert said("export", export, "--state-dir", kept) == f"{export}: 64 events\n"
        for command in (["show"], ["replay"], ["verify"], ["at", "a", "20"]):
            here, there = said(*command, "--state-dir", kept), said(*command, "--file", export)
            assert here.replace(str(kept / JOURNAL_NAME), "") == there.replace(str(export), "")
        assert "a: equal, 46 events" in said("diff", export, "--state-dir", kept)

    def test_it_goes_through_a_pipe(self, kept: Path) -> None:
        export = ipo_sim("journal", "export", "--state-dir", kept, home=kept)
        replay = ipo_sim("journal", "replay", "--file", "-", home=kept, input=export.stdout)
        assert replay.returncode == 0, replay.stderr
        assert replay.stdout.count("comes to the same") == 3

    def test_where_two_histories_part(self, said: Said, kept: Path, tmp_path: Path) -> None:
        other = tmp_path / "other"
        other.mkdir()
        shutil.copy(kept / JOURNAL_NAME, other)
        altered(other, "DELETE FROM events WHERE unit = 'b' AND epoch = 2 AND seq = 4")
        told = said("diff", other, "--state-dir", kept, code=1)
        assert "b: different, 4 events here, 3 there" in told
        assert "first event that differs, here : 4  2026-01-05T17:02:08.000Z  a deadline" in told
        assert "first event that differs, there: none" in told
        assert "served: equal" in told
        found = json.loads(said("diff", other, "--state-dir", kept, "--unit", "b", "--json", code=1))
        assert found["units"][0]["first"]["there"] is None
        assert "unit" in [change["path"] for change in found["units"][0]["changes"]]

    def test_two_points_of_one_history(self, said: Said, kept: Path) -> None:
        told = said("diff", "--state-dir", kept, "--unit", "a", "--between", 20, 21, code=1)
        assert told.splitlines()[0] == "a, epoch 1: 1 event"
        assert "BEFORE" in told
        assert said("diff", "--state-dir", kept, "--unit", "a", "--between", 20, 20) == (
            "a, epoch 1: 0 events\nno entity differs\n"
        )

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ([], "wants either another journal, or --between"),
            (["--between", "1", "2"], "--between looks at one unit"),
            (["nowhere"], "the state directory nowhere holds no journal"),
            (["nowhere", "--epoch", "1"], "two journals are compared in their present epochs"),
        ],
    )
    def test_what_cannot_be_compared(
        self, kept: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["journal", "diff", "--state-dir", str(kept), *words]) in (1, 2)
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"\x00\xff\xfe", b"PK\x03\x04 is no archive", b"a line\n"])
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "something"
    path.write_bytes(content)
    assert main(["journal", "show", "--file", str(path)]) == 1
    assert str(path) in capsys.readouterr().err


@pytest.mark.slow
class TestDaemons:
    def test_the_journal_of_a_running_daemon(self, bench: Path, said: Said) -> None:
        assert "whole" in said("verify", "--state-dir", bench)
        assert "comes to the same" in said("replay", "--state-dir", bench)
        assert "bench-1" in said("show", "--state-dir", bench, "--last", 3)
        assert "unit" in said("at", "bench-1", 1, "--state-dir", bench)

    def test_a_daemon_that_was_killed_left_a_whole_journal(self, tmp_path: Path, said: Said) -> None:
        state_dir = tmp_path / "state"
        with started(state_dir) as daemon:
            done = ipo_sim("ctl", "bench-1", "remove-card", "--state-dir", state_dir, home=tmp_path)
            assert done.returncode == 0, done.stderr
            daemon.process.send_signal(signal.SIGKILL)
            daemon.process.wait()
        assert "whole" in said("verify", "--state-dir", state_dir)
        assert "feature-key-removed" in said("show", "--state-dir", state_dir, "--last", 1, "--json")
        assert "comes to the same" in said("replay", "--state-dir", state_dir)


class TestRewind:
    def test_a_stopped_daemon_starts_from_the_earlier_moment(self, said: Said, kept: Path) -> None:
        told = said("rewind", 20, "--unit", "a", "--state-dir", kept, code=1)
        assert told == "ipo-sim: the present history of unit b begins only at 2026-01-05T17:02:00.000Z\n"
        told = said("rewind", 3, "--unit", "b", "--state-dir", kept)
        assert told.splitlines() == [
            "a: back at event 46, 2026-01-05T17:02:00.000Z; 0 events left behind in epoch 1",
            "b: back at event 3, 2026-01-05T17:02:00.000Z; 1 event left behind in epoch 2",
            "served: back at event 8, 2026-01-05T17:02:00.000Z; 0 events left behind in epoch 1",
        ]
        assert "rewound to event 3 of epoch 2" in said("show", "--state-dir", kept, "--last", 0)
        assert "whole" in said("verify", "--state-dir", kept)
        assert "b, epoch 3: 3 events, comes to the same: starting" in said("replay", "--state-dir", kept)
        assert "b, epoch 2: 4 events, comes to the same: running" in said("replay", "--state-dir", kept, "--epoch", 2)

    def test_a_moment_and_json(self, said: Said, kept: Path) -> None:
        told = json.loads(said("rewind", f"{DAY}T17:02:01Z", "--state-dir", kept, "--json"))
        assert told["units"]["b"] == {"seq": 3, "epoch": 3, "left_behind": 1}
        assert told["at"] == f"{DAY}T17:02:01.000Z"

    def test_an_event_is_of_one_unit(self, said: Said, kept: Path) -> None:
        assert "name it with --unit; the journal has a, b, served" in said("rewind", 3, "--state-dir", kept, code=2)

    def test_there_must_be_a_journal(self, said: Said, tmp_path: Path) -> None:
        assert "holds no journal" in said("rewind", 3, "--state-dir", tmp_path, code=1)
        assert list(tmp_path.glob("*.sqlite")) == []

    @pytest.mark.slow
    def test_while_a_daemon_runs_it_is_a_command(self, bench: Path, said: Said) -> None:
        assert "in use by another daemon" in said("rewind", 1, "--state-dir", bench, code=1)
        self.ctl(bench, "advance", "60")
        self.ctl(bench, "set-fault", "slots/1")
        assert "not in order" in self.ctl(bench, "why", "slots/1")
        answer = json.loads(self.ctl(bench, "rewind", "10", "--json"))
        assert answer["left_behind"] == 1
        retained = json.loads(self.ctl(bench, "status", "--json"))["entities"]
        then = json.loads(said("at", "bench-1", answer["seq"], "--state-dir", bench, "--json"))["entities"]
        assert retained.keys() == then.keys()
        for path, entity in then.items():
            # Only a daemon counts what its reader does.
            known = {name: value for name, value in entity.items() if name != "counters"}
            assert {name: value for name, value in retained[path].items() if name != "counters"} == known

    def ctl(self, bench: Path, *words: str) -> str:
        done = ipo_sim("ctl", "bench-1", *words, "--state-dir", bench, home=bench.parent)
        assert done.returncode == 0, done.stderr
        return done.stdout
