"""`ipo-sim run` as a process: how it starts, what it says, how it ends, and what it leaves for the next one."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipo_sim.cli.main import main
from tests.cli.conftest import HOST, mosquitto_in
from tests.cli.daemons import DEADLINE_S, ROOT, environment, ipo_sim, started, words
from tests.requirements import require

FULL = ROOT / "configs" / "full.yaml"

pytestmark = pytest.mark.slow


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"


def ctl(state_dir: Path, *line: str) -> int:
    return main(["ctl", "--state-dir", str(state_dir), *line])


def entity(state_dir: Path, path: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """What the unit says of an entity."""
    capsys.readouterr()
    assert ctl(state_dir, "bench-1", "status", "--json") == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)["entities"][path]
    return found


def boot(state_dir: Path) -> None:
    """Up to the end of the boot, whatever the clock does."""
    assert ctl(state_dir, "bench-1", "advance", "60") == 0


def retained(url: str, topic: str) -> str:
    """What a stock client gets there."""
    port = url.rpartition(":")[2]
    command = [str(require("mosquitto_sub")), "-h", HOST, "-p", port, "-t", topic, "-C", "1", "-W", "15"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    return run.stdout.strip()


def test_a_demonstration_unit_boots_on_a_broker_of_its_own(state_dir: Path) -> None:
    with started(state_dir, "--time-scale", "1000") as daemon:
        daemon.until("bench-1: running, professional edition, .* 16 of 16 parts in service")
        url = daemon.file["broker"]
        assert f"broker: {url} (our own)" in daemon.output
        assert url.startswith(f"mqtt://{HOST}:")
        assert daemon.file["units"] == ["bench-1"]
        assert daemon.stop() == 0


def test_the_lines_that_it_says_can_be_typed(state_dir: Path, home: Path) -> None:
    with started(state_dir) as daemon:
        lines = {line.partition(": ")[0]: words(line) for line in daemon.output}
        for title in ("move time on", "pull the card", "put it back", "ask why", "all commands"):
            _, *arguments = lines[title]
            assert arguments[:2] == ["-m", "ipo_sim"]
            run = subprocess.run(
                [sys.executable, *arguments],
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
                cwd=ROOT,
                env=environment(home),
            )
            assert (run.returncode, run.stderr) == (0, ""), title


def test_a_stock_client_sees_the_unit_where_it_says(state_dir: Path) -> None:
    require("mosquitto_sub")
    with started(state_dir) as daemon:
        (line,) = [line for line in daemon.output if line.startswith("all topics: ")]
        host, port = re.search(r"-h (\S+) -p (\d+)", line).groups()  # type: ignore[union-attr] # else it fails
        assert f"mqtt://{host}:{port}" == daemon.file["broker"]
        assert retained(daemon.file["broker"], "ipo-sim/bench-1/availability") == "online"
        assert json.loads(retained(daemon.file["broker"], "ipo-sim/bench-1/unit"))["state"] == "starting"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order(number: signal.Signals, state_dir: Path, mosquitto: str) -> None:
    with started(state_dir, FULL, "--broker", mosquitto) as daemon:
        assert retained(mosquitto, "ipo-sim/bench-1/availability") == "online"
        assert daemon.stop(number) == 0
        assert "Traceback" not in daemon.log
    assert retained(mosquitto, "ipo-sim/bench-1/availability") == "offline"
    assert not (state_dir / "daemon.json").exists()


def test_a_killed_daemon_is_offline_by_its_last_will(state_dir: Path, mosquitto: str) -> None:
    with started(state_dir, "--broker", mosquitto) as daemon:
        daemon.process.kill()
        daemon.wait()
    command = [str(require("mosquitto_sub")), "-p", mosquitto.rpartition(":")[2], "-h", HOST]
    command += ["-t", "ipo-sim/bench-1/availability", "-W", "15"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as subscriber:
        assert subscriber.stdout is not None
        assert "offline\n" in iter(subscriber.stdout.readline, "")
        subscriber.kill()


@pytest.fixture
def taken() -> Iterator[int]:
    """Port 1883, in our hands: a daemon of another test that has it will go, a broker of this machine will not."""
    end = time.monotonic() + DEADLINE_S / 4
    while time.monotonic() < end:
        try:
            holder = socket.create_server((HOST, 1883))
        except OSError:
            continue
        with holder:
            yield 1883
        return
    pytest.skip("a broker of this machine has port 1883")


def test_a_taken_port_makes_it_take_the_next_one(taken: int, state_dir: Path) -> None:
    with started(state_dir) as daemon:
        port = int(daemon.file["broker"].rpartition(":")[2])
        assert port > taken
        assert f"broker: mqtt://{HOST}:{port} (our own)" in daemon.output


def test_a_second_daemon_on_the_same_state_directory_is_refused(state_dir: Path, home: Path) -> None:
    with started(state_dir) as daemon:
        second = ipo_sim("run", "--state-dir", state_dir, home=home)
        assert second.returncode == 1
        assert second.stderr == (
            f"ipo-sim: the state directory {state_dir} is in use by another daemon: stop that one or choose another"
            " directory\n"
        )
        # It has taken nothing from the first one.
        assert daemon.file["pid"] == daemon.process.pid


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none.yaml"], "none.yaml: No such file or directory\n"),
        (["--time-scale", "0"], "ipo-sim: --time-scale: a time scale lies between 0.1 and 100,000, not 0.0\n"),
        (["--time-scale", "nan"], "ipo-sim: --time-scale: a time scale lies between 0.1 and 100,000, not nan\n"),
        (["--broker", "broker"], "ipo-sim: --broker: mqtt url 'broker': expected mqtt://HOST[:PORT] or"),
    ],
)
def test_what_cannot_be_run_is_told_in_one_line(arguments: list[str], told: str, state_dir: Path, home: Path) -> None:
    run = ipo_sim("run", *arguments, "--state-dir", state_dir, home=home)
    assert run.returncode == 2
    assert run.stderr.startswith(told)
    assert run.stderr.count("\n") == 1
    assert run.stdout == ""


def test_a_broken_configuration_is_told_whole(tmp_path: Path, state_dir: Path, home: Path) -> None:
    config = tmp_path / "bench.yaml"
    config.write_text("units:\n  - model: ip5000\n    slotz: {1: DS8}\n")
    run = ipo_sim("run", config, "--state-dir", state_dir, home=home)
    assert run.returncode == 2
    assert [line.partition(": ")[0] for line in run.stderr.splitlines()] == [f"{config}:2:12", f"{config}:3:5"]
    piped = ipo_sim("run", "/dev/stdin", "--state-dir", state_dir, home=home, input=config.read_text())
    assert piped.stderr == run.stderr.replace(str(config), "/dev/stdin")
    assert not state_dir.exists()


def test_certificates_that_are_not_there_are_told(tmp_path: Path, state_dir: Path, home: Path) -> None:
    config = tmp_path / "bench.yaml"
    config.write_text("units: [{model: ip500}]\nmqtt: {url: 'mqtts://127.0.0.1:1', tls: {ca: none.pem}}\n")
    run = ipo_sim("run", config, "--state-dir", state_dir, home=home)
    assert run.returncode == 2
    assert "none.pem" in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_state_directory_that_cannot_be_made_is_told(tmp_path: Path, home: Path) -> None:
    (tmp_path / "file").touch()
    run = ipo_sim("run", "--state-dir", tmp_path / "file" / "state", home=home)
    assert run.returncode == 1
    assert run.stderr.startswith(f"ipo-sim: the state directory {tmp_path / 'file' / 'state'} cannot be used: Not a")
    assert run.stderr.count("\n") == 1


def test_warnings_of_the_configuration_are_logged(tmp_path: Path, state_dir: Path) -> None:
    config = tmp_path / "bench.yaml"
    config.write_text("units: [{model: ip500, licences: [" + f"{'Z' * 32}, " * 2 + "]}]")
    with started(state_dir, config) as daemon:
        assert "the same key as units[0].licences[0]: it counts once" in daemon.log


def test_the_card_that_was_pulled_stays_out(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with started(state_dir) as daemon:
        boot(state_dir)
        assert ctl(state_dir, "bench-1", "remove-card") == 0
        assert daemon.stop() == 0
    with started(state_dir):
        key = entity(state_dir, "feature-key", capsys)
        assert (key["presence"], key["condition"]) == ("absent", "grace")
        assert ctl(state_dir, "bench-1", "advance", "7200") == 0
        assert ctl(state_dir, "bench-1", "watch", "--until", "unit.state=awaiting_feature_key") == 0


def test_a_daemon_that_was_killed_goes_on_where_it_was(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with started(state_dir) as daemon:
        boot(state_dir)
        assert ctl(state_dir, "bench-1", "remove-card") == 0
        assert ctl(state_dir, "bench-1", "withdraw", "expansion/3") == 0
        before = entity(state_dir, "feature-key", capsys), entity(state_dir, "expansion/3", capsys)
        daemon.process.kill()
        daemon.wait()
        assert daemon.file["pid"] == daemon.process.pid  # left behind
        assert not any(line.startswith("goes on") for line in daemon.output)
    with started(state_dir) as daemon:
        assert (entity(state_dir, "feature-key", capsys), entity(state_dir, "expansion/3", capsys)) == before
        assert any(re.fullmatch("goes on: where .* run --state-dir .* --fresh", line) for line in daemon.output)
        assert daemon.stop() == 0


def test_fresh_begins_with_the_configuration(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with started(state_dir) as daemon:
        boot(state_dir)
        assert ctl(state_dir, "bench-1", "remove-card") == 0
        assert ctl(state_dir, "bench-1", "set-time", "pause=true") == 0
        assert daemon.stop() == 0
    with started(state_dir, "--fresh", "--time-scale", "1000") as daemon:
        daemon.until("bench-1: running, professional edition, .*card 1234567890, in order")
        assert entity(state_dir, "feature-key", capsys)["presence"] == "present"


def test_time_goes_on_as_commands_set_it_unless_the_line_says_otherwise(state_dir: Path) -> None:
    with started(state_dir) as daemon:
        assert ctl(state_dir, "bench-1", "set-time", "pause=true") == 0
        assert daemon.stop() == 0
    with started(state_dir) as daemon:
        assert daemon.output[1].startswith("time: paused (")
        assert daemon.stop() == 0
    with started(state_dir, "--time-scale", "60") as daemon:
        assert daemon.output[1].startswith("time: at scale 60 (")


def test_a_broker_that_is_away_is_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    state_dir = tmp_path / "state"
    with started(state_dir, "--broker", f"mqtt://{HOST}:{port}") as daemon:
        assert ctl(state_dir, "bench-1", "status", "--timeout", "2") == 1
        told = capsys.readouterr().err
        assert f"(the daemon on {state_dir} (process {daemon.process.pid}) should be there)" in told
        assert "mqtt_unavailable" in daemon.log
        assert daemon.stop() == 0


def test_the_log_is_as_it_was_asked_for(state_dir: Path) -> None:
    with started(state_dir, "--log", "json", "--log-level", "debug") as daemon:
        assert daemon.stop() == 0
        events = [json.loads(line)["event"] for line in daemon.log.splitlines()]
    assert {"broker_started", "mqtt_connected", "stopping"} <= set(events)


def test_the_console_log_has_no_colours_in_a_file(state_dir: Path) -> None:
    with started(state_dir, "--log", "console") as daemon:
        assert daemon.stop() == 0
        assert "mqtt_connected" in daemon.log
        assert "\x1b" not in daemon.log


def test_nobody_has_to_read_what_it_says(state_dir: Path) -> None:
    with started(state_dir) as daemon:
        assert daemon.process.stdout is not None
        daemon.process.stdout.close()
        boot(state_dir)
        assert ctl(state_dir, "bench-1", "remove-card") == 0
        assert ctl(state_dir, "bench-1", "insert-card") == 0
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(20) == 0


def test_a_fleet_is_one_daemon(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with started(state_dir, ROOT / "configs" / "fleet.yaml", "--time-scale", "1000") as daemon:
        daemon.until("^30 units: 30 running$")
        assert ctl(state_dir, "unit-0007", "remove-card") == 0
        capsys.readouterr()
        assert main(["why", "--state-dir", str(state_dir), "unit-0007", "feature-key"]) == 0
        assert "the feature key was removed" in capsys.readouterr().out
        assert daemon.stop() == 0


def test_a_serial_reader_that_is_not_there_is_waited_for(
    tmp_path: Path, state_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "bench.yaml"
    config.write_text(
        f"units: [{{name: bench-1, model: ip500, feature_key: {{reader: serial, port: {tmp_path}/tty}}}}]"
    )
    with started(state_dir, config) as daemon:
        assert not any(line.startswith("pull the card") for line in daemon.output)
        assert ctl(state_dir, "bench-1", "watch", "--until", "reader.state=lost", "--timeout", "15") == 0
        reader = entity(state_dir, "reader", capsys)
        assert (reader["kind"], reader["name"]) == ("serial", f"{tmp_path}/tty")
        assert "no such device" in str(reader["last_error"])
        assert ctl(state_dir, "bench-1", "remove-card") == 1
        assert "has a serial reader" in capsys.readouterr().err
        assert daemon.stop() == 0


def test_a_broker_with_passwords_is_reached_by_the_configuration(
    tmp_path: Path, state_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    passwords = tmp_path / "passwords"
    command = [str(require("mosquitto_passwd")), "-c", "-b", str(passwords), "me", "secret"]
    subprocess.run(command, check=True, timeout=20, capture_output=True)
    with mosquitto_in(tmp_path, f"password_file {passwords}\nallow_anonymous false\n") as url:
        config = tmp_path / "bench.yaml"
        config.write_text(
            f"units: [{{name: bench-1, model: ip500}}]\nmqtt: {{url: '{url}', username: me, password: secret}}\n"
        )
        with started(state_dir, config) as daemon:
            assert "secret" not in (state_dir / "daemon.json").read_text()
            assert ctl(state_dir, "bench-1", "restart") == 1  # it starts already, and says so
            assert "wrong-state" not in (told := capsys.readouterr().err)
            assert "restart is not possible while the unit is starting; possible: power off" in told
            stranger = ipo_sim("ctl", "--broker", url, "bench-1", "restart", home=tmp_path)
            assert stranger.returncode == 1
            assert "uthori" in stranger.stderr
            assert daemon.stop() == 0


def test_a_broker_that_dies_comes_back_with_all_that_it_knew(
    state_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with started(state_dir) as daemon:
        (pid,) = re.findall(r'"pid": (\d+), "event": "broker_started"', daemon.log)
        os.kill(int(pid), signal.SIGKILL)
        end = time.monotonic() + DEADLINE_S
        while "broker_restarted" not in daemon.log or ctl(state_dir, "bench-1", "status", "--timeout", "1") != 0:
            assert time.monotonic() < end, daemon.log
        assert entity(state_dir, "unit", capsys)["state"] == "starting"
        assert daemon.stop() == 0


def test_on_a_terminal_a_block_follows_the_unit(state_dir: Path, home: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ipo_sim", "run", "--state-dir", str(state_dir)]
    env = environment(home, TERM="xterm-256color")
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=env)
    os.close(theirs)
    try:
        shown = read_until(ours, "starting")
        boot(state_dir)
        shown += read_until(ours, "running")
        # The block of the boot made way for that of the running unit.
        assert re.search(r"\x1b\[5F\x1b\[J\x1b\[1mbench-1   \x1b\[0m\x1b\[32mrunning\x1b\[0m", shown)
        assert "\x1b[1mipo-sim        the demonstration, 1 unit; state in " in shown
        assert re.search(r"pull the card  .* ctl --state-dir \S+ bench-1 remove-card", shown)
        process.send_signal(signal.SIGINT)
        read_until(ours, "\nstopping; the next run goes on from here")
        assert process.wait(DEADLINE_S) == 0
    finally:
        process.kill()
        process.wait(DEADLINE_S)
        os.close(ours)


def read_until(terminal: int, word: str) -> str:
    """All that comes from a terminal, up to what has this word in it."""
    shown, end = "", time.monotonic() + DEADLINE_S
    while word not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        assert ready, shown
        shown += os.read(terminal, 65_536).decode()
    return shown
