"""Items put into a configuration's text: they are there, and every other line is as it was."""

from __future__ import annotations

import pytest

from ipo_sim.config.list_edit import quoted, with_items
from ipo_sim.config.load import load_text
from ipo_sim.errors import ConfigError

A, B, C = (letter * 32 for letter in "ABC")


def grown(text: str, unit: str = "one") -> str:
    return with_items(text, "x.yaml", unit, "licences", [quoted(B), quoted(C)])


@pytest.mark.parametrize(
    ("unit", "had"),
    [
        (
            f"- name: one\n    model: ip500\n    licences:  # ours\n      - {A}  # first\n    # behind\n",
            [A],
        ),
        (f"- name: one\n    model: ip500\n    licences:\n    - {A}\n", [A]),
        (f"- name: one\n    model: ip500\n    licences:\n    - {A}", [A]),
        (f"- name: one\n    model: ip500\n    licences:\n      - key: {A}\n        expiry: null  # none\n\n", [A]),
        (f"- name: one\n    model: ip500\n    licences: [{A}]  # flow\n", [A]),
        (f"- name: one\n    model: ip500\n    licences: [\n      {A},\n    ]\n", [A]),
        (f"- {{name: one, model: ip500, licences: [{{key: {A}}}]}}\n", [A]),
        ("- {name: one, model: ip500}  # short\n", []),
        ("- {name: one, licences: , model: ip500}\n", []),
        ("- name: one\n    model: ip500\n", []),
        ("- model: ip500\n    name: one  # last\n    # a remark\n", []),
        ("- name: one\n    model: ip500\n    slots:\n      1:\n        card: DS8\n  # next\n", []),
        ("- name: one\n    model: ip500\n    licences: []\n    slots: {1: DS8}\n", []),
        ("- name: one\n    licences:  # none yet\n    model: ip500\n", []),
        ("- name: one\n    licences: null  # none yet\n    model: ip500\n", []),
        (f"- name: one\n    model: ip500\n    licenses:\n      - {A}\n", [A]),
        (f"- name: one\n    model: ip500\n    system_name: Zürich 🏔\n    licences: ['{A}']\n", [A]),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_they_are_added_and_nothing_else_changes(unit: str, had: list[str], line_end: str) -> None:
    other = "  - name: two\n    model: ip500\n    licences: [%s]\n" % ("D" * 32)
    text = f"# a bench\nunits:\n  {unit}".rstrip("\n") + f"\n{other}" if not unit.endswith("A") else ""
    text = text or f"# a bench\nunits:\n{other}  {unit}"
    text = text.replace("\n", line_end)
    new = grown(text)
    before, after = load_text(text, "x.yaml"), load_text(new, "x.yaml")
    assert {u.name: list(u.licences) for u in after.units} == {"one": [*had, B, C], "two": ["D" * 32]}
    assert [u.name for u in after.units] == [u.name for u in before.units]
    comments = [line for line in text.splitlines() if line.strip().startswith("#")]
    assert [line for line in new.splitlines() if line.strip().startswith("#")] == comments
    assert ("\r\n" in new) is (line_end == "\r\n")
    assert new.count("\n") == new.count(line_end)


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ("[{name: one, model: ip500, count: 1}]", "is one of 1 that one entry describes"),
        ("[{name: two, model: ip500}]", "there is no unit one"),
        (
            f"\n- {{name: two, model: ip500, licences: &all [{A}]}}\n- {{name: one, model: ip500, licences: *all}}",
            "stand elsewhere",
        ),
        (f"\n- &two {{name: two, model: ip500, licences: [{A}]}}\n- {{<<: *two, name: one}}", "stand elsewhere"),
        ("\n- name: one\n  model: ip500\n  system_name: |\n    text\n", "no clear end"),
    ],
)
def test_where_there_is_no_place_it_says_why(units: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        grown(f"units: {units}")


def test_a_quoted_text_is_nothing_else() -> None:
    for text in ("null", "1e3", "it's", "- a", "#", "0o17", "yes", "{"):
        (unit,) = load_text(f"units: [{{model: ip500, system_name: {quoted(text)}}}]", "x.yaml").units
        assert unit.system_name == text
