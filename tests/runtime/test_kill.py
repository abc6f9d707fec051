"""A real process, killed at any moment: what was acknowledged is there, and the state is what the journal says."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from pathlib import Path

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.model import UnitName
from ipo_sim.runtime.assembly import Runtime, open_runtime
from ipo_sim.runtime.journal import JournalReader
from tests.runtime.bench import A, B, small
from tests.runtime.test_restore import check_is_folded

VICTIM = Path(__file__).with_name("victim.py")
KILLS = 24

Acknowledged = tuple[UnitName, int, str]


def run_and_kill(state_dir: Path, seed: int) -> list[Acknowledged]:
    """Start the daemon, let it acknowledge some commands, kill it, and return all that it acknowledged."""
    wanted = random.Random(seed).randint(0, 150)
    command = [sys.executable, str(VICTIM), str(state_dir), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = list(itertools.islice(process.stdout, 1 + wanted))
        process.kill()
        lines += process.stdout.readlines()
        assert process.stderr.read() == ""
    assert process.returncode == -9
    assert lines[0] == "ready\n"
    words = [line.split() for line in lines[1:]]
    return [(UnitName(unit), int(seq), verb) for unit, seq, verb in words]


def check_acknowledged(runtime: Runtime, acknowledged: list[Acknowledged]) -> None:
    """Every acknowledged event is in the journal, and is that command's."""
    for unit, seq, verb in acknowledged:
        if verb == "advance" or not seq:
            assert runtime.journal.last_seq(unit, 1) >= seq
            continue
        entry = runtime.journal.entry(unit, 1, seq)
        assert entry is not None
        assert entry.event.cause == f"command:{verb}"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_daemon_killed_at_any_moment_comes_back_as_its_journal_says(tmp_path: Path) -> None:
    now, total = 0, 0
    for seed in range(KILLS):
        acknowledged = run_and_kill(tmp_path, seed)
        total += len(acknowledged)
        runtime = open_runtime(tmp_path, [small(A), small(B)], load_catalogue())
        check_acknowledged(runtime, acknowledged)
        for name in (A, B):
            check_is_folded(runtime, small(name))
        assert runtime.clock.now() >= max(now, runtime.journal.last_at())
        now = runtime.clock.now()
        runtime.close()
    assert total > 10 * KILLS
    check_time_never_went_back(tmp_path)


def check_time_never_went_back(state_dir: Path) -> None:
    reader = JournalReader.open(state_dir)
    moments = [at for (at,) in reader.select("SELECT at FROM events ORDER BY id")]
    snapshots = [reader.snapshot(name) for name in (A, B)]
    reader.close()
    assert moments == sorted(moments)
    assert len(moments) > 10 * KILLS
    assert all(snapshots)
