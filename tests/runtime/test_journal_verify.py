"""Whatever is done to a row by accident or by hand is found, and the row is named."""

# ruff: noqa: S608 - statements against files of the test's own

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.core.events import FeatureKeyRemoved
from ipo_sim.runtime.chain import event_hash
from ipo_sim.runtime.journal import JournalReader
from ipo_sim.runtime.journal_file import JOURNAL_NAME
from ipo_sim.runtime.journal_verify import Finding, Verdict, verify
from tests.runtime.bench import A, B, boot, open_bench, small, toggles
from tests.runtime.test_kill import run_and_kill


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed journal: two epochs of `a`, one of `b`."""
    state_dir = tmp_path_factory.mktemp("written")
    runtime = open_bench(state_dir)
    boot(runtime)
    runtime.close()
    runtime = open_bench(state_dir, small(A, ""), small(B))
    boot(runtime, A)
    for fact in toggles(3):
        runtime.engine.apply(B, fact, "hand")
    runtime.close()
    return state_dir / JOURNAL_NAME


def verdict(state_dir: Path) -> Verdict:
    with closing(JournalReader.open(state_dir)) as reader:
        return verify(reader)


@contextmanager
def tampered(journal: Path, folder: Path) -> Iterator[sqlite3.Connection]:
    """A copy of the journal in `folder`, open for whoever would change it."""
    shutil.copy(journal, folder / JOURNAL_NAME)
    with closing(sqlite3.connect(folder / JOURNAL_NAME)) as connection:
        yield connection
        connection.commit()


def after(journal: Path, folder: Path, *statements: str) -> tuple[Finding, ...]:
    """What is found once the statements were carried out."""
    with tampered(journal, folder) as connection:
        for statement in statements:
            connection.execute(statement)
    return verdict(folder).findings


class TestWhole:
    def test_what_a_daemon_wrote_is_whole(self, written: Path) -> None:
        found = verdict(written.parent)
        assert (found.chained, found.findings) == (True, ())
        assert [(head.unit, head.epoch) for head in found.heads] == [(A, 1), (A, 2), (B, 1)]
        assert found.events == sum(head.seq for head in found.heads)

    def test_beside_a_running_daemon(self, tmp_path: Path) -> None:
        runtime = open_bench(tmp_path)
        boot(runtime)
        found = verdict(tmp_path)
        assert not found.findings
        assert {head.unit: head.hash for head in found.heads}[A] == runtime.journal.history_hash(A)
        runtime.engine.apply(A, FeatureKeyRemoved(), "hand")
        assert verdict(tmp_path).events == found.events + 1
        runtime.close()

    @pytest.mark.slow
    @pytest.mark.timeout(120)
    @pytest.mark.parametrize("seed", range(4))
    def test_after_a_kill(self, tmp_path: Path, seed: int) -> None:
        acknowledged = run_and_kill(tmp_path, 1_000 + seed)
        found = verdict(tmp_path)
        assert not found.findings
        assert found.events >= len([line for line in acknowledged if line[2] != "advance" and line[1]])

    def test_a_journal_that_goes_on_after_a_full_disk_is_whole(self, tmp_path: Path) -> None:
        runtime = open_bench(tmp_path)
        boot(runtime)
        connection = runtime.journal._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(Exception, match="no space is left"):
            runtime.engine.apply(A, FeatureKeyRemoved(), "a cause that needs a page of its own" * 200)
        connection.execute("PRAGMA max_page_count = 1000000")
        runtime.engine.apply(A, FeatureKeyRemoved(), "hand")
        runtime.close()
        assert not verdict(tmp_path).findings

    def test_equal_histories_have_equal_hashes_and_others_have_not(self) -> None:
        hashes = []
        for cause in ("hand", "hand", "foot"):
            runtime = open_bench()
            boot(runtime)
            runtime.engine.apply(A, FeatureKeyRemoved(), cause)
            hashes.append((runtime.journal.history_hash(A), runtime.journal.history_hash(B)))
            runtime.close()
        assert hashes[0] == hashes[1]
        assert hashes[0][0] != hashes[2][0]
        assert hashes[0][1] == hashes[2][1]


# Each column, and an expression for another value of it.
_OTHER = {
    "unit": "unit || 'x'",
    "epoch": "epoch + 5",
    "seq": "seq + 1000",
    "at": "at + 1",
    "type": "type || 'x'",
    "data": "data || ' '",
    "cause": "cause || 'x'",
    "hash": "x'00112233445566778899aabbccddeeff'",
    "id": "id + 1000",
}
_OTHER_OF_EPOCH = {
    "name": "name || 'x'",
    "epoch": "epoch + 5",
    "definition": "definition || ' '",
    "created": "created - 1",
    "rewound": "rewound || 'x'",
    "hash": "x'00112233445566778899aabbccddeeff'",
}


def rows(journal: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


class TestTampering:
    @given(st.data())
    def test_an_altered_event_is_found_and_named(
        self, tmp_path_factory: pytest.TempPathFactory, written: Path, data: st.DataObject
    ) -> None:
        row, unit, seq = data.draw(st.sampled_from(rows(written, "SELECT id, unit, seq FROM events")))
        column = data.draw(st.sampled_from(sorted(_OTHER)))
        statement = f"UPDATE events SET {column} = {_OTHER[column]} WHERE id = {row}"
        found = after(written, tmp_path_factory.mktemp("copy"), statement)
        assert any(
            finding.row in (row, row + 1000) or (finding.unit, finding.seq) == (unit, seq + 1) for finding in found
        )

    @given(st.data())
    def test_a_missing_event_is_found_and_named(
        self, tmp_path_factory: pytest.TempPathFactory, written: Path, data: st.DataObject
    ) -> None:
        row, unit, seq = data.draw(st.sampled_from(rows(written, "SELECT id, unit, seq FROM events")))
        found = after(written, tmp_path_factory.mktemp("copy"), f"DELETE FROM events WHERE id = {row}")
        told = [f"event {seq} is missing before event {seq + 1}", f"row {row} is missing: what was last"]
        assert any(finding.problem.startswith(tuple(told)) for finding in found)
        assert unit in {finding.unit for finding in found} or found[-1].row == row

    @given(st.data())
    def test_two_rows_that_changed_places_are_found(
        self, tmp_path_factory: pytest.TempPathFactory, written: Path, data: st.DataObject
    ) -> None:
        places = data.draw(st.sampled_from(["id", "unit, epoch, seq"]))
        one, other = data.draw(
            st.lists(st.sampled_from(rows(written, "SELECT id FROM events")), min_size=2, max_size=2, unique=True)
        )
        with tampered(written, tmp_path_factory.mktemp("copy")) as connection:
            _swap(connection, places, one[0], other[0])
            folder = Path(connection.execute("PRAGMA database_list").fetchone()[2]).parent
        found = verdict(folder).findings
        assert {one[0], other[0]} & {finding.row for finding in found}

    @given(st.data())
    def test_an_altered_epoch_is_found(
        self, tmp_path_factory: pytest.TempPathFactory, written: Path, data: st.DataObject
    ) -> None:
        name, epoch = data.draw(st.sampled_from(rows(written, "SELECT name, epoch FROM units")))
        column = data.draw(st.sampled_from(sorted(_OTHER_OF_EPOCH)))
        statement = f"UPDATE units SET {column} = {_OTHER_OF_EPOCH[column]} WHERE name = '{name}' AND epoch = {epoch}"
        found = after(written, tmp_path_factory.mktemp("copy"), statement)
        assert any(finding.unit.startswith(name) and finding.epoch in (epoch, epoch + 5) for finding in found)

    def test_the_last_rows_of_the_file_are_missed_too(self, written: Path, tmp_path: Path) -> None:
        (last,) = rows(written, "SELECT MAX(id) FROM events")[0]
        (found,) = after(written, tmp_path, f"DELETE FROM events WHERE id > {last - 2}")
        assert (found.row, found.problem.partition(":")[0]) == (last - 1, f"rows {last - 1} to {last} are missing")

    def test_events_without_their_epoch_are_found(self, written: Path, tmp_path: Path) -> None:
        found = after(written, tmp_path, "DELETE FROM units WHERE name = 'a' AND epoch = 1")
        assert [finding.problem for finding in found][:1] == ["epoch 1 is missing before epoch 2"]
        assert found[-1].problem.startswith("the row of the epoch is missing; it has")

    def test_a_value_of_another_type_is_no_end_of_the_looking(self, written: Path, tmp_path: Path) -> None:
        changes = ["seq = 'x' WHERE id = 5", "hash = 7 WHERE id = 9"]
        found = after(written, tmp_path, *(f"UPDATE events SET {change}" for change in changes))
        assert {5, 9} <= {finding.row for finding in found}

    def test_who_makes_one_hash_anew_is_told_of_by_the_next_row(self, written: Path, tmp_path: Path) -> None:
        columns = "id, seq, at, type, cause, data"
        before, row = rows(written, f"SELECT hash, {columns} FROM events WHERE unit = 'b' ORDER BY seq")[1:3]
        number, *values = row[1:]
        values[3] = "nobody"
        forged = event_hash(before[0], number, *values).hex()
        found = after(written, tmp_path, f"UPDATE events SET cause = 'nobody', hash = x'{forged}' WHERE id = {number}")
        assert [(finding.unit, finding.seq) for finding in found] == [("b", values[0] + 1)]


def _swap(connection: sqlite3.Connection, columns: str, one: int, other: int) -> None:
    """Let two rows change their places."""
    get = f"SELECT {columns} FROM events WHERE id = ?"
    first, second = (connection.execute(get, (row,)).fetchone() for row in (one, other))
    put = f"UPDATE events SET {', '.join(f'{name.strip()} = ?' for name in columns.split(','))} WHERE id = ?"
    away = tuple(-value if isinstance(value, int) else value for value in first)
    connection.execute(put, (*away, one))
    connection.execute(put, (*first, other))
    connection.execute(put, (*second, away[0] if columns == "id" else one))
