"""`ipo-sim init` and `schema`: a file to begin with, and what editors and clients are made from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipo_sim.cli.main import main
from ipo_sim.config.load import load_config, load_text
from ipo_sim.config.schema import json_schema
from ipo_sim.runtime.commands import COMMANDS
from tests.cli.daemons import ROOT


@pytest.mark.parametrize("model", ["ip500", "ip500v2"])
def test_init_writes_a_file_that_boots(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lab.yaml"
    assert main(["init", str(path), "--model", model, "--name", "lab-1"]) == 0
    assert capsys.readouterr().out == f"{path} is written. Start it: ipo-sim run {path}\n"
    (unit,) = load_config(path).units
    assert (unit.name, unit.model) == ("lab-1", model)
    assert main(["check", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "boots to running, professional edition" in shown
    assert shown.count("\n") == 1  # everything serves


def test_init_takes_serial_and_profile(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    assert main(["init", str(path), "--serial", "0000000001", "--profile", "r6"]) == 0
    (unit,) = load_config(path).units
    assert unit.card is not None
    assert (unit.card.serial, unit.release_profile) == ("0000000001", "r6")


def test_init_does_not_overwrite_unless_forced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text("mine")
    assert main(["init", str(path)]) == 2
    assert capsys.readouterr().err == f"ipo-sim: {path} is there already: --force overwrites it\n"
    assert path.read_text() == "mine"
    assert main(["init", str(path), "--force"]) == 0
    assert path.read_text() != "mine"


def test_init_has_a_name_for_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert load_config(tmp_path / "ipo-sim.yaml").units


def test_init_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "-"]) == 0
    assert capsys.readouterr().out.startswith("# A configuration of ipo-sim.")


def test_init_says_where_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "nowhere" / "lab.yaml"
    assert main(["init", str(path)]) == 2
    assert capsys.readouterr().err == f"ipo-sim: {path}: No such file or directory\n"


@pytest.mark.parametrize("option", [["--serial", "1"], ["--name", "a b"], ["--profile", "r9"], ["--model", "ip4"]])
def test_init_refuses_what_there_cannot_be(
    option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "lab.yaml"), *option]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "lab.yaml").exists()


def test_schema_config(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "config"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(json_schema()))


def test_schema_mqtt_knows_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "mqtt"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["asyncapi"] == "3.0.0"
    addresses = {channel["address"].rpartition("/")[2] for channel in document["channels"].values()}
    assert set(COMMANDS) <= addresses


def test_the_demonstration_is_the_full_configuration() -> None:
    carried = ROOT / "ipo_sim" / "cli" / "config" / "demo.yaml"
    assert carried.read_text() == (ROOT / "configs" / "full.yaml").read_text()


def test_a_unit_can_start_in_the_middle(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "-", "--state", "grace-over"]) == 0
    text = capsys.readouterr().out
    assert load_text(text, "new.yaml").units[0].state == "grace-over"
    assert main(["init", "-", "--state", "grace"]) == 2
    assert "'grace' is no initial state; " in capsys.readouterr().err
    assert main(["init", "-", "--model", "ip403", "--state", "no-card"]) == 2
    assert "needs a virtual reader" in capsys.readouterr().err
    assert main(["run", "--state", "in-grase"]) == 2
    assert "--state: 'in-grase' is no initial state; did you mean 'in-grace'?" in capsys.readouterr().err
