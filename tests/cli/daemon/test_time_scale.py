"""How fast time runs: as the line says, else the configuration, else as commands set it last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.daemons import started

pytestmark = pytest.mark.slow

UNIT = "units: [{model: ip500}]\n"


def told(state_dir: Path, *arguments: object) -> str:
    """What a daemon says of its time before it ends; nothing when it is that of the wall clock."""
    with started(state_dir, *arguments) as daemon:
        assert daemon.stop() == 0
        return next((line.partition(" (")[0] for line in daemon.output if line.startswith("time: ")), "")


def test_a_scale_in_the_configuration_counts_even_if_it_is_1(tmp_path: Path) -> None:
    config, state = tmp_path / "bench.yaml", tmp_path / "state"
    config.write_text(f"{UNIT}time: {{scale: 1000}}\n")
    assert told(state, config) == "time: at scale 1000"
    config.write_text(UNIT)
    assert told(state, config) == "time: at scale 1000", "as it was"
    config.write_text(f"{UNIT}time: {{scale: 1}}\n")
    assert told(state, config) == ""
    config.write_text(UNIT)
    assert told(state, config) == "", "as it was"


def test_who_begins_anew_and_says_none_gets_the_wall_clock(tmp_path: Path) -> None:
    config, state = tmp_path / "bench.yaml", tmp_path / "state"
    config.write_text(UNIT)
    assert told(state, config, "--time-scale", "60") == "time: at scale 60"
    assert told(state, config, "--fresh") == ""
