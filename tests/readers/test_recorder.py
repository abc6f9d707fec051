"""Recording: what any reader says goes through unchanged, and whatever the disk does is no matter to the reader."""

from __future__ import annotations

import itertools
import os
import re
import threading
from pathlib import Path
from typing import IO

import pytest
from structlog.testing import capture_logs

from ipo_sim.core.events import Fact, FeatureKeyInserted, FeatureKeyRemoved, ReaderAttached
from ipo_sim.core.model import Card
from ipo_sim.errors import ReaderError
from ipo_sim.readers.reader import Reader
from ipo_sim.readers.recorder import Recorder, Tape, Trace
from ipo_sim.readers.recording import Header, Timed, load_recording
from ipo_sim.readers.virtual import VirtualReader
from tests.readers.links import Facts, running

STARTED = 1_000_000
HEADER = Header("virtual", "virtual", "bench-1", STARTED, "test")
CARD = Card("1234567890", "mulaw")
FULL = Path("/dev/full")


class Clocks:
    """Simulation time and the machine's, each of which moves on when it is read."""

    def __init__(self) -> None:
        self.now = itertools.count(STARTED + 10, 10).__next__
        self.monotonic = itertools.count(7_000, 1).__next__

    def tape(self, path: Path) -> Tape:
        return Tape(path, HEADER, now=self.now, monotonic=self.monotonic)


def inserted(counter: int) -> FeatureKeyInserted:
    return FeatureKeyInserted(CARD.serial, law=CARD.law, counter=counter)


async def test_all_that_a_reader_says_is_recorded_and_passed_on(tmp_path: Path) -> None:
    facts, inner = Facts(), VirtualReader(CARD)
    tape = Clocks().tape(tmp_path / "a.jsonl")
    reader: Reader = Recorder(inner, tape)
    async with running(reader.run(facts.emit)):
        await facts.until(ReaderAttached("virtual"), inserted(1))
        assert tape.moment == STARTED + 20
        inner.remove()
        inner.insert(CARD)
        await facts.until(FeatureKeyRemoved(1), inserted(2))
    said: list[Fact] = [ReaderAttached("virtual"), inserted(1), FeatureKeyRemoved(1), inserted(2)]
    recording = load_recording(tmp_path / "a.jsonl")
    assert recording.header == HEADER
    assert recording.facts == tuple(Timed(10 * n, fact) for n, fact in enumerate(said, 1))
    assert (recording.length, recording.is_whole) == (50, True)
    assert (reader.kind, reader.name, reader.last_error) == ("virtual", "virtual", None)
    assert reader.counters() == {"insertions": 2, "recorded_lines": 6, "recording_failures": 0}


def test_times_are_those_since_the_start(tmp_path: Path) -> None:
    tape = Clocks().tape(tmp_path / "a.jsonl")
    tape.command(b"\x00\xa4\x04\x00")
    tape.response(b"\x90\x00")
    tape.fact(inserted(1))
    tape.fact(FeatureKeyRemoved(1), "hand", at=STARTED + 12)
    tape.fact(inserted(2), "hand", at=STARTED + 5)
    tape.close()
    tape.close()
    tape.fact(inserted(3))
    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    assert lines[1:3] == ['{"ns":2,"command":"00A40400"}', '{"ns":3,"response":"9000"}']
    assert [(item.at, item.cause) for item in load_recording(tmp_path / "a.jsonl").facts] == [
        (10, ""),
        (12, "hand"),
        (12, "hand"),
    ]
    assert len(lines) == 7


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.jsonl"
    for _ in range(3):
        Clocks().tape(path).close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["a.jsonl", "a.jsonl.1", "a.jsonl.2"]
    assert all(load_recording(file).is_whole for file in path.parent.iterdir())


def test_each_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    tape = Clocks().tape(tmp_path / "a.jsonl")
    for count in range(3):
        assert len(load_recording(tmp_path / "a.jsonl").facts) == count
        tape.fact(inserted(count))
    tape.close()


@pytest.mark.parametrize(
    ("path", "said"), [("there/a", "there is no directory"), ("a\0b", "null byte"), ("", "Is a directory")]
)
def test_a_file_that_cannot_be_made_is_an_error_at_the_start(path: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    with pytest.raises(ReaderError, match=f"cannot record to .*{said}"):
        Clocks().tape(tmp_path / path)


class Short:
    """A file on a disk that has room for 20 more bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def write(self, data: bytes) -> int:
        return self.file.write(data[:20])

    def close(self) -> None:
        self.file.close()


async def test_a_full_disk_stops_the_recording_and_not_the_reader() -> None:
    facts, inner = Facts(), VirtualReader(CARD)
    with capture_logs() as logs:
        reader = Recorder(inner, Clocks().tape(FULL))
        async with running(reader.run(facts.emit)):
            await facts.until(ReaderAttached("virtual"), inserted(1))
            inner.remove()
            await facts.until(FeatureKeyRemoved(1))
    assert [(line["event"], line["log_level"], line["error"]) for line in logs] == [
        ("recording_stopped", "error", "No space left on device")
    ]
    assert reader.last_error == "recording to /dev/full stopped: No space left on device"
    assert reader.counters() == {"insertions": 1, "recorded_lines": 0, "recording_failures": 1}


def test_a_pipe_that_nobody_reads_holds_up_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReaderError, match=r"cannot record to .*No such device or address"):
        Clocks().tape(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    tape = Clocks().tape(tmp_path / "pipe")
    for counter in range(2_000):
        tape.fact(inserted(counter))
    assert tape.error is not None
    assert os.read(reading, 100).startswith(b'{"cassette":1')
    tape.close()
    os.close(reading)


def test_half_a_line_that_the_disk_took_ends_the_recording_and_it_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = Clocks().tape(tmp_path / "a.jsonl")
    tape.fact(inserted(1))
    assert tape._file is not None
    monkeypatch.setattr(tape, "_file", Short(tape._file))
    tape.fact(FeatureKeyRemoved(1))
    assert tape.error == f"recording to {tmp_path / 'a.jsonl'} stopped: the disk takes only half a line"
    tape.fact(inserted(2))
    recording = load_recording(tmp_path / "a.jsonl")
    assert [item.fact for item in recording.facts] == [inserted(1)]
    assert not recording.is_whole


def test_apdus_come_from_threads_while_facts_come_from_the_loop(tmp_path: Path) -> None:
    clocks = Clocks()
    tape = clocks.tape(tmp_path / "a.jsonl")
    trace: Trace = tape

    def talk() -> None:
        for number in range(500):
            trace.command(number.to_bytes(2))

    threads = [threading.Thread(target=talk) for _ in range(3)]
    for thread in threads:
        thread.start()
    for counter in range(500):
        tape.fact(inserted(counter))
    for thread in threads:
        thread.join()
    tape.close()
    recording = load_recording(tmp_path / "a.jsonl")
    assert len(recording.facts) == 500
    assert len(recording.apdus) == 1500
    text = (tmp_path / "a.jsonl").read_text()
    moments = [int(moment) for moment in re.findall(r'"ns":(\d+)', text)]
    assert moments == sorted(moments)
