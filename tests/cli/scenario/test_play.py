"""`ipo-sim scenario`: plays, checks and lists, here and against a running daemon."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import structlog

from ipo_sim.cli.main import main
from tests.cli.daemons import ROOT, started

LIVE = """\
steps:
  - do: remove-card
    expect: [{value: {feature-key.presence: absent}}, {never: {unit.telephony: false}, within: 110m}]
  - at: 1h
    do: power on=true
    refused: wrong-state
  - at: +1h
    expect: {unit.state: awaiting_feature_key}
  - do: insert-card
    expect: {change: {unit.state: running}, within: 1m}
"""
GRACE = ROOT / "configs" / "scenarios" / "grace-over.yaml"


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """A command of a process of its own may set logging as it likes; here it has to be put back."""
    root = logging.getLogger()
    before, handlers, level = structlog.get_config(), root.handlers[:], root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def said(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> str:
    """What it prints, on either stream."""
    assert main(["scenario", *map(str, words)]) == code
    streams = capsys.readouterr()
    return streams.out + streams.err


def test_what_passes_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "run", GRACE, GRACE)
    assert told.splitlines()[0] == f"passed  {GRACE}  3h5m, 7 checks, 4 events"
    assert told.splitlines()[-1] == "all 2 passed"


def test_what_fails_is_told_at_length(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    told = said(capsys, "run", GRACE, "--param", "grace=1h", "--junit", report, code=1)
    assert told.startswith(f"FAILED  {GRACE}  1h5m")
    assert "expected: awaiting_feature_key" in told
    assert "because:  1. the feature key was removed (event 5)" in told
    root = ET.parse(report).getroot()  # noqa: S314 - our own file
    assert (root.get("tests"), root.get("failures")) == ("1", "1")


def test_json_holds_all(capsys: pytest.CaptureFixture[str]) -> None:
    (outcome,) = json.loads(said(capsys, "run", GRACE, "--json"))
    assert outcome["passed"]
    assert outcome["lasted_s"] == 11_100
    assert len(outcome["digest"]) == 64


def test_check_tells_every_mistake_of_every_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("steps: [{do: remove-crad}, {at: never}]")
    told = said(capsys, "check", broken, GRACE, code=2)
    assert f"{broken}:1:14: steps[0].do[0]: there is no command remove-crad: did you mean remove-card?" in told
    assert f"{broken}:1:33: steps[1].at: 'never' is no length of time" in told
    assert f"{GRACE}: 3 steps, lasts 3h5m" in told
    reports = json.loads(said(capsys, "check", broken, GRACE, "--json", code=2))
    assert [report["ok"] for report in reports] == [False, True]
    assert "remove-crad" in said(capsys, "run", GRACE, broken, code=2)


def test_list_tells_what_there_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    told = said(capsys, "list")
    assert "configs/scenarios/grace-over.yaml: The grace runs out" in told
    assert "--param grace=2h  Grace of the configuration" in told
    files = json.loads(said(capsys, "list", "configs/scenarios", "--json"))
    assert len(files) == len(list((ROOT / "configs" / "scenarios").glob("*.yaml")))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", GRACE, "--param", "grace"], "--param grace: NAME=VALUE is wanted"),
        (["run", GRACE, "--param", "grace=1", "--param", "grace=2"], "--param grace is given twice"),
        (["run", GRACE, "--param", "grce=1"], "there is no parameter 'grce'; did you mean 'grace'?"),
        (["run", GRACE, "--advance"], "--advance and --unit are for --live"),
        (["run", "lost.yaml"], "lost.yaml: No such file or directory"),
        (["run", GRACE, "--junit", "lost/report.xml"], "--junit lost/report.xml: No such file or directory"),
    ],
)
def test_wrong_command_lines_are_told(capsys: pytest.CaptureFixture[str], words: list[object], message: str) -> None:
    assert message in said(capsys, *words, code=2)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[object]]:
    """Options for a daemon with one unit that runs."""
    state_dir = tmp_path_factory.mktemp("live") / "state"
    with started(state_dir, "--time-scale", "1000") as daemon:
        daemon.until("running")
        yield ["--live", "--state-dir", state_dir, "--timeout", "20"]


@pytest.mark.slow
def test_a_scenario_is_played_with_a_running_daemon(
    capsys: pytest.CaptureFixture[str], live: list[object], tmp_path: Path
) -> None:
    path = tmp_path / "live.yaml"
    path.write_text(LIVE)
    said(capsys, "run", path, "--advance", *live)
    told = said(capsys, "run", path, *live)
    assert told.startswith("passed")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("steps: [{do: remove-card, expect: {feature-key.condition: in_order}}, {do: insert-card}]")
    told = said(capsys, "run", wrong, *live, code=1)
    assert "expected: in_order\n    was:      grace" in told
    assert "the feature key was removed" in told
    assert "the feature key was removed, by command:remove-card" in told
    # What fails ends there; the next test wants the card.
    wrong.write_text("steps: [{do: insert-card}]")
    said(capsys, "run", wrong, *live)


IN_BETWEEN = """\
steps:
  - do: shutdown minutes=5
    expect:
      - never: {unit.state: shutdown}
        within: 59999ms
      - eventually: {unit.state: shutdown}
      - eventually: {unit.state: starting}
        within: 6m
      - never: {unit.telephony: true}
        within: 6m7s
  - at: 1h
    expect: {unit.state: running}
"""


@pytest.mark.slow
def test_time_that_is_moved_stops_at_all_that_happens(
    capsys: pytest.CaptureFixture[str], live: list[object], tmp_path: Path
) -> None:
    path = tmp_path / "in-between.yaml"
    path.write_text(IN_BETWEEN)
    assert said(capsys, "run", path, "--advance", *live).startswith(f"passed  {path}  1h, 6 checks")


@pytest.mark.slow
def test_another_unit_takes_the_part(capsys: pytest.CaptureFixture[str], live: list[object], tmp_path: Path) -> None:
    path = tmp_path / "any.yaml"
    path.write_text("steps: [{expect: {unit.name: bench-1}}]")
    assert "passed" in said(capsys, "run", path, *live, "--unit", "bench-1")
    assert "did you mean bench-1?" in said(capsys, "run", path, *live, "--unit", "bench-2", code=1)
