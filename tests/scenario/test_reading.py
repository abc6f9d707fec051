"""Scenario files, and every word that is said of mistakes in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ipo_sim.errors import ConfigError
from tests.scenario.scenarios import played, read, written

BOOK = Path(__file__).with_name("broken.txt").read_text(encoding="utf-8")
# Each is a title, a file, and the mistakes in it.
CASES = {
    title: (text, said.rstrip("\n"))
    for title, text, said in re.findall(r"^=== (.+)\n((?:.*\n)*?)---\n((?:x\.yaml.*\n)+)", BOOK, re.MULTILINE)
}


def mistakes(path: Path, **parameters: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(path, parameters)
    return str(caught.value).replace(f"{path.parent}/", "")


def test_the_book_is_read_whole() -> None:
    assert len(CASES) == len(re.findall("^===", BOOK, re.MULTILINE)) >= 10


@pytest.mark.parametrize("title", CASES)
def test_every_mistake_is_told_with_its_place(tmp_path: Path, title: str) -> None:
    text, said = CASES[title]
    assert mistakes(written(tmp_path, text)) == said


def test_steps_follow_one_another(tmp_path: Path) -> None:
    text = """\
        steps:
          - do: remove-card
          - at: 10s
          - at: +1m30s
          - expect: {never: {unit.telephony: true}, within: 2h}
          - at: 2m
        end: 1h
        """
    scenario = read(written(tmp_path, text))
    assert [step.at // 10**9 for step in scenario.steps] == [0, 10, 100, 100, 120]
    assert scenario.end == (100 + 7_200) * 10**9
    assert [step.place.rsplit(":")[-1] for step in scenario.steps] == ["2", "3", "4", "5", "6"]


def test_parameters_keep_their_kind(tmp_path: Path) -> None:
    text = """\
        parameters:
          minutes: 5
          card: {default: "0000000042", description: A serial}
          path: unit
          wanted: true
        steps:
          - do: ["shutdown minutes=${minutes}", {insert-card: {serial: "${card}"}}]
            expect:
              ${path}.telephony: ${wanted}
        """
    path = written(tmp_path, text)
    (step,) = read(path).steps
    assert step.actions[0].arguments == {"minutes": "5"}
    assert step.actions[1].arguments == {"serial": "0000000042"}
    assert step.expectations[0].conditions[0].expected is True
    (step,) = read(path, {"card": "1234567890", "wanted": "false"}).steps
    assert step.actions[1].arguments == {"serial": "1234567890"}
    assert step.expectations[0].conditions[0].expected is False


def test_parameters_that_cannot_be_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, "{parameters: {minutes: 5, on: true}, steps: [{at: 1}]}")
    assert mistakes(path, minuets="7") == (
        "x.yaml: there is no parameter 'minuets'; did you mean 'minutes'? allowed: minutes, on"
    )
    assert mistakes(path, minutes="many") == "x.yaml: parameter minutes: 'many' is not a number"
    assert mistakes(path, on="maybe") == "x.yaml: parameter on: 'maybe' is not true or false"
    assert mistakes(written(tmp_path, "steps: [{at: 1}]"), a="1").endswith("no parameter 'a'; it has none")


def test_included_steps_stand_where_they_are_included(tmp_path: Path) -> None:
    written(tmp_path, "{parameters: {wait: 1m}, steps: [{at: 10s}, {at: +${wait}}]}".replace("+$", '"+$'), "other.yaml")
    inner = '{parameters: {wait: 1m}, steps: [{at: 10s, name: first}, {at: "+${wait}", do: remove-card}]}'
    written(tmp_path, inner, "other.yaml")
    text = """\
        steps:
          - at: 1h
          - at: +1h
            include: other.yaml
            parameters: {wait: 2m}
          - name: last
        """
    scenario = read(written(tmp_path, text))
    assert [step.at // 10**9 for step in scenario.steps] == [3_600, 7_210, 7_330, 7_330]
    assert scenario.steps[1].place == f"{tmp_path}/other.yaml:1"
    assert played(scenario).passed


def test_mistakes_of_all_files_are_told_together(tmp_path: Path) -> None:
    written(tmp_path, "steps: [{do: remove-crad}]\n", "other.yaml")
    written(tmp_path, "units: [{model: ip501}]\n", "config.yaml")
    text = """\
        setup: {config: config.yaml}
        steps:
          - include: other.yaml
          - include: other.yaml
          - at: yesterday
        """
    said = mistakes(written(tmp_path, text)).splitlines()
    assert [line.split(": ")[0] for line in said] == ["config.yaml:1:17", "other.yaml:1:14", "x.yaml:5:9"]


def test_includes_end(tmp_path: Path) -> None:
    text = "steps: [{include: x.yaml}]"
    assert mistakes(written(tmp_path, text)) == "x.yaml:1:19: steps[0].include: x.yaml includes itself"
    for number in range(12):
        written(tmp_path, f"steps: [{{include: f{number + 1}.yaml}}]", f"f{number}.yaml")
    assert "more than 8 files, one in the other" in mistakes(tmp_path / "f0.yaml")
