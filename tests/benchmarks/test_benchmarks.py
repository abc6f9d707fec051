"""The harness runs, and what it reports is what it measured. No figure is held to anything here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import GROUPS, main
from benchmarks.journey import Journey
from benchmarks.measure import Figure, Pair, Target, interleave, per_call
from benchmarks.process import HarnessError
from benchmarks.report import VERDICTS, as_json, line, write
from benchmarks.units import NOON, full_unit
from ipo_sim.core.model import Lifecycle

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def figure(target: Target | None = None) -> Figure:
    return Figure("Walk", "s", Pair([2.0, 9.0, 4.0], [1.0, 3.0, 1.0]), "a run", target, digits=1)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("group", ["core", "runtime", "kit"])
def test_a_group_that_needs_no_broker_runs(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([group, "--quick", "--json"]) == 0
    (figures,) = json.loads(capsys.readouterr().out).values()
    assert figures
    for made in figures:
        assert made["value"] > 0
        assert made["reference"]["value"] > 0
        assert made["verdict"] in ("met", "missed", "")


@pytest.mark.parametrize("way", ["day", "storm"])
def test_a_journey_ends_where_it_began(way: str) -> None:
    journey = Journey(full_unit(), NOON)
    list(journey.boot())
    before = journey.unit
    assert before.life.state is Lifecycle.RUNNING
    assert len(list(getattr(journey, way)())) > 30
    after = journey.unit
    assert after.life.state is Lifecycle.RUNNING
    assert [part.service for part in after.parts] == [part.service for part in before.parts]
    assert (after.licences, after.features, after.leds, after.alarms, after.edition) == (
        before.licences,
        before.features,
        before.leds,
        before.alarms,
        before.edition,
    )


def test_subject_and_reference_are_measured_in_turn() -> None:
    order: list[str] = []

    def measured(name: str) -> float:
        order.append(name)
        return float(len(order))

    pair = interleave(2, lambda: measured("a"), lambda: measured("b"))
    assert order == ["a", "b"] * 3
    assert pair == Pair([3.0, 5.0], [4.0, 6.0])


def test_a_call_is_timed_by_the_median() -> None:
    calls: list[None] = []
    assert per_call(lambda: calls.append(None), 5)() >= 0
    assert len(calls) == 5


def test_values_are_medians_and_the_ratio_is_that_of_rounds() -> None:
    assert (figure().value, figure().reference_value, figure().ratio) == (4.0, 1.0, 3.0)


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (None, ""),
        (Target(4), "met"),
        (Target(3.9), "missed"),
        (Target(4, at_least=True), "met"),
        (Target(4.1, at_least=True), "missed"),
        (Target(3, of_ratio=True), "met"),
        (Target(2.9, of_ratio=True), "missed"),
    ],
)
def test_a_verdict_is_about_value_or_ratio(target: Target | None, verdict: str) -> None:
    assert VERDICTS[figure(target).met] == verdict


def test_a_line_tells_value_ratio_and_verdict() -> None:
    told = line(figure(Target(2, of_ratio=True)))
    assert told == "  Walk: 4.0 s, 3.00 x a run; target at most 2 x: missed"
    (made,) = json.loads(as_json({"walk": [figure()]}))["walk"]
    assert made["rounds"] == {"subject": [2.0, 9.0, 4.0], "reference": [1.0, 3.0, 1.0]}


def test_figures_replace_those_on_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- machine -->\n<!-- /machine -->\nbefore\n<!-- walk -->\nold\n<!-- /walk -->\nafter\n")
    write(page, {"walk": [figure(Target(4))]})
    text = page.read_text()
    assert "| Walk | 4.0 s | 1.0 s | 3.00 | at most 4 s | met |" in text
    assert "old" not in text
    assert "virtual cores" in text
    write(page, {"walk": [figure(Target(4))]})
    assert page.read_text() == text


def test_a_page_without_a_place_for_a_group_is_not_touched(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- machine -->\n<!-- /machine -->\n")
    with pytest.raises(HarnessError, match="no place for walk"):
        write(page, {"walk": [figure()]})
    assert page.read_text() == "<!-- machine -->\n<!-- /machine -->\n"


def test_the_published_page_has_a_place_for_every_group() -> None:
    text = PAGE.read_text()
    for group in (*GROUPS, "machine"):
        assert text.count(f"<!-- {group} -->") == text.count(f"<!-- /{group} -->") == 1


def test_an_unknown_group_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["speed"])
    assert raised.value.code == 2
    assert "start" in capsys.readouterr().err
