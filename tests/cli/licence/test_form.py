"""The licence form on the command line: of a configuration, and of a unit that runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ipo_sim.cli.main import main
from tests.cli.daemons import ROOT
from tests.cli.licence.test_keys import PROFESSIONAL, SERIAL, VCM, issue

FULL = str(ROOT / "configs" / "full.yaml")
HEAD = ["NO", "LICENCE", "KEY", "TYPE", "STATUS", "INSTANCES", "EXPIRY"]


def show(capsys: pytest.CaptureFixture[str], *options: str) -> Any:
    assert main(["licence", "show", "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_form_of_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licence", "show", "--config", FULL]) == 0
    name, dongle, head, first, second, *_ = capsys.readouterr().out.splitlines()
    assert (name, dongle) == ("bench-1", f"  Dongle Serial Number  Local {SERIAL}")
    assert head.split() == HEAD
    assert first.split() == ["1", PROFESSIONAL, *"IP500 Upgrade Standard to Professional Valid 1 never".split()]
    assert second.split() == ["2", VCM, *"IP500 VCM Channels Valid 60 never".split()]


def test_a_configuration_is_judged_on_the_day_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (trial,) = issue(capsys, "--licence", "SIP Trunk", "--expires", "2027-02-28")
    config = tmp_path / "two.yaml"
    unit = f'model: ip500, feature_key: {{serial: "{SERIAL}"}}, licences: [{trial}]'
    config.write_text(f"units:\n  - {{name: one, {unit}}}\n  - {{name: two, {unit}}}\n")
    forms = show(capsys, "--config", str(config), "--on", "2027-02-28")
    assert [form["unit"] for form in forms] == ["one", "two"]
    (form,) = show(capsys, "--config", str(config), "--on", "2027-03-01", "--unit", "two")
    row = {"number": 1, "key": trial, "type": "SIP Trunk Channels", "instances": 1, "expiry": "2027-02-28"}
    assert forms[0]["licences"] == [{**row, "status": "Valid"}]
    assert form == {
        "unit": "two",
        "dongle_serial_number": f"Local {SERIAL}",
        "licences": [{**row, "status": "Expired"}],
    }
    assert main(["licence", "show", "--config", str(config), "--unit", "tow"]) == 2
    assert "has no unit tow: did you mean two?" in capsys.readouterr().err


def test_a_unit_without_keys_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licence", "show", "--config", str(ROOT / "configs" / "minimal.yaml")]) == 0
    assert capsys.readouterr().out.splitlines()[0::2] == ["unit-1", "  no licence keys"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "a KEY, --config CONFIG or --unit UNIT is wanted"),
        ([PROFESSIONAL, "--config", FULL], "not both"),
        (["--unit", "bench-1", "--on", "2027-03-01"], "--on is for --config"),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_what_cannot_be_shown_is_asked_back(options: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licence", "show", *options]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.slow
def test_the_form_of_a_running_unit(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def call(*words: str) -> str:
        capsys.readouterr()
        assert main([*words, "--state-dir", str(bench)]) == 0
        return capsys.readouterr().out

    def ctl(*words: str) -> str:
        return call("ctl", "bench-1", *words)

    ctl("advance", "60")
    shown = ctl("licences").splitlines()
    assert shown[:2] == ["bench-1", f"  Dongle Serial Number  Local {SERIAL}"]
    assert (shown[2].split(), len(shown)) == (HEAD, 11)
    (form,) = json.loads(call("licence", "show", "--unit", "bench-1", "--json"))
    assert form == json.loads(ctl("licences", "--json"))
    assert [form] == show(capsys, "--config", FULL)
    ctl("remove-card")
    ctl("advance", "7200")
    gone = json.loads(ctl("licences", "--json"))
    ctl("insert-card")
    assert gone["dongle_serial_number"] == "None"
    assert {row["status"] for row in gone["licences"]} == {"Invalid"}
