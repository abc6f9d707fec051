"""A session on a reader is recorded and played from a cassette: the same journal, byte for byte."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.config.cassettes import Cassettes, load_settings
from ipo_sim.cli.daemon.feature_key_readers import FeatureKeyReaders
from ipo_sim.cli.main import main
from ipo_sim.config.settings import Settings
from ipo_sim.core.model import SECOND_NS, Lifecycle, Nanoseconds, UnitName
from ipo_sim.errors import ReaderError
from ipo_sim.readers.recording import load_recording
from ipo_sim.runtime.assembly import Runtime, open_runtime
from ipo_sim.runtime.clock import Clock, ClockBase, stepped
from ipo_sim.runtime.commands import execute
from ipo_sim.runtime.journal_file import JOURNAL_NAME
from tests.card.emulated_cards import FkcCard
from tests.cli.daemons import ipo_sim, started
from tests.core.bench import NOON
from tests.readers.board import NO_ANSWER, Chip
from tests.readers.pn532_bench import ChipTerminal
from tests.readers.pn532_chip import ChipCard
from tests.readers.pty_link import PtyLink
from tests.runtime.test_pump import until

BENCH = UnitName("bench-1")
# The boot in some milliseconds, and the heartbeat of a board far from its limit.
SCALE = 500.0
# A day: every grace is over by then.
A_DAY = Nanoseconds(86_400 * SECOND_NS)


def configured(folder: Path, feature_key: str, name: str = "bench.yaml") -> tuple[Settings, Cassettes]:
    path = folder / name
    path.write_text(f"units: [{{name: bench-1, model: ip500, feature_key: {feature_key}, expansion: {{1: DS30V2}}}}]")
    return load_settings(path)


@contextlib.asynccontextmanager
async def daemon(
    state_dir: Path, settings: Settings, clock: Clock, cassettes: Cassettes | None = None, record_to: Path | None = None
) -> AsyncIterator[Runtime]:
    """All of a daemon but its links to brokers."""
    runtime = open_runtime(state_dir, settings.units, load_catalogue(), clock=clock)
    with closing(runtime), closing(FeatureKeyReaders(settings.readers, runtime, cassettes or {}, record_to)) as readers:
        tasks = [asyncio.create_task(service.run(), name=service.name) for service in (runtime.pump, readers)]
        try:
            yield runtime
        finally:
            for task in reversed(tasks):
                task.cancel()
                await asyncio.wait([task])


def real_time() -> Clock:
    return Clock(ClockBase(NOON, NOON, scale=SCALE))


async def play(state_dir: Path, settings: Settings, cassettes: Cassettes, length: int) -> None:
    """As fast as it goes, up to that time since the start of the recording."""
    async with daemon(state_dir, settings, stepped(Nanoseconds(cassettes[BENCH].header.started)), cassettes) as runtime:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await runtime.pump.advance(Nanoseconds(length))


def journal_bytes(state_dir: Path, before: int) -> bytes:
    """Every byte of the events up to a moment; later deadlines fire as late as a daemon happens to run."""
    with closing(sqlite3.connect(state_dir / JOURNAL_NAME)) as connection:
        columns = "unit, epoch, seq, at, type, data, cause"
        query = f"SELECT {columns} FROM events WHERE at <= ? ORDER BY rowid"  # noqa: S608 - nothing foreign in it
        return repr(connection.execute(query, (before,)).fetchall()).encode()


def definition_bytes(state_dir: Path) -> bytes:
    with closing(sqlite3.connect(state_dir / JOURNAL_NAME)) as connection:
        return repr(connection.execute("SELECT * FROM units ORDER BY name, epoch").fetchall()).encode()


async def check_replay(folder: Path, feature_key: str, recording: Path, recorded_state: Path) -> bytes:
    """Play a recording; the journal that both have."""
    settings, cassettes = configured(folder, feature_key, "replay.yaml")
    played = load_recording(recording)
    assert cassettes[BENCH] == played
    await play(folder / "replayed", settings, cassettes, played.length)
    last = played.header.started + played.facts[-1].at
    journals = [journal_bytes(state, last) for state in (recorded_state, folder / "replayed")]
    assert hashlib.sha256(journals[0]).hexdigest() == hashlib.sha256(journals[1]).hexdigest()
    return journals[1]


def state_is(runtime: Runtime, presence: str) -> Callable[[], bool]:
    return lambda: runtime.engine.unit(BENCH).key.presence == presence


async def test_a_serial_session_with_all_that_can_happen_to_a_reader(tmp_path: Path) -> None:
    link, tape = PtyLink(tmp_path / "fkc0"), tmp_path / "tapes" / "bench-1.jsonl"
    settings, _ = configured(tmp_path, f"{{reader: serial, port: {link.path}, record: tapes/bench-1.jsonl}}")
    link.board.chip = Chip()
    link.plug()
    async with daemon(tmp_path / "recorded", settings, real_time()) as runtime:
        await until(runtime, state_is(runtime, "present"))
        await until(runtime, lambda: runtime.engine.unit(BENCH).life.state is Lifecycle.RUNNING)
        for action, presence in [
            (link.board.remove, "absent"),
            (lambda: link.board.insert(Chip("9999999999", law="mulaw")), "present"),
            (link.unplug, "unknown"),
            (link.plug, "present"),
            (link.board.remove, "absent"),
            (lambda: link.board.insert(Chip(error=NO_ANSWER)), "unreadable"),
        ]:
            action()
            await until(runtime, state_is(runtime, presence))
        counters = runtime.bus.latest(BENCH)["reader"]
        assert counters.value is not None
    link.unplug()
    recording = load_recording(tape)
    assert [item.fact.TYPE for item in recording.facts].count("reader-lost") == 1
    assert recording.is_whole
    journal = await check_replay(
        tmp_path, "{reader: cassette, cassette: tapes/bench-1.jsonl}", tape, tmp_path / "recorded"
    )
    for what in (
        b"9999999999",
        b"feature-key-unreadable",
        b"reader-lost",
        b"deadline-reached",
        f"reader:{link.path}".encode(),
    ):
        assert what in journal
    assert definition_bytes(tmp_path / "recorded") == definition_bytes(tmp_path / "replayed")


async def test_a_virtual_reader_and_the_commands_that_move_its_card(tmp_path: Path) -> None:
    settings, _ = configured(tmp_path, "{serial: '1234567890'}")
    async with daemon(tmp_path / "recorded", settings, real_time(), record_to=tmp_path) as runtime:
        await until(runtime, lambda: runtime.engine.unit(BENCH).life.state is Lifecycle.RUNNING)
        for verb, arguments in [("remove-card", {}), ("insert-card", {"serial": "9999999999"}), ("remove-card", {})]:
            await execute(runtime.context, BENCH, verb, arguments)
    tape = tmp_path / "bench-1.jsonl"
    assert [item.cause.partition(":")[0] for item in load_recording(tape).facts] == [
        "",
        "",
        "command",
        "command",
        "command",
    ]
    cassette = "{reader: cassette, cassette: bench-1.jsonl}"
    assert b"9999999999" in await check_replay(tmp_path, cassette, tape, tmp_path / "recorded")


async def test_what_a_card_and_its_reader_say_is_recorded_too(tmp_path: Path) -> None:
    link, card = ChipTerminal(tmp_path / "nfc"), FkcCard()
    settings, _ = configured(tmp_path, f"{{reader: pn532, port: {link.path}, record: a.jsonl}}")
    link.chip.card = ChipCard(card)
    link.plug()
    async with daemon(tmp_path / "recorded", settings, real_time()) as runtime:
        await until(runtime, state_is(runtime, "present"))
        link.chip.card = None
        await until(runtime, state_is(runtime, "absent"))
    link.unplug()
    recording = load_recording(tmp_path / "a.jsonl")
    assert [command for command, _ in recording.apdus] == card.received
    assert any(b"1234567890" in (response or b"") for _, response in recording.apdus)
    cassette = "{reader: cassette, cassette: a.jsonl}"
    journal = await check_replay(tmp_path, cassette, tmp_path / "a.jsonl", tmp_path / "recorded")
    assert f"reader:{link.path}".encode() in journal


async def test_twice_the_same_journal_at_any_steps(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(_SHORT)
    settings, cassettes = configured(tmp_path, "{reader: cassette, cassette: a.jsonl, replay: loop}")
    await play(tmp_path / "once", settings, cassettes, A_DAY)
    started_at = Nanoseconds(cassettes[BENCH].header.started)
    async with daemon(tmp_path / "stepwise", settings, stepped(started_at), cassettes) as runtime:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for _ in range(24):
            await runtime.pump.advance(Nanoseconds(A_DAY // 24))
    one, other = (journal_bytes(tmp_path / state, started_at + A_DAY) for state in ("once", "stepwise"))
    assert one == other
    assert one.count(b"the recording begins again") > 20


_SHORT = b"""\
{"cassette":1,"software":"","unit":"a","reader":{"kind":"serial","name":"fkc0"},"started":1800000000000000000}
{"at":1,"ns":0,"fact":"reader-attached","data":{"name":"fkc0"}}
{"at":1,"ns":0,"fact":"feature-key-inserted","data":{"serial":"1234567890","kind":"i2c","counter":1}}
{"at":1800000000000,"ns":0,"fact":"feature-key-removed","data":{"counter":1}}
{"at":3500000000000,"ns":0,"end":true}
"""


async def test_counters_of_cassettes_and_of_recorded_virtual_readers(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(_SHORT)
    settings, cassettes = configured(tmp_path, "{reader: cassette, cassette: a.jsonl}")
    runtime = open_runtime(None, settings.units, load_catalogue(), clock=stepped(NOON))
    readers = FeatureKeyReaders(settings.readers, runtime, cassettes, tmp_path / "none")
    assert readers.counters(BENCH) == {"played": 0, "rounds": 0, "ended": 0}
    assert not (tmp_path / "none").exists()
    settings, _ = configured(tmp_path, "{serial: '1234567890', record: b.jsonl}")
    readers = FeatureKeyReaders(settings.readers, runtime, {}, None)
    assert readers.counters(BENCH) == {"insertions": 0, "recorded_lines": 1, "recording_failures": 0}
    readers.close()
    runtime.close()


async def test_a_full_disk_is_no_matter_to_the_unit(tmp_path: Path) -> None:
    link = PtyLink(tmp_path / "fkc0")
    settings, _ = configured(tmp_path, f"{{reader: serial, port: {link.path}, record: /dev/full}}")
    link.board.chip = Chip()
    link.plug()
    with capture_logs() as logs:
        async with daemon(tmp_path / "state", settings, real_time()) as runtime:
            await until(runtime, lambda: runtime.engine.unit(BENCH).life.state is Lifecycle.RUNNING)
    link.unplug()
    assert [line["error"] for line in logs if line["event"] == "recording_stopped"] == ["No space left on device"]


def test_of_tapes_that_are_begun_none_is_left_open_when_one_cannot_be(tmp_path: Path) -> None:
    settings, _ = configured(tmp_path, "{record: a.jsonl}")
    second = replace(settings.readers[BENCH], record=tmp_path)
    other = UnitName("bench-2")
    definitions = [*settings.units, replace(settings.units[0], name=other)]
    runtime = open_runtime(None, definitions, load_catalogue(), clock=stepped(NOON))
    with pytest.raises(ReaderError, match=r"cannot record to .*Is a directory"):
        FeatureKeyReaders({**settings.readers, other: second}, runtime, {}, None)
    assert load_recording(tmp_path / "a.jsonl").is_whole
    runtime.close()


def test_a_cassette_that_is_not_there_or_damaged_is_a_mistake_of_the_configuration(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, cassette = home / "bench.yaml", home / "a.jsonl"
    config.write_text("units: [{name: a, model: ip500, feature_key: {reader: cassette, cassette: a.jsonl}}]")

    def said(*command: str) -> tuple[int, str]:
        return main([*command, str(config)]), capsys.readouterr().err

    missing = f"{config}: cannot read the recording {cassette}: No such file or directory\n"
    assert said("check") == (2, missing)
    cassette.write_bytes(_SHORT.replace(b"1234567890", b"\xff"))
    assert said("check") == (2, f"{config}: {cassette}:3: not UTF-8 text\n")
    cassette.write_bytes(_SHORT)
    assert said("check") == (0, "")


def test_a_place_where_nothing_can_be_recorded_ends_the_start(home: Path) -> None:
    (home / "file").touch()
    done = ipo_sim("run", "--record", home / "file", "--state-dir", home / "state", home=home)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"ipo-sim: cannot record to {home / 'file' / 'bench-1.jsonl'}: {home / 'file'} is no directory"
    )


@pytest.mark.slow
def test_a_daemon_that_is_killed_leaves_a_recording_that_plays(home: Path) -> None:
    with started(home / "state", "--record", home / "tapes") as daemon:
        assert ipo_sim("ctl", "bench-1", "remove-card", "--state-dir", home / "state", home=home).returncode == 0
        daemon.stop(signal.SIGKILL)
    tape = home / "tapes" / "bench-1.jsonl"
    with tape.open("ab") as file:
        file.write(b'{"at":99999999999,"ns":1,"fa')
    recording = load_recording(tape)
    assert not recording.is_whole
    assert recording.facts[-1].fact.TYPE == "feature-key-removed"
    config = home / "replay.yaml"
    config.write_text(
        f"units: [{{name: bench-1, model: ip500, feature_key: {{reader: cassette, cassette: {tape}, replay: once}}}}]"
    )
    with started(home / "other", config, "--record", home / "more") as daemon:
        watch = ("ctl", "bench-1", "watch", "--until", "feature-key.presence=absent", "--timeout", "15")
        assert ipo_sim(*watch, "--state-dir", home / "other", home=home).returncode == 0
        assert daemon.stop() == 0
    assert not (home / "more").exists()
