"""A report for a bug: everything that tells what happened, and no byte of a secret."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from ipo_sim.cli.journal.secrets_removed import MIN_CHARACTERS, Secrets, forms
from ipo_sim.cli.journal.source import EXPORT_NAME
from ipo_sim.cli.main import main
from ipo_sim.core.events import FeatureKeyRemoved, LicenceAdded
from tests.cli.daemons import ipo_sim, started
from tests.core.bench import VOICEMAIL_PRO, key
from tests.core.dect_bench import dect_key, system
from tests.runtime.bench import A, B, boot, open_bench, small

BENCH_SECRET = 'only "ours", und grün'
UNIT_SECRET = "a secret of one unit"
SERVER_SECRET = "between unit & server"
PASSWORD = "p@ss/w0rd: 100%"
FILED = "in a file of its own"
URL_PASSWORD = "t0ken-in-the-url"
FROM_ENVIRONMENT = "from the environment"
SHORT = "1234"
Capture = pytest.CaptureFixture[str]
SECRETS = (BENCH_SECRET, UNIT_SECRET, SERVER_SECRET, PASSWORD, FILED, URL_PASSWORD, FROM_ENVIRONMENT)

CONFIG = f"""
# The password of the lab is {PASSWORD}
bench: {{secret: {json.dumps(BENCH_SECRET)}}}
units:
  - name: a
    model: ip500
    secret: {UNIT_SECRET}
    licences: [{key(secret=UNIT_SECRET.encode())}, {key(secret=UNIT_SECRET.encode(), nonce=77)}]
  - name: b
    model: ip412
    feature_key: {{reader: key-server, licence_server_secret: "{SERVER_SECRET}"}}
mqtt:
  url: mqtt://someone:{URL_PASSWORD}@broker.lab:1883
  username: someone
  password: "{PASSWORD}"
  password_file: password.txt
  note: {{api_token: {SHORT}}}
"""


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A journal of two units with secrets of their own; one of them stands even in a cause."""
    folder = tmp_path / "state"
    secret, other = UNIT_SECRET.encode(), BENCH_SECRET.encode()
    unit = replace(small(A, key(secret=secret)), secret=secret, dect=replace(system(), key=dect_key(secret=secret)))
    with closing(open_bench(folder, unit, replace(small(B, key(secret=other)), secret=other))) as runtime:
        boot(runtime)
        runtime.engine.apply(A, LicenceAdded(key(VOICEMAIL_PRO, secret=secret)), f"command:add-licence#{PASSWORD}")
        runtime.engine.apply(B, FeatureKeyRemoved(), "hand")
    return folder


@pytest.fixture
def report(state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The report of everything there is."""
    (tmp_path / "bench.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "password.txt").write_text(f"{FILED}\n")
    monkeypatch.setenv("IPO_SIM_SECRET", FROM_ENVIRONMENT)
    lines = [f"line {number}" for number in range(5_000)]
    lines += [form for secret in SECRETS for form in forms(secret)]
    lines += [json.dumps({"error": f"refused {PASSWORD}, {SHORT}, 12345"}), key(secret=UNIT_SECRET.encode())]
    lines += [f"{Path.home()}/ipo-sim/state", key(secret=BENCH_SECRET.encode(), nonce=99)]
    (tmp_path / "daemon.log").write_text("\n".join(lines), encoding="utf-8")
    output = tmp_path / "report.zip"
    words = ["--config", tmp_path / "bench.yaml", "--log", tmp_path / "daemon.log", "--state-dir", state_dir]
    assert main(["journal", "attach", str(output), *map(str, words)]) == 0
    return output


def contents(report: Path) -> dict[str, str]:
    with ZipFile(report) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_no_byte_of_it_is_a_secret(report: Path, state_dir: Path, capsys: Capture) -> None:
    members = contents(report)
    everything = report.read_bytes() + "".join(members.values()).encode()
    for secret in SECRETS:
        assert len(secret) >= MIN_CHARACTERS
        for form in forms(secret):
            assert form.encode() not in everything, form
    issued = [
        key(secret=UNIT_SECRET.encode()),
        key(secret=UNIT_SECRET.encode(), nonce=77),
        key(VOICEMAIL_PRO, secret=UNIT_SECRET.encode()),
        key(secret=BENCH_SECRET.encode()),
        key(secret=BENCH_SECRET.encode(), nonce=99),
        dect_key(secret=UNIT_SECRET.encode()),
    ]
    assert not [text for text in issued if text.encode() in everything]
    # They were there to be found.
    capsys.readouterr()
    main(["journal", "export", "--state-dir", str(state_dir)])
    plain = capsys.readouterr().out
    assert UNIT_SECRET.encode().hex() in plain
    assert PASSWORD in plain


def test_it_holds_what_happened(report: Path, state_dir: Path, capsys: Capture) -> None:
    members = contents(report)
    assert list(members) == ["README.txt", "report.json", "config.yaml", "log.txt", EXPORT_NAME]
    told = json.loads(members["report.json"])
    assert told["findings"] == []
    assert [replay["differences"] for replay in told["replay"]] == [[], []]
    assert {"ipo-sim", "python", "sqlite", "system", "aiomqtt", "pydantic"} <= told["versions"].keys()
    config = yaml.safe_load(members["config.yaml"])
    assert config["mqtt"]["username"] == "someone"
    assert config["mqtt"]["url"] == "mqtt://someone:(removed)@broker.lab:1883"
    assert config["mqtt"]["password"] == config["bench"]["secret"] == config["mqtt"]["note"]["api_token"] == "(removed)"
    assert config["mqtt"]["password_file"] == "password.txt"
    assert config["units"][0]["licences"][1] == "(removed)"
    log = members["log.txt"].splitlines()
    assert len(log) == 2_000
    assert "line 4999" in log
    assert '{"error": "refused (removed), (removed), 12345"}' in log
    assert "~/ipo-sim/state" in log
    capsys.readouterr()
    assert main(["journal", "replay", "--file", str(report)]) == 0
    assert capsys.readouterr().out.count("comes to the same") == 2
    assert main(["journal", "verify", "--file", str(report)]) == 0
    main(["journal", "at", "a", "5", "--file", str(report), "--json"])
    there = json.loads(capsys.readouterr().out.splitlines()[-1])["entities"]
    main(["journal", "at", "a", "5", "--state-dir", str(state_dir), "--json"])
    here = json.loads(capsys.readouterr().out)["entities"]
    for path, entity in here.items():
        same = {name: value for name, value in entity.items() if name != "key"}
        assert {name: value for name, value in there[path].items() if name != "key"} == same


def test_the_licence_of_the_configuration_is_that_of_the_journal(report: Path) -> None:
    members = contents(report)
    (first, _) = yaml.safe_load(members["config.yaml"])["units"][0]["licences"]
    epoch = json.loads(members[EXPORT_NAME].splitlines()[1])
    assert epoch["definition"]["licences"] == [first] == [key()]


def test_the_same_state_makes_the_same_file(state_dir: Path, tmp_path: Path) -> None:
    for name in ("one.zip", "other.zip"):
        assert main(["journal", "attach", str(tmp_path / name), "--state-dir", str(state_dir)]) == 0
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()


def test_a_secret_that_cannot_be_removed_keeps_the_report_from_being_written(tmp_path: Path, capsys: Capture) -> None:
    with closing(open_bench(tmp_path / "state", small("password-unit"))):
        pass
    (tmp_path / "bench.yaml").write_text("mqtt: {password: password-unit}\n")
    output = tmp_path / "report.zip"
    words = [output, "--config", tmp_path / "bench.yaml", "--state-dir", tmp_path / "state"]
    assert main(["journal", "attach", *map(str, words)]) == 1
    assert "no report is written: line 2 of it would hold a secret" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.glob("report*")) == []


@pytest.mark.parametrize(
    ("option", "content", "message"),
    [
        ("--config", b"a: [", "cannot be read: ParserError; what cannot be read cannot be freed of secrets"),
        ("--config", None, "cannot be read: FileNotFoundError"),
        ("--log", None, "No such file or directory"),
    ],
)
def test_what_cannot_be_read_is_said(
    state_dir: Path,
    tmp_path: Path,
    option: str,
    content: bytes | None,
    message: str,
    capsys: Capture,
) -> None:
    if content is not None:
        (tmp_path / "given").write_bytes(content)
    words = [tmp_path / "report.zip", option, tmp_path / "given", "--state-dir", state_dir]
    assert main(["journal", "attach", *map(str, words)]) in (1, 2)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "report.zip").exists()


def test_what_is_public_stays() -> None:
    secrets = Secrets({key(): key()})
    secrets.learn({"bench": {"secret": "ipo-sim public bench secret"}}, Path())
    assert secrets.text(f"ipo-sim public bench secret, {key()}") == f"ipo-sim public bench secret, {key()}"
    secrets.add("something else")
    assert secrets.text(f"{key()} {key(nonce=5)} something else") == f"{key()} (removed) (removed)"


@pytest.mark.slow
def test_beside_a_running_daemon(tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    config = tmp_path / "bench.yaml"
    units = "units: [{name: a, model: ip500}]"
    mqtt = "mqtt: {password_file: password.txt, username: me}"
    config.write_text(f"bench: {{secret: {UNIT_SECRET}}}\n{units}\n{mqtt}\n")
    (tmp_path / "password.txt").write_text(FILED)
    with started(state_dir, config) as daemon:
        daemon.until(".")
        done = ipo_sim("journal", "attach", tmp_path / "report.zip", "--state-dir", state_dir, home=tmp_path)
        assert done.returncode == 0, done.stderr
    text = "".join(contents(tmp_path / "report.zip").values())
    assert "ip500" in text
    for secret in (UNIT_SECRET, FILED):
        assert not [form for form in forms(secret) if form in text]
