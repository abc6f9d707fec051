from __future__ import annotations

import errno
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, PowerApplied, PowerRemoved
from ipo_sim.core.model import SECOND_NS, Nanoseconds, Unit
from ipo_sim.errors import CommandRejected, JournalError
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.clock import ClockBase, stepped
from ipo_sim.runtime.engine import Submission
from ipo_sim.runtime.journal import Journal, JournalReader
from ipo_sim.runtime.journal_file import JOURNAL_NAME
from ipo_sim.runtime.journal_schema import APPLICATION_ID, SCHEMA_VERSION
from ipo_sim.runtime.lock import LOCK_NAME
from tests.core.bench import NOON, OTHER_SERIAL, SERIAL
from tests.runtime.bench import HOUR, A, B, boot, open_bench, small, toggles


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    runtime = open_bench(tmp_path)
    yield runtime
    runtime.close()


def sql(state_dir: Path, statement: str) -> None:
    connection = sqlite3.connect(state_dir / JOURNAL_NAME)
    connection.execute(statement)
    connection.commit()
    connection.close()


# What another process does, with a path as its argument.
COUNT = "import sqlite3; print(sqlite3.connect(sys.argv[1]).execute('SELECT COUNT(*) FROM events').fetchone()[0])"
TAKE = "from pathlib import Path; from ipo_sim.runtime.lock import StateLock; StateLock(Path(sys.argv[1]))"


def python(program: str, argument: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"import sys; {program}", str(argument)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def written(state_dir: Path) -> None:
    """A journal with some history, closed."""
    runtime = open_bench(state_dir)
    boot(runtime)
    runtime.close()


class TestReading:
    def test_an_event_reads_as_it_was_written(self, runtime: Runtime) -> None:
        runtime.engine.apply(A, FeatureKeyInserted(SERIAL, law="mulaw", counter=3), "reader")
        entry = runtime.journal.entry(A, 1, 2)
        assert entry is not None
        assert (entry.seq, entry.event.at, entry.event.cause) == (2, NOON, "reader")
        assert entry.event.fact == FeatureKeyInserted(SERIAL, law="mulaw", counter=3)
        assert runtime.journal.entry(A, 1, 3) is None

    def test_events_of_a_unit_come_in_order_from_where_one_asks(self, runtime: Runtime) -> None:
        boot(runtime)
        seqs = [entry.seq for entry in runtime.journal.entries(A, 1, after=2)]
        assert seqs == list(range(3, runtime.engine.unit(A).seq + 1))

    def test_another_process_reads_while_the_daemon_writes(self, runtime: Runtime, tmp_path: Path) -> None:
        reader = JournalReader.open(tmp_path)
        assert reader.units() == [A, B]
        before = len(list(reader.entries(A, 1)))
        runtime.engine.apply(A, FeatureKeyInserted(SERIAL), "test")
        assert len(list(reader.entries(A, 1))) == before + 1
        reader.close()
        assert python(COUNT, tmp_path / JOURNAL_NAME).stdout == "3\n"

    def test_a_reader_cannot_write(self, runtime: Runtime, tmp_path: Path) -> None:
        reader = JournalReader.open(tmp_path)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._connection.execute("DELETE FROM events")
        reader.close()

    def test_a_closed_journal_can_be_read(self, tmp_path: Path) -> None:
        written(tmp_path)
        reader = JournalReader.open(tmp_path)
        assert [entry.seq for entry in reader.entries(A, 1)][:2] == [1, 2]
        reader.close()

    def test_without_a_journal_it_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(JournalError, match="holds no journal"):
            JournalReader.open(tmp_path)

    def test_the_last_card_is_the_one_inserted_last(self, runtime: Runtime) -> None:
        assert runtime.journal.last_card(A, 1) is None
        for serial in (SERIAL, OTHER_SERIAL):
            runtime.engine.apply(A, FeatureKeyInserted(serial), "test")
        runtime.engine.apply(A, FeatureKeyRemoved(), "test")
        last = runtime.journal.last_card(A, 1)
        assert last is not None
        assert last.event.fact == FeatureKeyInserted(OTHER_SERIAL)

    def test_the_latest_moment_is_that_of_the_unit_that_is_farthest(self, runtime: Runtime) -> None:
        assert runtime.journal.last_at() == NOON
        runtime.clock.advance(HOUR)
        runtime.engine.run_due()
        runtime.engine.apply(B, PowerRemoved(), "test")
        assert runtime.journal.last_at() == NOON + HOUR


class TestLock:
    def test_a_second_daemon_is_told_whose_directory_it_is(self, runtime: Runtime, tmp_path: Path) -> None:
        with pytest.raises(JournalError, match=f"{tmp_path} is in use by another daemon"):
            Journal.create(tmp_path)

    def test_another_process_is_kept_out_too(self, runtime: Runtime, tmp_path: Path) -> None:
        done = python(TAKE, tmp_path)
        assert "JournalError" in done.stderr
        assert "in use by another daemon" in done.stderr

    def test_a_closed_journal_lets_the_next_one_in(self, tmp_path: Path) -> None:
        written(tmp_path)
        Journal.create(tmp_path).close()
        assert sorted(path.name for path in tmp_path.iterdir()) == [JOURNAL_NAME, LOCK_NAME]

    def test_a_journal_that_does_not_open_keeps_no_lock(self, tmp_path: Path) -> None:
        (tmp_path / JOURNAL_NAME).write_bytes(b"no database" * 100)
        for _ in range(2):
            with pytest.raises(JournalError, match="is damaged"):
                Journal.create(tmp_path)

    def test_a_directory_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(JournalError, match=r"the state directory .*file/state cannot be used"):
            Journal.create(tmp_path / "file" / "state")

    def test_why_nothing_can_be_written_is_asked_of_the_system(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*, dir: Path) -> None:  # noqa: A002 - as tempfile has it
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(dir))

        (tmp_path / LOCK_NAME).mkdir()
        with pytest.raises(JournalError, match="cannot be used: unable to open database file"):
            Journal.create(tmp_path)
        monkeypatch.setattr("tempfile.TemporaryFile", refuse)
        with pytest.raises(JournalError, match="cannot be used: Read-only file system"):
            Journal.create(tmp_path)

    def test_a_lock_that_is_none_is_named(self, tmp_path: Path) -> None:
        (tmp_path / LOCK_NAME).write_bytes(b"no lock" * 100)
        with pytest.raises(JournalError, match="cannot be locked: file is not a database"):
            Journal.create(tmp_path)

    def test_a_new_directory_is_for_its_owner_only(self, tmp_path: Path) -> None:
        Journal.create(tmp_path / "deep" / "state").close()
        assert (tmp_path / "deep" / "state").stat().st_mode & 0o777 == 0o700


class TestFile:
    def test_every_commit_is_in_the_file_before_it_is_told(self, runtime: Runtime, tmp_path: Path) -> None:
        assert runtime.journal._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert runtime.journal._connection.execute("PRAGMA synchronous").fetchone() == (1,)
        assert not runtime.journal._connection.in_transaction

    def test_the_clock_is_kept(self, runtime: Runtime) -> None:
        base = ClockBase(Nanoseconds(NOON + 1), Nanoseconds(NOON + 2), 60.5, paused=True)
        runtime.journal.write_clock(base)
        assert runtime.journal.clock() == base

    def test_a_journal_of_a_newer_version_is_left_alone(self, tmp_path: Path) -> None:
        written(tmp_path)
        sql(tmp_path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        with pytest.raises(JournalError, match=f"has schema {SCHEMA_VERSION + 1}, this version of ipo-sim reads 1 to"):
            Journal.create(tmp_path)

    def test_somebody_elses_database_is_left_alone(self, tmp_path: Path) -> None:
        connection = sqlite3.connect(tmp_path / JOURNAL_NAME)
        connection.execute("CREATE TABLE theirs (a)")
        connection.close()
        with pytest.raises(JournalError, match="is no journal of ipo-sim"):
            Journal.create(tmp_path)

    def test_it_can_be_told_from_other_databases(self, tmp_path: Path) -> None:
        written(tmp_path)
        assert (tmp_path / JOURNAL_NAME).read_bytes()[68:72] == APPLICATION_ID.to_bytes(4, "big")


class TestFullDisk:
    @pytest.fixture
    def full(self, runtime: Runtime) -> Runtime:
        """Units that run, on a disk that has room for nothing but what is left of the last page."""
        boot(runtime)
        connection = runtime.journal._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return runtime

    def test_nothing_acts_that_is_not_written(self, full: Runtime) -> None:
        unit, latest = full.engine.unit(A), dict(full.bus.latest(A))
        with pytest.raises(JournalError, match=r"no space is left for the journal .*journal.sqlite"):
            full.engine.apply(A, PowerRemoved(), "a cause that needs a page of its own" * 200)
        assert full.engine.unit(A) is unit
        assert dict(full.bus.latest(A)) == latest
        assert full.journal.last_seq(A, 1) == unit.seq

    def test_what_still_has_room_is_written(self, full: Runtime) -> None:
        with pytest.raises(JournalError):
            full.engine.apply(A, PowerRemoved(), "long" * 2_000)
        full.engine.apply(A, PowerRemoved(), "short")
        assert full.journal.last_seq(A, 1) == full.engine.unit(A).seq

    def test_it_is_named_when_a_journal_is_opened(self, tmp_path: Path) -> None:
        written(tmp_path)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        # No file may grow beyond this, as if the disk were full: not even the index of the write-ahead log.
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            with pytest.raises(JournalError, match=r"no space is left for the journal .*journal.sqlite"):
                Journal.create(tmp_path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    def test_a_batch_is_written_whole_or_not_at_all(self, full: Runtime) -> None:
        before = full.journal.last_seq(A, 1)
        now = full.clock.now()
        submissions = [Submission(A, fact, "batch", now) for fact in toggles(200)]
        with pytest.raises(JournalError):
            full.engine.run_batch(submissions, now)
        assert full.journal.last_seq(A, 1) == before == full.engine.unit(A).seq


class TestDamage:
    def test_a_file_that_is_no_database_is_named_and_left_where_it_is(self, tmp_path: Path) -> None:
        (tmp_path / JOURNAL_NAME).write_bytes(b"no database" * 100)
        with pytest.raises(JournalError, match=r"journal.sqlite is damaged .*--fresh"):
            open_bench(tmp_path)
        assert (tmp_path / JOURNAL_NAME).read_bytes() == b"no database" * 100

    def test_a_fresh_start_sets_it_aside(self, tmp_path: Path) -> None:
        for number in (1, 2):
            (tmp_path / JOURNAL_NAME).write_bytes(b"no database" * 100)
            open_bench(tmp_path, fresh=True).close()
            assert (tmp_path / f"{JOURNAL_NAME}.damaged-{number}").read_bytes() == b"no database" * 100
        open_bench(tmp_path).close()

    def test_a_fresh_start_needs_no_file(self, tmp_path: Path) -> None:
        open_bench(tmp_path, fresh=True).close()
        assert sorted(path.name for path in tmp_path.iterdir()) == [JOURNAL_NAME, LOCK_NAME]

    @pytest.mark.parametrize("fresh", [True, False])
    def test_what_cannot_be_opened_is_not_called_damaged(self, tmp_path: Path, fresh: bool) -> None:  # noqa: FBT001 - a parameter of the table
        (tmp_path / JOURNAL_NAME).mkdir()
        with pytest.raises(JournalError, match="cannot be used: unable to open database file"):
            open_bench(tmp_path, fresh=fresh)
        assert (tmp_path / JOURNAL_NAME).is_dir()

    def test_a_damaged_page_is_found_when_the_history_is_read(self, tmp_path: Path) -> None:
        written(tmp_path)
        path = tmp_path / JOURNAL_NAME
        content = bytearray(path.read_bytes())
        for page in range(1, len(content) // 4096):
            content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
        path.write_bytes(content)
        with pytest.raises(JournalError, match=r"is damaged .*--fresh"):
            open_bench(tmp_path)
        fresh = open_bench(tmp_path, fresh=True)
        assert fresh.journal.last_seq(A, 1) == 1
        fresh.close()
        assert (tmp_path / f"{JOURNAL_NAME}.damaged-1").read_bytes() == bytes(content)

    @pytest.mark.parametrize(
        ("statement", "message"),
        [
            ("UPDATE events SET type = 'unheard-of' WHERE unit = 'a' AND seq = 2", "unheard-of"),
            ("UPDATE events SET data = '{' WHERE unit = 'a' AND seq = 2", "is damaged"),
            ("UPDATE events SET data = '{\"strange\": 1}' WHERE unit = 'a' AND seq = 2", "is damaged"),
            ("UPDATE units SET definition = '' WHERE name = 'a'", "is damaged"),
            ("DELETE FROM events WHERE unit = 'a' AND seq = 2", "event 3 follows event 1"),
            ("UPDATE events SET at = 0 WHERE unit = 'a' AND seq = 3", "event 3 is not accepted"),
        ],
    )
    def test_a_history_that_makes_no_sense_is_refused(self, tmp_path: Path, statement: str, message: str) -> None:
        written(tmp_path)
        sql(tmp_path, statement)
        with pytest.raises(JournalError, match=message) as refusal:
            open_bench(tmp_path)
        assert "--fresh" in str(refusal.value)

    def test_a_history_that_is_not_accepted_stays_in_the_file_of_a_fresh_start(self, tmp_path: Path) -> None:
        written(tmp_path)
        sql(tmp_path, "DELETE FROM events WHERE unit = 'a' AND seq = 2")
        runtime = open_bench(tmp_path, fresh=True)
        assert [entry.seq for entry in runtime.journal.entries(A, 1)][:2] == [1, 3]
        assert runtime.engine.unit(A).seq == 1
        runtime.close()


class TestTornLog:
    def test_a_log_cut_anywhere_gives_a_whole_prefix_of_the_history(self, tmp_path: Path) -> None:
        runtime = open_bench(tmp_path / "state", small(A))
        boot(runtime)
        states = {runtime.engine.unit(A).seq: runtime.engine.unit(A)}
        for fact in toggles(60):
            runtime.engine.apply(A, fact, "test")
            states[runtime.engine.unit(A).seq] = runtime.engine.unit(A)
        database, log = (copy(tmp_path / "state" / f"{JOURNAL_NAME}{suffix}") for suffix in ("", "-wal"))
        runtime.close()
        seen = {restored_seq(tmp_path / str(cut), database, log[:cut], states) for cut in cuts(len(log))}
        assert len(seen) > 10
        assert max(seen) == max(states)


def copy(path: Path) -> bytes:
    """A file's content, read by another process: closing it here would drop SQLite's locks on it."""
    return subprocess.run(["cat", str(path)], check=True, capture_output=True).stdout


def cuts(length: int) -> list[int]:
    """Some lengths, at the borders of frames and within them, from where units are defined on."""
    frame = 24 + 4096
    borders = range(32 + 40 * frame, length, 3 * frame)
    return sorted({length, *(cut for border in borders for cut in (border, border + 1, border + 2_000))})


def restored_seq(state_dir: Path, database: bytes, log: bytes, states: dict[int, Unit]) -> int:
    state_dir.mkdir()
    (state_dir / JOURNAL_NAME).write_bytes(database)
    (state_dir / f"{JOURNAL_NAME}-wal").write_bytes(log)
    runtime = open_bench(state_dir, small(A), clock=stepped(Nanoseconds(NOON + 20 * SECOND_NS)))
    unit = runtime.engine.unit(A)
    runtime.close()
    if unit.seq in states:
        assert unit == states[unit.seq]
    return unit.seq


def test_a_rejected_event_leaves_no_trace(runtime: Runtime) -> None:
    with pytest.raises(CommandRejected):
        runtime.engine.apply(A, PowerApplied(), "test")
    assert runtime.journal.last_seq(A, 1) == 1
