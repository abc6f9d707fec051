"""Two daemons whose units are to read the same board: the second is told so, and takes over when the first one ends."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.daemons import DEADLINE_S, ipo_sim, started
from tests.readers.firmware_sim import FirmwareSim, firmware_sim

pytestmark = pytest.mark.slow


def configuration(folder: Path, board: FirmwareSim) -> Path:
    path = folder / "bench.yaml"
    path.write_text(
        f"units: [{{name: bench-1, model: ip500, feature_key: {{reader: serial, port: {board.path}, law: alaw}}}}]\n"
    )
    return path


def entities(home: Path, state_dir: Path) -> dict[str, Any]:
    ran = ipo_sim("ctl", "--state-dir", state_dir, "bench-1", "status", "--json", home=home)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)["entities"]
    return found


def until(home: Path, state_dir: Path, path: str, field: str, value: object) -> dict[str, Any]:
    """The unit's entities once one has this value; how they are when it never has."""
    end = time.monotonic() + DEADLINE_S
    while (found := entities(home, state_dir))[path][field] != value:
        assert time.monotonic() < end, found[path]
    return found


def test_the_second_daemon_on_a_reader_is_refused_until_the_first_one_ends(home: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with firmware_sim(tmp_path) as board:
        board.insert()
        config = configuration(tmp_path, board)
        with started(first, config) as winner:
            until(home, first, "feature-key", "presence", "present")
            with started(second, config) as loser:
                reader = until(home, second, "reader", "state", "lost")["reader"]
                assert reader["last_error"] == f"cannot open {board.path}: another program uses it"
                assert entities(home, first)["reader"]["state"] == "attached"
                assert winner.stop() == 0
                until(home, second, "feature-key", "presence", "present")
                assert "another program uses it" in loser.log
