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


def test_a_running_unit_has_users_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("import", "export"):
        assert main(["records", command, "bench-1", str(tmp_path / "HG.csv")]) == 2
        assert "HG: a unit that runs takes records of type User; the others go into --config" in capsys.readouterr().err


@pytest.mark.slow
def test_users_of_a_running_unit(bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["ctl", "bench-1", "advance", "10", "--state-dir", str(bench)])
    capsys.readouterr()
    file, state_dir = tmp_path / "User.csv", ["--state-dir", str(bench)]
    file.write_text("anna,Anna A,201\nbob,,201\ncarl,Carl C,203,ums-web-services\ndora,,,no-such\nerik,,204,basic,\n")
    assert main(["records", "import", "bench-1", str(file), *state_dir]) == 1
    out, err = capsys.readouterr()
    assert out == "bench-1: 2 records of type User entered, 0 there already, 3 bad rows\n"
    second, third, fourth = err.splitlines()
    assert second == f"{file}:2: extension 201 is that of User anna"
    assert third.startswith(f"{file}:3: carl: too few instances of UMS Web Services are free")
    assert fourth.startswith(f"{file}:4: 'no-such' is not for users; allowed: basic, ")
    exported = tmp_path / "out.csv"
    assert main(["records", "export", "bench-1", str(exported), "--type", "User", *state_dir]) == 0
    assert exported.read_bytes() == b"anna,Anna A,201,basic,\r\nerik,,204,basic,\r\n"
    assert main(["records", "import", "bench-1", str(exported), "--type", "User", "--json", *state_dir]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["entered"], len(report["warnings"]), report["problems"]) == (2, 0, 2, [])


def test_no_broker_no_users(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "User.csv"
    file.write_text("anna,,201\n")
    assert main(["records", "import", "bench-1", str(file), "--broker", "mqtt://127.0.0.1:1"]) == 1
    assert "ipo-sim: " in capsys.readouterr().err
