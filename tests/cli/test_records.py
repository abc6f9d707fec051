"""`ipo-sim records`: CSV files of four types into a configuration and out of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipo_sim.cli.main import main
from ipo_sim.config.load import load_config

CONFIG = """\
# a bench
units:
  - name: bench-1   # the one
    model: ip500
    users:
      - {name: anna, extension: 201}
"""
FILES = {
    "Directory": "Front desk,0123456789\r\n",
    "HG": "Sales,301,0,1,0,0,1,1,0,a@example.com\r\n",
    "Shortcode": "*17,?U,VoicemailCollect\r\n9,,Dial\r\n",
    "User": "anna,,201,basic,\r\nbob,Bob B,202,power-user,receptionist\r\n",
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "bench.yaml"
    path.write_text(CONFIG)
    return path


@pytest.mark.parametrize("kind", FILES)
def test_what_is_imported_is_exported(
    kind: str, tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"{kind}.csv"
    file.write_bytes(FILES[kind].encode())
    assert main(["records", "import", "bench-1", str(file), "--config", str(config)]) == 0
    told = capsys.readouterr().out
    assert f"type {kind} entered" in told
    out = tmp_path / "out.csv"
    assert main(["records", "export", "bench-1", str(out), "--type", kind.lower(), "--config", str(config)]) == 0
    assert out.read_bytes() == file.read_bytes()
    assert config.read_text().startswith(CONFIG)


def test_bad_rows_are_told_and_the_others_go_in(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = config.with_name("directory.csv")
    file.write_text("a,1\nb,x\na,2\nc,3\n")
    assert main(["records", "import", "bench-1", str(file), "--config", str(config)]) == 1
    out, err = capsys.readouterr()
    assert out == "bench-1: 2 records of type Directory entered, 1 there already, 1 bad row\n"
    assert err.splitlines() == [
        f"{file}:2: 'x' is not a number of 1 to 31 digits, * # or +",
        f"{file}:3: warning: a is there already",
    ]
    assert [(record.name, record.number) for record in load_config(config).units[0].directory] == [
        ("a", "1"),
        ("c", "3"),
    ]
    assert main(["records", "import", "bench-1", str(file), "--config", str(config), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["type"], report["rows"], report["entered"], len(report["warnings"])) == ("Directory", 4, 0, 3)


def test_json_of_an_export(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["records", "export", "bench-1", "--type", "User", "--config", str(config), "--json"]) == 0
    row = {"name": "anna", "full name": "", "extension": "201", "profile": "basic", "features": ""}
    assert json.loads(capsys.readouterr().out) == [row]


def test_the_type_has_to_be_known(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["records", "import", "bench-1", "rows.csv", "--config", str(config)]) == 2
    assert "--type is one of Directory, HG, Shortcode, User" in capsys.readouterr().err


def test_a_file_that_is_not_utf_8_changes_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = config.with_name("HG.csv")
    file.write_bytes(b"a,1\n\xff\n")
    assert main(["records", "import", "bench-1", str(file), "--config", str(config)]) == 2
    assert "HG.csv: byte 5, in line 2, is not UTF-8" in capsys.readouterr().err
    assert config.read_text() == CONFIG
