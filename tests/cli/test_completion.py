"""`ipo-sim completion`: scripts that shells take, and what they complete."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ipo_sim.cli.command_line import SHELLS
from ipo_sim.cli.daemon_file import Daemon, published
from ipo_sim.cli.main import main
from ipo_sim.cli.state_dir import default_state_dir
from ipo_sim.runtime.commands import COMMANDS
from tests.cli.daemons import ROOT, environment
from tests.requirements import require

# Calls the function that the script defines as bash does when somebody presses TAB behind the last word.
_PRESS_TAB = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_shtab_ipo_sim "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def script_of(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.fixture
def bash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The script for bash."""
    require("bash")
    path = tmp_path / "completion.bash"
    path.write_text(script_of("bash", capsys))
    return path


def completed(script: Path, *words: str, path: str = "") -> list[str]:
    """What bash offers for the last word."""
    command = ["bash", "-c", _PRESS_TAB, "bash", str(script), *words]
    env = environment(script.parent, PATH=f"{path}{os.pathsep}{os.environ['PATH']}")
    run = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, cwd=ROOT, env=env)
    assert run.stderr == ""
    return run.stdout.split()


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_has_a_script_that_knows_the_commands(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = script_of(shell, capsys)
    assert "ipo-sim" in script
    assert all(verb in script for verb in (*COMMANDS, "licences", "watch", "what-if", "issue"))


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["sch"], ["schema"]),
        (["schema", ""], ["config", "scenario", "mqtt", "http"]),
        (["licence", "issue", "--c"], ["--count"]),
        (["run", "--log", "j"], ["json"]),
        (["key-server", "r"], ["run", "remove"]),
        (["key-server", "run", "--dongle", "p"], ["parallel"]),
        (["key-server", "status", "--secret-file", "LIC"], ["LICENSE"]),
        (["run", "configs/mini"], ["configs/minimal.yaml"]),
        (["ctl", "bench-1", "remove-c"], ["remove-card"]),
        (["ctl", "bench-1", "watch", "--un"], ["--until"]),
    ],
)
def test_bash_completes(words: list[str], offered: list[str], bash: Path) -> None:
    assert completed(bash, "ipo-sim", *words) == offered


def test_bash_completes_the_units_that_run(bash: Path, tmp_path: Path) -> None:
    """It asks the program for them, as it finds it on the PATH."""
    program = tmp_path / "bin" / "ipo-sim"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$*" = "completion units" ] && printf "bench-1\\nbench-2\\nlab\\n"\n')
    program.chmod(0o755)
    assert completed(bash, "ipo-sim", "why", "be", path=str(program.parent)) == ["bench-1", "bench-2"]


def test_units_are_those_of_the_daemon(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "units"]) == 0
    assert capsys.readouterr().out.split() == []
    state_dir = default_state_dir()
    state_dir.mkdir(parents=True)
    with published(state_dir, Daemon(os.getpid(), "mqtt://127.0.0.1:1883", "ipo-sim", ("bench-1", "bench-2"))):
        assert main(["completion", "units"]) == 0
    assert capsys.readouterr().out.split() == ["bench-1", "bench-2"]
