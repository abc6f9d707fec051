"""`ipo-sim licence plan`: the table, its commands and keys, and what it says of many units."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from ipo_sim.cli.main import main
from ipo_sim.licensing.key import recognise, verify
from tests.cli.daemons import ROOT

CONFIGS = ROOT / "configs"
UNLICENSED = str(CONFIGS / "unlicensed.yaml")
PAGE = (ROOT / "docs" / "how-to" / "plan-a-purchase.md").read_text()
SECRET = "of this bench"


def planned(capsys: pytest.CaptureFixture[str], *options: str, code: int = 1) -> Any:
    assert main(["licence", "plan", "--json", *options]) == code
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "lab.yaml"
    path.write_text(
        f"""\
bench: {{secret: {SECRET}}}
units:
  - {{name: one, model: ip500, feature_key: {{serial: "0000000001"}}, expansion: {{1: DS30V2}}}}
  - {{name: two, model: ip500, feature_key: {{serial: "0000000002"}}, expansion: {{1: DS30V2}}}}
  - {{name: three, model: ip500, feature_key: {{serial: "0000000003"}}}}
"""
    )
    return path


def test_the_example_of_the_page_is_what_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    command, shown, *_ = (block for block in PAGE.split("\n\n") if block.startswith("    "))
    assert main(shlex.split(command)[1:]) == 1
    assert capsys.readouterr().out.splitlines() == [line[4:] for line in shown.splitlines()]


def test_its_commands_mint_keys_that_complete_the_unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (told,) = planned(capsys, UNLICENSED, "--sip", "7")
    keys = []
    for command in told["commands"]:
        assert main(shlex.split(command)[1:]) == 0
        keys += capsys.readouterr().out.split()
    assert len(keys) == sum(len(row["buy"]) for row in told["licences"])
    text = Path(UNLICENSED).read_text()
    licensed = tmp_path / "licensed.yaml"
    licensed.write_text(text + "\n    licences:\n" + "".join(f"      - {key}\n" for key in keys))
    (done,) = planned(capsys, str(licensed), "--sip", "7", code=0)
    assert (done["complete"], done["commands"]) == (True, [])


def test_issue_mints_for_the_card_with_the_secret_of_the_configuration(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two, three = planned(capsys, str(config), "--issue")
    for told in (one, two):
        ((key,), (licence,)) = told["keys"], told["licences"]
        assert (key["licence"], licence["missing"]) == ("IP500 Upgrade Standard to Professional", 1)
        decoded = recognise(key["key"])
        assert decoded is not None
        assert verify(decoded, told["serial"], SECRET.encode())
    assert (three["complete"], three["keys"]) == (True, [])
    assert main(["licence", "plan", str(config), "--issue", "--unit", "one"]) == 1
    *_, last = capsys.readouterr().out.splitlines()
    assert last.endswith("# one: IP500 Upgrade Standard to Professional, 1")


def test_units_that_are_alike_are_told_of_once(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licence", "plan", str(config)]) == 1
    heads = [line for line in capsys.readouterr().out.splitlines() if line and not line.startswith(" ")]
    assert heads == ["one to two (2 units): ip500 r5", "three: ip500 r5, card 0000000003"]
    assert main(["licence", "plan", str(config), "--unit", "one"]) == 1
    assert "with IPO_SIM_SECRET set to the configuration's secret" in capsys.readouterr().out


def test_a_unit_with_a_real_reader_is_planned_for_a_serial(capsys: pytest.CaptureFixture[str]) -> None:
    serial = str(CONFIGS / "serial-reader.yaml")
    assert planned(capsys, serial)[0]["complete"] is None
    assert main(["licence", "plan", serial]) == 1
    assert "no card in the configuration: --unit and --serial say" in capsys.readouterr().out
    assert planned(capsys, serial, "--serial", "1234567890", code=0)[0]["serial"] == "1234567890"
    assert planned(capsys, serial, "--serial", "1234567891")[0]["complete"] is False


def test_what_no_licence_gives_is_told_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licence", "plan", str(CONFIGS / "full.yaml"), "--vcm", "80"]) == 1
    assert "no licence helps: vcm-channels: 80 wanted" in capsys.readouterr().out
    assert main(["licence", "plan", str(CONFIGS / "full.yaml")]) == 0
    assert "nothing is missing for professional edition" in capsys.readouterr().out


def test_a_system_without_editions_has_none_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licence", "plan", str(CONFIGS / "ip406v2.yaml")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "  nothing is missing"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([UNLICENSED, "--serial", "12"], "10 decimal digits"),
        ([str(CONFIGS / "fleet.yaml"), "--serial", "1234567890"], "say which one with --unit"),
        ([UNLICENSED, "--vcm", "-1"], "no whole number"),
        ([UNLICENSED, "--unit", "bench-2"], "did you mean bench-1?"),
    ],
)
def test_mistakes_are_told(options: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(["licence", "plan", *options])
    except SystemExit as left:
        code = int(str(left.code))
    assert code == 2
    assert told in capsys.readouterr().err


DECT = """\
bench: {secret: of this bench}
units:
  - name: site
    model: ip500
    feature_key: {serial: "0000000001"}
    dect: {park: 1F-10-0A-4C-32, bases: ["02:00:5e:10:00:01", "02:00:5e:10:00:02"]%s}
"""


def test_an_ip_dect_system_needs_a_key_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPO_SIM_SECRET", SECRET)
    path = tmp_path / "site.yaml"
    path.write_text(DECT % "")
    assert main(["licence", "plan", str(path)]) == 1
    assert "  missing: IP DECT key for 2 base stations: there is none" in capsys.readouterr().out.splitlines()
    (told,) = planned(capsys, str(path), "--issue")
    assert (told["complete"], told["licences"], told["keys"]) == (False, [], [])
    (command,) = told["commands"]
    assert main(shlex.split(command)[1:]) == 0
    minted = capsys.readouterr().out.strip()
    assert minted == told["dect_key"]
    path.write_text(DECT % f", licence: {minted}")
    (told,) = planned(capsys, str(path), code=0)
    assert (told["complete"], told["dect"]["lacking"], told["commands"]) == (True, "", [])
    assert main(["licence", "plan", str(path)]) == 0
    assert "  the IP DECT key for 2 base stations is there" in capsys.readouterr().out.splitlines()
