"""Tests of users with `--ipo-reader` at a reader that is not virtual."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from ipo_sim.core.events import FeatureKeyInserted, ReaderAttached
from ipo_sim.readers.recorder import Tape
from ipo_sim.readers.recording import Header
from tests.readers.board import Chip
from tests.readers.pty_link import PtyLink
from tests.testing.runs import INI, run

WAITING = """
    def test_a_card_comes(ipo_unit, ipo_reader, ipo_clock):
        assert ipo_reader.kind == "serial"
        key = ipo_reader.wait_for_card(within="20s")
        assert key.serial == "1234567890"
        assert ipo_unit.state == "running"
        assert ipo_clock.paused

    def test_nobody_can_pull_it_by_a_command(ipo_unit, ipo_reader):
        import pytest
        from ipo_sim.errors import CommandRejected

        for pull in (ipo_reader.remove, ipo_reader.unplug, ipo_reader.plug):
            with pytest.raises(CommandRejected) as refused:
                pull()
            assert refused.value.reason == "reader-not-virtual"
"""


@pytest.mark.slow
@pytest.mark.timeout(90)
async def test_a_board_on_a_serial_port(pytester: pytest.Pytester, tmp_path: Path) -> None:
    link = PtyLink(tmp_path / "reader")
    link.plug()
    link.board.insert(Chip())
    try:
        pytester.makeini(INI)
        pytester.makepyfile(WAITING)
        arguments = ("-p", "no:randomly", f"--ipo-reader=serial:{link.path}")
        result = await asyncio.to_thread(pytester.runpytest_subprocess, *arguments)
    finally:
        link.unplug()
    result.assert_outcomes(passed=2)


def test_a_recording(pytester: pytest.Pytester, tmp_path: Path) -> None:
    recording = tmp_path / "recording.jsonl"
    header = Header("serial", "/dev/fkc0", "bench-1", 0, "test")
    with closing(Tape(recording, header, now=lambda: 0, monotonic=lambda: 0)) as tape:
        for fact in (ReaderAttached("/dev/fkc0"), FeatureKeyInserted("1234567890", counter=1)):
            tape.fact(fact)
    pytester.makepyfile("def test_it(ipo_reader):\n    assert ipo_reader.wait_for_card().serial == '1234567890'\n")
    run(pytester, f"--ipo-reader=cassette:{recording}").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("serial", "*units[[]0].feature_key: port is missing*"),
        ("seriall:/dev/x", "*did you mean 'serial'*"),
        ("cassette:/no/such/file", "*/no/such/file*"),
    ],
)
def test_what_is_no_reader_is_told(pytester: pytest.Pytester, option: str, told: str) -> None:
    pytester.makepyfile("def test_it(ipo_unit):\n    pass\n")
    result = run(pytester, f"--ipo-reader={option}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([told])
