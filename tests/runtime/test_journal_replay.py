"""Replay, points of a history, comparisons, and exports that tell no secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, LicenceAdded, LicencesImported, PowerRemoved
from ipo_sim.core.model import SECOND_NS, Lifecycle, Nanoseconds, UnitDefinition, UnitName
from ipo_sim.errors import JournalError
from ipo_sim.licensing.key import DEFAULT_SECRET
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.journal import JournalReader
from ipo_sim.runtime.journal_diff import between, compare
from ipo_sim.runtime.journal_export import export_lines, read_export
from ipo_sim.runtime.journal_replay import Difference, Point, Replayer
from ipo_sim.runtime.journal_verify import verify
from ipo_sim.runtime.without_secrets import WithoutSecrets
from tests.core.bench import NOON, OTHER_SERIAL, SERIAL, VOICEMAIL_PRO, key
from tests.core.dect_bench import dect_key, system
from tests.runtime.bench import HOUR, A, B, boot, open_bench, small, toggles
from tests.runtime.histories import Action, histories, play
from tests.runtime.test_journal import sql

CATALOGUE = load_catalogue()
DAY = "2026-01-05T12:00"


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    runtime = open_bench(tmp_path)
    boot(runtime)
    yield runtime
    runtime.close()


def replayer(runtime: Runtime) -> Replayer:
    return Replayer(runtime.journal, CATALOGUE)


class TestReplay:
    @given(histories)
    def test_what_this_version_wrote_comes_to_the_same(self, history: list[tuple[UnitName, Action]]) -> None:
        runtime = open_bench()
        play(runtime.engine, history)
        for name in (A, B):
            replay = replayer(runtime).replay(name)
            assert replay.differences == ()
            assert replay.state.unit == runtime.engine.unit(name)
            assert replay.state.entries == dict(runtime.bus.latest(name))
        runtime.close()

    def test_any_earlier_event_can_be_gone_back_to(self, runtime: Runtime) -> None:
        states = {runtime.engine.unit(A).seq: runtime.engine.unit(A)}
        for fact in toggles(10):
            runtime.engine.apply(A, fact, "hand")
            states[runtime.engine.unit(A).seq] = runtime.engine.unit(A)
        for seq, unit in states.items():
            assert replayer(runtime).replay(A, None, Point(seq=seq)).state.unit == unit

    def test_a_moment_is_after_all_that_happened_then(self, runtime: Runtime) -> None:
        booted = replayer(runtime).replay(A, None, Point(at=Nanoseconds(NOON + 8 * SECOND_NS)))
        assert booted.state.unit.life.state is Lifecycle.RUNNING
        before = replayer(runtime).replay(A, None, Point(at=Nanoseconds(NOON + 8 * SECOND_NS - 1)))
        assert before.state.unit.life.state is Lifecycle.STARTING
        assert replayer(runtime).replay(A, None, Point(at=Nanoseconds(0))).events == 0

    @pytest.mark.parametrize(
        ("unit", "epoch", "point", "message"),
        [
            ("c", None, Point(), "the journal has no unit c; it has a, b"),
            ("a", 7, Point(), "unit a has no epoch 7, only 1"),
            ("a", None, Point(seq=99), "epoch 1 of unit a ends with event 4, there is no 99"),
        ],
    )
    def test_what_is_not_there_is_said(
        self, runtime: Runtime, unit: str, epoch: int | None, point: Point, message: str
    ) -> None:
        with pytest.raises(JournalError, match=message):
            replayer(runtime).replay(UnitName(unit), epoch, point)

    @pytest.mark.parametrize(
        ("statement", "difference"),
        [
            ("DELETE FROM events WHERE unit = 'a' AND seq = 2", Difference(3, "event 3 follows event 1")),
            (
                "UPDATE events SET at = at + 1000000000 WHERE unit = 'a' AND type = 'deadline-reached'",
                Difference(4, f"a deadline was reached then at {DAY}:09.000Z, now there is one at {DAY}:08.000Z"),
            ),
            (
                "UPDATE events SET type = 'power-removed', data = '{}' WHERE unit = 'a' AND seq = 4",
                Difference(4, "a deadline at 2026-01-05T12:00:08.000Z comes before it now, then there was none"),
            ),
            (
                "UPDATE events SET type = 'power-applied', data = '{}' WHERE unit = 'a' AND seq = 3",
                Difference(
                    3,
                    "event 3 is not accepted: power on is not possible while the unit is starting; possible: power off",
                ),
            ),
        ],
    )
    def test_the_first_thing_that_is_otherwise_now_is_named(
        self, tmp_path: Path, statement: str, difference: Difference
    ) -> None:
        with closing(open_bench(tmp_path)) as runtime:
            boot(runtime)
        sql(tmp_path, statement)
        with closing(JournalReader.open(tmp_path)) as reader:
            assert Replayer(reader, CATALOGUE).replay(A).differences[0] == difference

    def test_a_snapshot_that_says_otherwise_is_told_of(self, tmp_path: Path) -> None:
        with closing(open_bench(tmp_path, small())) as runtime:
            boot(runtime)
            for fact in toggles(200):
                runtime.engine.apply(A, fact, "hand")
        with closing(JournalReader.open(tmp_path)) as reader:
            assert reader.snapshot(A) is not None
            assert Replayer(reader, CATALOGUE).replay(A).differences == ()
        sql(tmp_path, "UPDATE snapshots SET data = replace(data, '\"running\"', '\"off\"')")
        with closing(JournalReader.open(tmp_path)) as reader:
            (difference,) = Replayer(reader, CATALOGUE).replay(A).differences
        assert difference == Difference(204, "the snapshot that was written then differs in life, status")


class TestDiff:
    def lived(self, *steps: Callable[[Runtime], object], unit: UnitDefinition | None = None) -> Runtime:
        runtime = open_bench(None, unit or small())
        boot(runtime)
        for step in steps:
            step(runtime)
        return runtime

    def test_equal_histories_are_equal(self) -> None:
        one, other = self.lived(), self.lived()
        assert compare(A, replayer(one), replayer(other)).is_equal
        one.close()
        other.close()

    def test_the_first_event_that_differs_and_the_entities_at_the_end_are_told(self) -> None:
        one = self.lived(lambda r: r.engine.apply(A, FeatureKeyRemoved(), "hand"))
        other = self.lived(lambda r: r.engine.apply(A, PowerRemoved(), "hand"), lambda r: r.clock.advance(HOUR))
        found = compare(A, replayer(one), replayer(other))
        assert found.parting is not None
        assert [entry and entry.event.fact for entry in found.parting] == [FeatureKeyRemoved(), PowerRemoved()]
        assert found.events == (5, 5)
        states = {change["path"]: (change["before"], change["after"]) for change in found.changes}
        assert states["unit"][0]["state"], states["unit"][1]["state"] == ("running", "off")
        one.close()
        other.close()

    def test_only_facts_passes_over_who_and_when(self) -> None:
        one = self.lived(lambda r: r.engine.apply(A, PowerRemoved(), "hand"))
        other = self.lived(lambda r: r.clock.advance(HOUR), lambda r: r.engine.apply(A, PowerRemoved(), "foot"))
        assert compare(A, replayer(one), replayer(other)).parting is not None
        assert compare(A, replayer(one), replayer(other), only_facts=True).parting is None
        one.close()
        other.close()

    def test_one_that_goes_on_longer_differs_from_there(self) -> None:
        one, other = self.lived(), self.lived(lambda r: r.engine.apply(A, FeatureKeyRemoved(), "hand"))
        found = compare(A, replayer(one), replayer(other))
        assert found.parting is not None
        assert found.parting.one is None
        one.close()
        other.close()

    def test_definitions_that_differ_are_told_by_field(self) -> None:
        one, other = self.lived(), self.lived(unit=replace(small(), mac="02:00:00:00:00:09"))
        assert compare(A, replayer(one), replayer(other)).definition == ("mac",)
        one.close()
        other.close()

    def test_two_moments_of_one_history(self) -> None:
        runtime = self.lived(lambda r: r.engine.apply(A, FeatureKeyRemoved(), "hand"))
        span = between(A, replayer(runtime), None, Point(seq=4))
        assert [entry.seq for entry in span.events] == [5]
        assert "feature-key" in [change["path"] for change in span.changes]
        runtime.close()


SECRET = b"of this laboratory only"


class TestExport:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda lines: lines[:-1], "export: the export is cut off, its last line is missing"),
            (lambda lines: lines[1:], "export:1: no line of a journal's export: a journal begins with its header"),
            (lambda lines: [*lines[:2], *lines[3:]], "events are announced"),
            (lambda lines: ["{", *lines], "export:1: no line"),
            (lambda lines: [lines[0], '{"kind": "take"}', *lines[1:]], "export:2: .* kind 'take' is none of journal"),
            (lambda lines: [lines[0], '{"kind": "epoch"}', *lines[1:]], "export:2: .* 'definition' is missing"),
            (lambda lines: [lines[0].replace('"format":1', '"format":9'), *lines[1:]], "format 9 and schema 2; this"),
            (lambda lines: [*lines, "{}"], "export:.*no line of a journal's export"),
        ],
    )
    def test_what_is_no_whole_export_is_refused(
        self, runtime: Runtime, change: Callable[[list[str]], list[str]], message: str
    ) -> None:
        lines = list(export_lines(runtime.journal, "test"))
        with pytest.raises(JournalError, match=message):
            read_export(change(lines), "export")

    def test_rows_that_were_altered_stay_altered(self, tmp_path: Path) -> None:
        with closing(open_bench(tmp_path)) as runtime:
            boot(runtime)
        sql(tmp_path, "UPDATE events SET data = '{ }' WHERE unit = 'a' AND seq = 1")
        with closing(JournalReader.open(tmp_path)) as reader:
            lines = list(export_lines(reader, "test"))
        assert '"data_text":"{ }"' in lines[2]
        with closing(read_export(lines, "export")) as again:
            assert [(finding.unit, finding.seq) for finding in verify(again).findings] == [("a", 1)]

    def secretive(self, state_dir: Path) -> Runtime:
        """A unit with a secret of its own, that has met keys of every sort."""
        licences = (key(secret=SECRET), key(VOICEMAIL_PRO, secret=SECRET))
        unit = replace(small(A, *licences), secret=SECRET, dect=replace(system(), key=dect_key(secret=SECRET)))
        runtime = open_bench(state_dir, unit, small(B))
        boot(runtime)
        strings = [
            key(secret=SECRET, nonce=7),
            key(secret=SECRET, nonce=7, serial=OTHER_SERIAL),
            key(secret=SECRET, nonce=7, serial="5555555555"),
            key(secret=SECRET, nonce=7, serial="6666666666"),
            key(nonce=8),
            "X" * 32,
        ]
        runtime.engine.apply(A, LicencesImported(tuple(strings[:3])), "hand")
        for text in strings[3:]:
            runtime.engine.apply(A, LicenceAdded(text), "hand")
        runtime.engine.apply(A, FeatureKeyInserted(OTHER_SERIAL), "hand")
        runtime.clock.advance(HOUR)
        runtime.engine.run_due()
        return runtime

    def test_without_secrets_it_holds_none_and_replays_to_the_same(self, tmp_path: Path) -> None:
        runtime = self.secretive(tmp_path)
        rewriter = WithoutSecrets(runtime.journal)
        lines = list(export_lines(runtime.journal, "test", rewriter))
        text = "\n".join(lines)
        assert rewriter.secrets == {SECRET}
        assert SECRET.decode() not in text
        assert SECRET.hex() not in text
        assert not [old for old, new in rewriter.keys.items() if old != new and old in text]
        with closing(read_export(lines, "export")) as again:
            assert not verify(again).findings
            comparisons = [compare(name, replayer(runtime), Replayer(again, CATALOGUE)) for name in (A, B)]
        unit, other = comparisons
        assert other.is_equal
        assert unit.definition == ("secret", "licences", "dect")
        fields = {(change["path"].partition("/")[0], field) for change in unit.changes for field in change["after"]}
        assert fields == {("licences", "text"), ("licences", "decoded"), ("dect", "key")}
        runtime.close()

    def test_what_has_no_secret_is_exported_as_it_is(self, runtime: Runtime) -> None:
        plain = list(export_lines(runtime.journal, "test"))
        assert list(export_lines(runtime.journal, "test", WithoutSecrets(runtime.journal))) == plain
        assert json.loads(plain[1])["definition"]["secret"] == DEFAULT_SECRET.hex()
        assert runtime.engine.unit(A).key.serial == SERIAL
