"""Outcomes for machines: JUnit XML as CI servers read it, the JSON Schema, facts."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml

from ipo_sim.scenario.junit import junit_xml
from ipo_sim.scenario.schema import json_schema
from tests.scenario.scenarios import READY, outcome_of

SCHEMA = json_schema()
FAILING = """\
name: It & <fails>
parameters: {state: shutdown}
steps:
  - name: first
    at: 1m
    expect: {unit.state: "${state}"}
"""


def test_a_junit_report_names_cases_failures_and_parameters(tmp_path: Path) -> None:
    outcomes = [
        outcome_of(tmp_path, FAILING),
        outcome_of(tmp_path, "steps: [{do: remove-card, expect: {feature-key.presence: absent}}]"),
    ]
    root = ET.fromstring(junit_xml(outcomes))  # noqa: S314 - our own text
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "2", "1")
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    failing, passing = suite
    assert failing.get("name") == "It & <fails>"
    assert failing.get("classname") == str(tmp_path / "x.yaml")
    properties = {item.get("name"): item.get("value") for item in failing.iter("property")}
    assert properties == {"param.state": "shutdown", "journal": outcomes[0].digest}
    (failure,) = failing.iter("failure")
    assert failure.get("message") == "not as expected"
    assert "expected: shutdown" in (failure.text or "")
    assert not list(passing.iter("failure"))
    assert passing.get("assertions") == "2"


def test_marks_that_xml_has_no_room_for_do_no_harm(tmp_path: Path) -> None:
    outcome = outcome_of(
        tmp_path, "steps: [{do: remove-card, expect: {reader.name: '\\\x01'}}]".replace("'\\\x01'", '"\\x01"')
    )
    assert "expected: ?" in junit_xml([outcome])


def test_facts_are_json(tmp_path: Path) -> None:
    facts = json.loads(json.dumps(outcome_of(tmp_path, FAILING).facts()))
    assert facts["passed"] is False
    assert facts["parameters"] == {"state": "shutdown"}
    assert facts["failures"][0]["findings"][0]["actual"] == "running"
    assert facts["failures"][0]["step"] == "first"


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_ready_scenarios_follow_the_schema(path: Path) -> None:
    errors = jsonschema.Draft202012Validator(SCHEMA).iter_errors(yaml.safe_load(path.read_text()))
    assert [error.message for error in errors] == []


@pytest.mark.parametrize(
    "text",
    [
        "steps: []",
        "{steps: [{at: 1}], stpes: 1}",
        "steps: [{att: 1}]",
        "steps: [{expect: {nevr: {unit.state: running}}}]",
        "steps: [{at: [1]}]",
        "{steps: [{at: 1}], setup: {confg: x}}",
    ],
)
def test_what_the_reader_refuses_the_schema_refuses(text: str) -> None:
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text))
