"""docs/reference/cli.md against the parser: nothing is missing there, and nothing is told that is not so."""

from __future__ import annotations

import argparse
import re

import pytest

from tests.cli.daemons import ROOT
from tests.cli.test_command_line import COMMANDS

PAGE = (ROOT / "docs" / "reference" / "cli.md").read_text()
SECTIONS = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
# Told once for all.
EVERYWHERE = {"--help", "--debug"}
DOCUMENTED = {path: parser for path, parser in COMMANDS.items() if not path.startswith("license")}


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    found = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    return found - EVERYWHERE - {"--license"}


@pytest.mark.parametrize("path", DOCUMENTED)
def test_every_option_is_in_the_line_of_its_command(path: str) -> None:
    section = SECTIONS[path.split(maxsplit=1)[0]]
    lines = [line for line in section.splitlines() if f"{line} ".startswith(f"    ipo-sim {path} ")]
    told = set(re.findall(r"--[a-z-]+", "\n".join(lines)))
    assert told == options_of(DOCUMENTED[path])


def test_every_command_has_a_section() -> None:
    assert list(SECTIONS) == list(dict.fromkeys(path.split()[0] for path in DOCUMENTED))


@pytest.mark.parametrize("variable", ["IPO_SIM_BROKER", "IPO_SIM_SECRET", "IPO_SIM_DEBUG", "XDG_STATE_HOME"])
def test_variables_are_told(variable: str) -> None:
    sources = [path.read_text() for path in (ROOT / "ipo_sim" / "cli").rglob("*.py")]
    assert f"`{variable}`" in PAGE
    assert any(f'"{variable}"' in source for source in sources)


def test_no_other_variables_are_read() -> None:
    sources = [path.read_text() for path in (ROOT / "ipo_sim" / "cli").rglob("*.py")]
    found = {name for source in sources for name in re.findall(r'"(IPO_SIM_[A-Z]+)"', source)}
    assert found == {"IPO_SIM_BROKER", "IPO_SIM_SECRET", "IPO_SIM_DEBUG"}
