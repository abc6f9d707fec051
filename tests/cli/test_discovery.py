"""Which broker a command talks to, and how it finds the daemon of a state directory."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import pytest

from ipo_sim.cli.command_line import parse
from ipo_sim.cli.daemon_file import FILE_NAME, Daemon, published, read_daemon
from ipo_sim.cli.discovery import Target, find_broker
from ipo_sim.cli.failure import UsageError
from ipo_sim.cli.state_dir import default_state_dir
from ipo_sim.client.connection import HttpAddress
from ipo_sim.errors import JournalError
from ipo_sim.mqtt.settings import MqttSettings

HERE = Daemon(os.getpid(), "mqtt://127.0.0.1:1999", "lab", ("bench-1",))


def broker_of(target: Target) -> MqttSettings:
    """What it is when it is a broker."""
    assert isinstance(target.address, MqttSettings)
    return target.address


def arguments(*options: object) -> Namespace:
    return parse(["ctl", "bench-1", "restart", *map(str, options)])


def gone_pid() -> int:
    """The number of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(20)
    return process.pid


def test_the_line_goes_before_the_environment_and_that_before_the_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with published(tmp_path, HERE):
        found = find_broker(arguments("--state-dir", tmp_path))
        assert (broker_of(found).url, broker_of(found).prefix) == ("mqtt://127.0.0.1:1999", "lab")
        monkeypatch.setenv("IPO_SIM_BROKER", "mqtt://other:1884")
        assert broker_of(find_broker(arguments("--state-dir", tmp_path))).url == "mqtt://other:1884"
        line = arguments("--state-dir", tmp_path, "--broker", "mqtts://third")
        assert broker_of(find_broker(line)).url == "mqtts://third"


def test_without_anything_it_is_the_usual_broker(tmp_path: Path) -> None:
    found = find_broker(arguments("--state-dir", tmp_path))
    assert (broker_of(found).url, broker_of(found).prefix) == ("mqtt://127.0.0.1:1883", "ipo-sim")
    assert "`ipo-sim run` starts one" in found.hint
    assert "ended without a word" not in found.hint


def test_a_daemon_that_was_killed_is_not_asked(tmp_path: Path) -> None:
    with published(tmp_path, Daemon(gone_pid(), "mqtt://127.0.0.1:1999", "lab", ())):
        found = find_broker(arguments("--state-dir", tmp_path))
    assert broker_of(found).url == "mqtt://127.0.0.1:1883"
    assert f"the last daemon on {tmp_path} ended without a word" in found.hint


def test_a_full_disk_is_named_where_the_daemon_would_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    with published(tmp_path, HERE):
        found = find_broker(arguments("--state-dir", tmp_path))
    assert f"no space is left for {tmp_path}" in found.hint


def test_the_prefix_is_the_daemons_on_its_own_broker_and_that_of_the_line_before_all(tmp_path: Path) -> None:
    with published(tmp_path, HERE):
        same = arguments("--state-dir", tmp_path, "--broker", "mqtt://127.0.0.1:1999")
        assert broker_of(find_broker(same)).prefix == "lab"
        other = arguments("--state-dir", tmp_path, "--broker", "mqtt://127.0.0.1:1884")
        assert broker_of(find_broker(other)).prefix == "ipo-sim"
        assert broker_of(find_broker(arguments("--state-dir", tmp_path, "--prefix", "mine"))).prefix == "mine"


def test_the_time_to_wait_is_that_of_the_line(tmp_path: Path) -> None:
    assert find_broker(arguments("--state-dir", tmp_path)).timeout_s == 5.0
    found = find_broker(arguments("--state-dir", tmp_path, "--timeout", "0.5"))
    assert (found.timeout_s, broker_of(found).timeout_s) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--broker", "broker"], "--broker: mqtt url 'broker'"),
        (["--broker", "ftp://broker"], "--broker: "),
        (["--broker", "mqtt://broker:x"], "--broker: "),
        (["--prefix", "a b"], "--prefix: "),
        (["--prefix", "#"], "--prefix: "),
    ],
)
def test_what_is_no_broker_is_told(options: list[str], told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="^" + told):
        find_broker(arguments("--state-dir", tmp_path, *options))


def test_a_bad_variable_is_told_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPO_SIM_BROKER", "broker")
    with pytest.raises(UsageError, match=r"^IPO_SIM_BROKER: "):
        find_broker(arguments("--state-dir", tmp_path))


def test_a_password_is_read_from_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "bench.yaml"
    config.write_text("units: [{model: ip500}]\nmqtt: {url: 'mqtt://lab:1884', username: me, password: secret}")
    daemon = Daemon(os.getpid(), "mqtt://lab:1884", "ipo-sim", (), str(config))
    with published(tmp_path, daemon):
        assert "secret" not in (tmp_path / FILE_NAME).read_text()
        settings = broker_of(find_broker(arguments("--state-dir", tmp_path)))
    assert (settings.username, settings.password) == ("me", "secret")


def test_the_file_is_there_as_long_as_the_daemon(tmp_path: Path) -> None:
    with published(tmp_path, HERE):
        assert read_daemon(tmp_path) == HERE
        assert [path.name for path in tmp_path.glob("daemon*")] == [FILE_NAME]
    assert read_daemon(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"pid": "1", "broker": "x", "prefix": "y", "units": []}', '{"pid": 1, "units": 5}'],
)
def test_a_file_that_says_nothing_is_none(content: str, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    assert read_daemon(tmp_path) is None


def test_a_state_directory_that_takes_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"), published(tmp_path / "none", HERE):
        pass


def test_a_daemon_of_another_user_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.kill", forbidden)
    assert HERE.alive


def test_the_default_state_directory_follows_the_xdg_specification(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert default_state_dir() == home / ".local" / "state" / "ipo-sim"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert default_state_dir() == home / ".local" / "state" / "ipo-sim"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_state_dir() == tmp_path / "ipo-sim"


def test_a_control_api_is_found_by_its_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_broker(arguments("--state-dir", tmp_path, "--broker", "http://:secret@127.0.0.1:8080/"))
    assert found.address == HttpAddress("http://127.0.0.1:8080", "secret")
    assert "secret" not in f"{found}{found.address}"
    monkeypatch.setenv("IPO_SIM_BROKER", "https://bench.lab")
    assert find_broker(arguments("--state-dir", tmp_path)).address == HttpAddress("https://bench.lab")
    with pytest.raises(UsageError, match=r"--broker: http url 'http://': expected http://HOST"):
        find_broker(arguments("--state-dir", tmp_path, "--broker", "http://:secret@"))
