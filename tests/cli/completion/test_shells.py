"""`ipo-sim completion` in real shells: their scripts are taken, ask this program, and show what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ipo_sim.cli.command_line import SHELLS
from ipo_sim.cli.main import main
from tests.cli.completion.terminal import Shell, shell
from tests.cli.daemons import ROOT, environment
from tests.requirements import require

# Calls the function that the script defines as bash does when somebody presses TAB behind the line.
_PRESS_TAB = """
source "$1"
COMP_LINE=$2 COMP_POINT=${#2}
_ipo_sim ipo-sim "$3" ""
printf '%s\\n' "${COMPREPLY[@]}"
"""
_INTERACTIVE = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
    "tcsh": ["tcsh", "-f"],
}
_TAKE = {
    "bash": "source {script}; bind 'set enable-bracketed-paste off'",
    "zsh": "autoload -U compinit; compinit -u -D; source {script}",
    "fish": "source {script}",
    "tcsh": "set autolist; source {script}",
}


@pytest.fixture
def script(request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The script of the shell that the test names."""
    require(request.param)
    assert main(["completion", request.param]) == 0
    path = tmp_path / f"completion.{request.param}"
    path.write_text(capsys.readouterr().out)
    return path


def env_of(script: Path) -> dict[str, str]:
    """With the program on the PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**environment(script.parent), "PATH": path, "TERM": "xterm", "COLUMNS": "200", "LINES": "50"}


def output_of(script: Path, *command: str) -> list[str]:
    run = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, cwd=ROOT, env=env_of(script))
    assert run.stderr == ""
    return run.stdout.splitlines()


@contextmanager
def interactive(name: str, script: Path) -> Iterator[Shell]:
    with shell(_INTERACTIVE[name], ROOT, env_of(script)) as user:
        # The answer is not in the question, so that its echo is not taken for it.
        user.type(f"{_TAKE[name].format(script=script)}; echo READ''Y\n")
        user.until("READY")
        yield user


@pytest.mark.parametrize("script", ["bash"], indirect=True)
@pytest.mark.parametrize(
    ("line", "word", "offered"),
    [
        ("ipo-sim sch", "sch", ["schema"]),
        ("ipo-sim run --log=j", "j", ["json"]),
        ("ipo-sim run --log=", "=", ["json", "console"]),
        ("ipo-sim run configs/mini", "configs/mini", ["configs/minimal.yaml"]),
        ("ipo-sim run --state-dir doc", "doc", ["docs"]),
        ("ipo-sim ctl bench-1 fit slots/2 part=VCM6", "VCM6", ["VCM64", "VCM64V2"]),
        ("ipo-sim ctl bench-1 power ", "", ["on=", "true", "false"]),
        ("ipo-sim licence issue --licence IP500\\ VCM", "IP500\\ VCM", [r"IP500\ VCM\ Channels"]),
        ("ipo-sim licence issue --licence 'IP500 VCM", "'IP500 VCM", ["IP500 VCM Channels"]),
        ("ipo-sim nonsense ", "", [""]),
    ],
)
def test_bash_offers(line: str, word: str, offered: list[str], script: Path) -> None:
    assert output_of(script, "bash", "-c", _PRESS_TAB, "bash", str(script), line, word) == offered


@pytest.mark.parametrize("script", ["fish"], indirect=True)
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("ipo-sim sch", ["schema\tprint the schema of configurations, of scenarios, of MQTT, or of HTTP"]),
        ("ipo-sim ctl bench-1 remove-c", ["remove-card\tTake the card out of the virtual reader"]),
        ("ipo-sim run --log j", ["json"]),
        ("ipo-sim run configs/mini", ["configs/minimal.yaml"]),
        ("ipo-sim run --state-dir doc", ["docs/"]),
        ("ipo-sim nonsense ", []),
    ],
)
def test_fish_offers(line: str, offered: list[str], script: Path) -> None:
    told = output_of(script, "fish", "--no-config", "-c", f"source {script}; complete -C '{line}'")
    # Beside directories fish says that they are some.
    assert [line.removesuffix("\tDirectory") for line in told] == offered


@pytest.mark.parametrize(("name", "script"), [(name, name) for name in SHELLS], indirect=["script"], ids=SHELLS)
def test_tab_completes_as_a_user_sees_it(name: str, script: Path) -> None:
    with interactive(name, script) as user:
        for begun, rest in (
            ("ipo-sim sch", "ema"),
            (" mq", "tt"),
            ("\x15ipo-sim run configs/mini", "mal.yaml"),
            ("\x15ipo-sim licence issue --ser", "ial"),
            ("\x15ipo-sim ctl bench-1 remove-c", "ard"),
        ):
            user.type(f"{begun}\t")
            user.until(rest)


@pytest.mark.parametrize("script", ["zsh"], indirect=True)
def test_zsh_shows_what_words_mean(script: Path) -> None:
    with interactive("zsh", script) as user:
        user.type("ipo-sim ctl bench-1 remove-\t\t")
        user.until("remove-card")
        user.until("-- Take the card out of the virtual reader")


@pytest.mark.parametrize("script", ["zsh"], indirect=True)
def test_zsh_finds_the_script_as_a_function(script: Path) -> None:
    folder = script.parent / "functions"
    folder.mkdir()
    (folder / "_ipo-sim").write_bytes(script.read_bytes())
    with shell(_INTERACTIVE["zsh"], ROOT, env_of(script)) as user:
        user.type(f"fpath=({folder} $fpath); autoload -U compinit; compinit -u -D; echo READ''Y\n")
        user.until("READY")
        for begun, rest in (("ipo-sim sch", "ema"), ("\x15ipo-sim comp", "letion")):
            user.type(f"{begun}\t")
            user.until(rest)
