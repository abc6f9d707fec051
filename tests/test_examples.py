"""Examples of README and documentation, run as a reader would run them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.testing.runs import INI, run

ROOT = Path(__file__).parents[1]
PROGRAM = [sys.executable, "-m", "ipo_sim"]
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^    ipo-sim ((?:ctl bench-1|why|init|check) .*?)(?: +# .*)?$", re.MULTILINE)
PAGES = sorted(page for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")] if PYTHON.search(page.read_text()))
# What ends only when its reader has seen enough.
ENDLESS = {"watch": ["--until", "unit.state=running"]}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_examples_pass(page: Path, pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("configs").symlink_to(ROOT / "configs")
    examples = PYTHON.findall(page.read_text())
    for number, code in enumerate(examples):
        pytester.path.joinpath(f"test_example_{number}.py").write_text(code)
        assert "def test_" in code, "an example that tests nothing"
    result = run(pytester, ini=f"{INI}asyncio_mode = auto\n")
    outcomes = result.parseoutcomes()
    assert result.ret == 0
    assert outcomes.keys() <= {"passed"}
    assert outcomes["passed"] >= len(examples)


@pytest.mark.slow
def test_the_commands_of_the_readme_do_what_they_say(tmp_path: Path) -> None:
    commands = [shlex.split(line) for line in COMMAND.findall((ROOT / "README.md").read_text())]
    assert len(commands) >= 8
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "IPO_SIM_BROKER": ""}
    with _demonstration(environment):
        said = [_said(words, environment, tmp_path) for words in commands]
    told = "\n".join(said)
    assert "feature key" in told
    assert "lab.yaml" in told


def _said(words: list[str], environment: dict[str, str], folder: Path) -> str:
    words = [*words, *ENDLESS.get(words[-1], [])]
    done = subprocess.run(
        [*PROGRAM, *words], env=environment, cwd=folder, check=False, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, f"ipo-sim {' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def _demonstration(environment: dict[str, str]) -> Iterator[None]:
    command = [*PROGRAM, "run", "--time-scale", "100"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        try:
            assert running.stdout is not None
            assert any("bench-1: running" in line for line in running.stdout)
            yield
        finally:
            running.terminate()
            running.communicate(timeout=10)
    assert running.returncode == 0
