"""Scenarios in a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipo_sim.testing.scenario import ScenarioPlayer
from ipo_sim.testing.unit import SimulatedUnit
from tests.testing.runs import run

READY = Path(__file__).parents[2] / "configs" / "scenarios"
WRONG = """\
name: It never stops
steps:
  - at: 1m
    do: remove-card
  - at: 3h
    expect: {unit.state: running}
"""


def test_it_is_found_below_the_root_folder_and_passes(ipo_scenario: ScenarioPlayer) -> None:
    outcome = ipo_scenario("configs/scenarios/grace-over.yaml")
    assert outcome.passed
    assert outcome.checks > 3
    assert outcome.digest == ipo_scenario(READY / "grace-over.yaml").digest


async def test_it_is_played_in_asyncio_tests_too(ipo_scenario: ScenarioPlayer) -> None:
    assert ipo_scenario("configs/scenarios/cold-boot.yaml").passed


def test_units_of_the_test_are_left_alone(ipo_scenario: ScenarioPlayer, ipo_unit: SimulatedUnit) -> None:
    before = ipo_unit.core
    ipo_scenario("configs/scenarios/wrong-card.yaml")
    assert ipo_unit.core is before


def test_parameters_are_taken(ipo_scenario: ScenarioPlayer) -> None:
    assert ipo_scenario.read("configs/scenarios/grace-over.yaml", grace="1h").values["grace"] == "1h"
    assert not ipo_scenario.play("configs/scenarios/grace-over.yaml", grace="1h").passed


def test_one_that_fails_fails_the_test_with_what_it_says(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("wrong.yaml").write_text(WRONG)
    pytester.makepyfile("def test_it(ipo_scenario):\n    ipo_scenario('wrong.yaml')\n")
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*wrong.yaml: It never stops", "*awaiting_feature_key*"])
    assert "scenario.py" not in result.stdout.str()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("'wrogn.yaml'", "*there is no file wrogn.yaml in *; did you mean wrong.yaml?"),
        ("'wrong.yaml', color=1", "*color*"),
    ],
)
def test_mistakes_fail_the_test(pytester: pytest.Pytester, call: str, told: str) -> None:
    pytester.path.joinpath("wrong.yaml").write_text(WRONG)
    pytester.makepyfile(f"def test_it(ipo_scenario):\n    ipo_scenario({call})\n")
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([told])
