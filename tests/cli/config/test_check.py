"""`ipo-sim check`: mistakes, warnings, and what the units will boot to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.config import check
from ipo_sim.cli.config.boot import boot
from ipo_sim.cli.main import main
from ipo_sim.config.load import load_text
from tests.cli.daemons import ROOT

CONFIGS = ROOT / "configs"

BROKEN = """\
units:
  - name: bench-1
    model: ip5000
    slots: {9: DS8}
"""


def outcome_of(text: str) -> tuple[str, str, int, int]:
    found = boot(load_text(text, "test").units[0], load_catalogue())
    return found.state, found.edition, found.serving, found.fitted


OUTCOMES = """
full: bench-1: ip500 r5 boots to running, professional edition, 16 of 16 parts in service
minimal: unit-1: ip500 r5 boots to running, standard edition, nothing fitted
unlicensed: bench-1: ip500 r5 boots to running, standard edition, 4 of 6 parts in service
wrong-card: bench-1: ip500 r5 boots to running, standard edition, 3 of 5 parts in service
serial-reader: bench-1: ip500 r5 boots to awaiting_feature_key, standard edition, 0 of 3 parts in service, \
until a card is read at /dev/fkc0
pcsc: bench-1: ip500 r5 boots to awaiting_feature_key, standard edition, 0 of 3 parts in service, \
until a card is read at any PC/SC reader
fleet: unit-0001 to unit-0025 (25 units): ip500 r5 boots to running, professional edition, 6 of 6 parts in service
""".strip().splitlines()


@pytest.mark.parametrize(("config", "outcome"), [line.split(": ", 1) for line in OUTCOMES])
def test_each_configuration_tells_how_it_boots(config: str, outcome: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = CONFIGS / f"{config}.yaml"
    assert main(["check", str(path)]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[0] == f"{path}: {outcome}"
    assert shown.err == ""


def test_what_will_not_serve_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(CONFIGS / "unlicensed.yaml")]) == 0
    lines = capsys.readouterr().out.splitlines()
    upgrade = "there is no licence IP500 Upgrade Standard to Professional"
    assert lines[1:] == [f"  expansion/1 DS30V2: {upgrade}", f"  expansion/2 PHONE16V2: {upgrade}"]


def test_a_wrong_card_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(CONFIGS / "wrong-card.yaml")]) == 0
    assert (
        "  expansion/1 DS30V2: licence IP500 Upgrade Standard to Professional is Invalid, because feature key"
        " 9876543210 is in order, but the licence was issued for another one, or is mistyped\n"
    ) in capsys.readouterr().out


def test_a_string_that_is_no_key_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bench.yaml"
    path.write_text("units: [{name: bench-1, model: ip500, licences: [" + "Z" * 32 + "]}]")
    assert main(["check", str(path)]) == 0
    assert f"  licences/1 {'Z' * 32}: the string is no licence key\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("setting", "outcome"),
    [
        ("", ("running", "standard", 0, 0)),
        (", feature_key: {present: false}", ("awaiting_feature_key", "standard", 0, 0)),
        (", feature_key: {present: false}, key: {boot_policy: unlicensed}", ("running", "standard", 0, 0)),
        (", slots: {1: DS8}", ("running", "standard", 1, 1)),
        (", expansion: {1: DS30V2}", ("running", "standard", 0, 1)),
    ],
)
def test_the_boot_is_that_of_the_core(setting: str, outcome: tuple[str, str, int, int]) -> None:
    assert outcome_of(f"units: [{{name: bench-1, model: ip500{setting}}}]") == outcome


def test_every_mistake_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bench.yaml"
    path.write_text(BROKEN)
    assert main(["check", str(path), str(CONFIGS / "minimal.yaml")]) == 2
    shown = capsys.readouterr()
    mistakes = shown.err.splitlines()
    assert all(line.startswith(f"{path}:") for line in mistakes)
    assert any("did you mean 'ip500'?" in line for line in mistakes)
    # The next file is looked at all the same.
    assert "minimal.yaml: unit-1" in shown.out


def test_json_tells_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bench.yaml"
    path.write_text(BROKEN)
    assert main(["check", "--json", str(CONFIGS / "unlicensed.yaml"), str(path)]) == 2
    good, bad = json.loads(capsys.readouterr().out)
    assert (bad["file"], bad["ok"]) == (str(path), False)
    (model,) = bad["mistakes"]
    assert {**model, "message": ""} == {
        "file": str(path),
        "message": "",
        "line": 3,
        "column": 12,
        "path": "units[0].model",
        "value": "ip5000",
        "allowed": ["ip403", "ip406v2", "ip412", "ip500", "ip500v2", "soe"],
        "nearest": "ip500",
    }
    assert model["message"].startswith("'ip5000' is not a control unit; did you mean 'ip500'?")
    (unit,) = good["units"]
    assert good["ok"]
    assert (unit["state"], unit["edition"], unit["serving"], unit["fitted"]) == ("running", "standard", 4, 6)
    assert unit["out_of_order"][0]["path"] == "expansion/1"
    assert unit["out_of_order"][0]["cause"][0] == "licence:IP500 Upgrade Standard to Professional"


def test_json_tells_warnings_with_their_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bench.yaml"
    path.write_text("units: [{model: ip500, slots: {1: DS8, 2: DS8, 3: DS8, 4: DS8}}]\n")
    assert main(["check", "--json", str(path)]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    (warning,) = report["warnings"]
    assert (warning["file"], warning["line"], warning["column"]) == (str(path), 1, 59)
    assert (warning["path"], warning["value"]) == ("units[0].slots[4].card", "DS8")
    assert warning["message"].startswith("at most 3 of DS8")


def test_json_tells_of_a_cassette_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bench.yaml"
    path.write_text("units: [{model: ip500, feature_key: {reader: cassette, cassette: none.jsonl}}]\n")
    assert main(["check", "--json", str(path)]) == 2
    ((mistake,),) = [report["mistakes"] for report in json.loads(capsys.readouterr().out)]
    assert mistake["file"] == str(path)
    assert "none.jsonl" in mistake["message"]


def test_a_fleet_of_many_kinds_is_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "MAX_UNITS_TOLD", 1)
    path = tmp_path / "bench.yaml"
    path.write_text("units: [{model: ip500}, {model: ip500v2}, {model: ip500}]")
    assert main(["check", str(path)]) == 0
    first, more = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{path}: unit-1: ")
    assert more == f"{path}: and more, 3 units in all"
