"""Broken configurations, and every word that is said of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ipo_sim.config.load import load_text
from ipo_sim.errors import ConfigError

BOOK = Path(__file__).with_name("broken.txt").read_text(encoding="utf-8")
# Each is a title, a file, and the mistakes in it.
CASES = {
    title: (text, said.rstrip("\n"))
    for title, text, said in re.findall(r"^=== (.+)\n((?:.*\n)*?)---\n((?:x\.yaml.*\n)+)", BOOK, re.MULTILINE)
}


def mistakes(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_text(text, "x.yaml")
    return str(caught.value)


def test_the_book_is_read_whole() -> None:
    assert len(CASES) == len(re.findall("^===", BOOK, re.MULTILINE)) > 25


@pytest.mark.parametrize("title", CASES)
def test_every_mistake_is_told_with_its_place(title: str) -> None:
    text, said = CASES[title]
    assert mistakes(text) == said


def test_mistakes_of_all_kinds_are_told_together_in_the_order_of_the_file() -> None:
    text = """\
units:
  - model: ip500
    slots: {1: DS9}
    nmae: a
    nmae: b
  - model: ip500
    name: unit-1
mqtt: {keepalive: 1}
"""
    lines = mistakes(text).splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        f"x.yaml:{place}" for place in ("3:16", "5:5", "5:5", "7:11", "8:19")
    ]


def test_more_than_a_hundred_mistakes_are_counted_only() -> None:
    text = "units:\n" + "".join(f"  - {{model: nothing, name: a{n}}}\n" for n in range(150))
    lines = mistakes(text).splitlines()
    assert len(lines) == 101
    assert lines[-1] == "x.yaml: and 50 more"


def test_long_values_are_cut() -> None:
    (line,) = mistakes(f"units:\n  - model: ip500\n    key: {{boot_policy: {'h' * 100}}}").splitlines()
    assert "h" * 59 + "..." in line
    assert "h" * 61 not in line
