"""`ipo-sim licence import` and `export`: into and out of configurations and units that run."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from ipo_sim.cli import csv_file
from ipo_sim.cli.main import main
from ipo_sim.config.load import load_config
from ipo_sim.licensing.key import DEFAULT_SECRET, issue
from ipo_sim.runtime import arguments as limits
from tests.cli.daemons import ROOT

FULL = ROOT / "configs" / "full.yaml"
PROFESSIONAL = "04002001000000FR876BDQYYHKF0Y5E4"


def a_key(nonce: int) -> str:
    return issue(
        licence_code=16, instances=2, expiry=None, serial="1234567890", secret=DEFAULT_SECRET, nonce=nonce
    ).text


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "bench.yaml"
    path.write_bytes(FULL.read_bytes())
    return path


def a_file(folder: Path, *rows: str) -> str:
    path = folder / "licences.csv"
    path.write_text("".join(f"{row}\n" for row in rows))
    return str(path)


def test_good_rows_go_in_and_bad_ones_are_told(
    tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = a_file(tmp_path, f"SIP,{a_key(1)}", "SIP,short", f"P,{PROFESSIONAL}", f"SIP,{a_key(2)}", f"SIP,{a_key(1)}")
    assert main(["licence", "import", "bench-1", file, "--config", str(config)]) == 1
    out, err = capsys.readouterr()
    assert out == "bench-1: 2 keys entered, 2 there already, 1 bad row\n"
    assert err.splitlines() == [
        f"{file}:2: a licence key has 32 characters, this one 5",
        f"{file}:3: warning: {PROFESSIONAL} is there already",
        f"{file}:5: warning: the same key as in line 1; it counts once",
    ]
    (old,), (new,) = load_config(FULL).units, load_config(config).units
    assert new.licences == (*old.licences, a_key(1), a_key(2))
    added = set(config.read_text().splitlines()) - set(FULL.read_text().splitlines())
    assert {line.strip() for line in added} == {f"- '{a_key(1)}'", f"- '{a_key(2)}'"}


def test_what_is_exported_is_imported_again(tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "out.csv")
    assert main(["licence", "export", "bench-1", file, "--config", str(config)]) == 0
    assert capsys.readouterr().err == f"bench-1: 8 licences in {file}\n"
    empty = tmp_path / "empty.yaml"
    empty.write_text("units:\n  - name: bench-1\n    model: ip500\n")
    assert main(["licence", "import", "bench-1", file, "--config", str(empty)]) == 0
    (one,), (other,) = load_config(config).units, load_config(empty).units
    assert one.licences == other.licences
    assert main(["licence", "export", "bench-1", "--config", str(empty)]) == 0
    assert capsys.readouterr().out.encode().endswith(Path(file).read_bytes())
    assert main(["licence", "export", "bench-1", "--config", str(empty), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed[0] == {"name": "IP500 Upgrade Standard to Professional", "key": PROFESSIONAL}
    assert main(["licence", "export", "bench-1", file, "--config", str(empty), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"unit": "bench-1", "file": file, "licences": 8}


def test_a_link_stays_one_and_permissions_stay(tmp_path: Path, config: Path) -> None:
    config.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(config.name)
    file = a_file(tmp_path, a_key(1))
    assert main(["licence", "import", "bench-1", file, "--config", str(link)]) == 0
    assert link.is_symlink()
    assert config.stat().st_mode & 0o7777 == 0o640
    assert a_key(1) in config.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench.yaml", "home", "licences.csv", "link.yaml"]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"SIP,\xe4\n", [], "licences.csv: byte 5, in line 1, is not UTF-8"),
        (None, [], "licences.csv: No such file"),
        (b"", ["--load"], "--load is for a unit that runs"),
    ],
)
def test_nothing_is_done(
    content: bytes | None,
    options: list[str],
    message: str,
    tmp_path: Path,
    config: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "licences.csv"
    if content is not None:
        file.write_bytes(content)
    assert main(["licence", "import", "bench-1", str(file), "--config", str(config), *options]) == 2
    assert message in capsys.readouterr().err
    assert config.read_bytes() == FULL.read_bytes()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("units: [{name: bench-1, model: ip500, count: 1}]", "is one of 1"),
        ("units: [{name: one, model: ip500}]", "has no unit bench-1"),
        ("units: [{name: bench-1, model: ip500,}]", "there is no safe place for more licences of unit bench-1"),
    ],
)
def test_a_configuration_that_cannot_take_them_stays_as_it_is(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "bench.yaml"
    config.write_text(text)
    assert main(["licence", "import", "bench-1", a_file(tmp_path, a_key(1)), "--config", str(config)]) == 2
    assert message in capsys.readouterr().err
    assert config.read_text() == text


def test_of_many_warnings_the_first_are_shown(tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = a_file(tmp_path, *[f"P,{PROFESSIONAL}"] * (csv_file.MAX_WARNINGS + 6))
    assert main(["licence", "import", "bench-1", file, "--config", str(config)]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == csv_file.MAX_WARNINGS + 1
    assert lines[-1] == f"{file}: warning: and 6 more rows are there already"


def test_progress_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, shown in ((io.StringIO(), ""), (Terminal(), "\r5,000 of 100,000 keys\r\x1b[K")):
        monkeypatch.setattr(sys, "stderr", stream)
        progress = csv_file.Progress(100_000, "keys")
        progress.show(5_000)
        progress.end()
        assert stream.getvalue() == shown


def imported(bench: Path, capsys: pytest.CaptureFixture[str], file: str, *options: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = main(["licence", "import", "bench-1", file, "--json", "--state-dir", str(bench), *options])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_a_running_unit_takes_more_than_one_request_holds(
    bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [a_key(nonce) for nonce in range(limits.MAX_KEYS + 500)]
    file = a_file(tmp_path, *[f"Receptionist,{key}" for key in keys], "Receptionist,bad", f"P,{PROFESSIONAL}")
    code, report = imported(bench, capsys, file, "--load")
    assert code == 1
    assert (report["rows"], report["entered"], report["loaded"]) == (len(keys) + 2, len(keys), True)
    assert report["problems"] == [{"line": len(keys) + 1, "message": "a licence key has 32 characters, this one 3"}]
    assert report["warnings"] == [{"line": len(keys) + 2, "message": f"{PROFESSIONAL} is there already"}]
    out = tmp_path / "out.csv"
    assert main(["licence", "export", "bench-1", str(out), "--state-dir", str(bench)]) == 0
    rows = [line.split(",") for line in out.read_text().splitlines()]
    assert [key for _, key in rows[-len(keys) :]] == keys
    assert rows[0] == ["IP500 Upgrade Standard to Professional", PROFESSIONAL]
    code, report = imported(bench, capsys, str(out))
    assert (code, report["entered"], len(report["warnings"])) == (0, 0, len(rows))


@pytest.mark.slow
def test_without_load_the_keys_are_unknown(bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = a_file(tmp_path, a_key(20_000))
    assert main(["licence", "import", "bench-1", file, "--state-dir", str(bench)]) == 0
    assert "ipo-sim ctl bench-1 load-configuration" in capsys.readouterr().out
    assert main(["licence", "import", "bench-1", file, "--load", "--state-dir", str(bench)]) == 0


@pytest.mark.slow
def test_no_such_unit(bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = a_file(tmp_path, a_key(1))
    assert main(["licence", "import", "bench-2", file, "--state-dir", str(bench)]) == 1
    assert "did you mean bench-1?" in capsys.readouterr().err
