"""Files that older versions wrote, kept beside this test: read, replayed, and gone on with."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import FACTS, FeatureKeyInserted
from ipo_sim.core.model import Lifecycle, UnitName
from ipo_sim.runtime import journal_schema
from ipo_sim.runtime.clock import stepped
from ipo_sim.runtime.journal import Journal, JournalReader
from ipo_sim.runtime.journal_export import export_lines, read_export
from ipo_sim.runtime.journal_file import JOURNAL_NAME
from ipo_sim.runtime.journal_replay import Replayer
from ipo_sim.runtime.journal_schema import SCHEMA_VERSION
from ipo_sim.runtime.journal_verify import verify
from tests.core.bench import SERIAL
from tests.runtime.bench import A, B, open_bench
from tests.runtime.write_journal import JOURNALS, SERVED, present_definitions, write

FILES = sorted(JOURNALS.glob("schema-*.sqlite"))
CATALOGUE = load_catalogue()

# How each epoch stood when the files were written: its events, the unit's state and edition.
ENDS = {
    (A, 1): (46, Lifecycle.AWAITING_FEATURE_KEY, "standard"),
    (B, 1): (6, Lifecycle.AWAITING_FEATURE_KEY, "standard"),
    (B, 2): (4, Lifecycle.RUNNING, "professional"),
    (SERVED, 1): (8, Lifecycle.RUNNING, "none"),
}


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A state directory with one of the kept files."""
    path: Path = request.param
    shutil.copy(path, tmp_path / JOURNAL_NAME)
    return tmp_path


def version_of(state_dir: Path) -> int:
    with closing(sqlite3.connect(state_dir / JOURNAL_NAME)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        return int(version)


def ends(reader: JournalReader) -> dict[tuple[UnitName, int], tuple[int, Lifecycle, str]]:
    replayer = Replayer(reader, CATALOGUE)
    found = {}
    for unit in reader.units():
        for epoch in reader.epochs(unit):
            replay = replayer.replay(unit, epoch.number)
            assert not replay.differences
            status = replay.state.unit.status
            found[unit, epoch.number] = (replay.events, status.state, status.edition)
    return found


def test_there_is_a_file_of_every_schema() -> None:
    assert [path.stem for path in FILES] == [f"schema-{version}" for version in range(1, SCHEMA_VERSION + 1)]


def test_they_hold_every_type_of_event_that_there_was_then(kept: Path) -> None:
    with closing(JournalReader.open(kept)) as reader:
        types = {kind for (kind,) in reader.select("SELECT DISTINCT type FROM events")}
    assert len(types) == 37
    assert types <= set(FACTS)


def test_they_are_read_and_replayed_as_they_are(kept: Path) -> None:
    before = (kept / JOURNAL_NAME).read_bytes()
    with closing(JournalReader.open(kept)) as reader:
        assert ends(reader) == ENDS
        assert not verify(reader).findings
    assert (kept / JOURNAL_NAME).read_bytes() == before


def test_they_are_exported_and_read_back(kept: Path) -> None:
    with closing(JournalReader.open(kept)) as reader:
        lines = list(export_lines(reader, "test"))
        chained = verify(reader).chained
    with closing(read_export(lines, "export")) as again:
        assert ends(again) == ENDS
        assert verify(again).chained is chained
        assert list(export_lines(again, "test")) == lines


def test_a_daemon_goes_on_with_them(kept: Path) -> None:
    with closing(JournalReader.open(kept)) as reader:
        now, seq = reader.last_at(), reader.last_seq(A, 1)
        older = verify(reader).chained is False
    with capture_logs() as logs:
        runtime = open_bench(kept, *present_definitions(), clock=stepped(now))
    assert [log["event"] for log in logs if log["log_level"] != "info"] == []
    assert ("journal_migrated" in [log["event"] for log in logs]) is older
    assert runtime.engine.unit(A).seq == seq
    runtime.engine.apply(A, FeatureKeyInserted(SERIAL), "hand")
    runtime.close()
    assert version_of(kept) == SCHEMA_VERSION
    with closing(JournalReader.open(kept)) as reader:
        verdict = verify(reader)
        assert (verdict.chained, verdict.findings) == (True, ())
        assert reader.last_seq(A, 1) == seq + 1
        assert [entry.event.fact for entry in reader.entries(A, 1, after=seq)] == [FeatureKeyInserted(SERIAL)]


def test_a_migration_that_is_interrupted_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(JOURNALS / "schema-1.sqlite", tmp_path / JOURNAL_NAME)

    def interrupt(*_: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(journal_schema, "event_hash", interrupt)
        with pytest.raises(KeyboardInterrupt):
            Journal.create(tmp_path)
    assert version_of(tmp_path) == 1
    with closing(JournalReader.open(tmp_path)) as reader:
        assert ends(reader) == ENDS
    Journal.create(tmp_path).close()
    assert version_of(tmp_path) == SCHEMA_VERSION


def test_a_migration_of_many_rows_goes_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(JOURNALS / "schema-1.sqlite", tmp_path / JOURNAL_NAME)
    monkeypatch.setattr(journal_schema, "_PAGE", 3)
    Journal.create(tmp_path).close()
    with closing(JournalReader.open(tmp_path)) as reader:
        assert (verify(reader).chained, verify(reader).findings) == (True, ())


def test_what_is_written_today_is_what_the_file_of_this_schema_holds(tmp_path: Path) -> None:
    """The file of a schema is made anew by write_journal; it must not be one that nobody can make."""
    write(tmp_path / "new")
    (tmp_path / "kept").mkdir()
    shutil.copy(JOURNALS / f"schema-{SCHEMA_VERSION}.sqlite", tmp_path / "kept" / JOURNAL_NAME)
    heads = []
    for state_dir in ("new", "kept"):
        with closing(JournalReader.open(tmp_path / state_dir)) as reader:
            heads.append([(head.unit, head.epoch, head.seq) for head in verify(reader).heads])
    assert heads[0] == heads[1]
