"""A missing program skips the test with what to install, and fails it under CI; `.ci/tools` installs every one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import requirements

TOOLS = Path(__file__).parents[1] / ".ci" / "tools"


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(requirements, "SEARCH_PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    return tmp_path


def test_program_is_found(nothing_installed: Path) -> None:
    program = nothing_installed / "mosquitto"
    program.touch(mode=0o755)
    assert requirements.require("mosquitto") == program


@pytest.mark.parametrize("program", requirements.PACKAGES)
def test_missing_program_skips_and_says_what_to_install(program: str, nothing_installed: Path) -> None:
    with pytest.raises(
        pytest.skip.Exception, match=rf"{program} is not .*apt-get install {requirements.PACKAGES[program]}`"
    ):
        requirements.require(program)


def test_missing_program_fails_under_ci(nothing_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="mosquitto is not installed"):
        requirements.require("mosquitto")


@pytest.mark.parametrize("file", requirements.LIBRARIES)
def test_missing_library_skips_and_says_what_to_install(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda _: False)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(
        pytest.skip.Exception, match=rf"{file} is missing.*apt-get install {requirements.LIBRARIES[file]}`"
    ):
        requirements.require_library(file)


def test_the_setup_installs_what_tests_require() -> None:
    installed = re.findall(r"^need (\S+) (\S+)$", TOOLS.read_text(), re.MULTILINE)
    assert set(installed) <= set(requirements.PACKAGES.items())
    assert {package for _, package in installed} == set(requirements.PACKAGES.values())
    libraries = re.findall(r"^need_file (\S+) (\S+)$", TOOLS.read_text(), re.MULTILINE)
    assert dict(libraries) == requirements.LIBRARIES
