"""What is said when the other end is not there: no daemon, one that is offline, one that does not answer."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from ipo_sim.cli.main import main
from tests.cli.conftest import HOST
from tests.cli.daemons import ROOT, started
from tests.requirements import require

pytestmark = pytest.mark.slow


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"


def publish(url: str, topic: str, payload: str) -> None:
    """Have a broker retain what a daemon would have said."""
    port = url.rpartition(":")[2]
    command = [str(require("mosquitto_pub")), "-h", HOST, "-p", port, "-r", "-q", "1", "-t", topic, "-m", payload]
    subprocess.run(command, check=True, timeout=20)


def test_a_daemon_that_stopped_is_offline(state_dir: Path, mosquitto: str, capsys: pytest.CaptureFixture[str]) -> None:
    with started(state_dir, "--broker", mosquitto) as daemon:
        assert daemon.stop() == 0
    assert main(["ctl", "--broker", mosquitto, "bench-1", "restart"]) == 1
    told = "ipo-sim: unit bench-1 is offline: its daemon does not run, or has lost the broker\n"
    assert capsys.readouterr().err == told
    # What it said last is still there to be seen.
    assert main(["ctl", "--broker", mosquitto, "bench-1", "status"]) == 0
    assert capsys.readouterr().out.startswith("bench-1 offline\n")


def test_a_daemon_that_hangs_does_not_answer(
    state_dir: Path, mosquitto: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with started(state_dir, "--broker", mosquitto) as daemon:
        daemon.process.send_signal(signal.SIGSTOP)
        assert main(["ctl", "--state-dir", str(state_dir), "--timeout", "0.5", "bench-1", "restart"]) == 1
        daemon.process.send_signal(signal.SIGCONT)
    assert capsys.readouterr().err == "ipo-sim: unit bench-1 does not answer within 0.5 s\n"


def test_of_a_shared_connection_the_daemon_itself_is_asked(mosquitto: str, capsys: pytest.CaptureFixture[str]) -> None:
    publish(mosquitto, "ipo-sim/unit-1/availability", "online")
    publish(mosquitto, "ipo-sim/unit-1/unit", json.dumps({"v": 1, "daemon": "ipo-sim-fleet"}))
    publish(mosquitto, "ipo-sim/ipo-sim-fleet/availability", "offline")
    assert main(["ctl", "--broker", mosquitto, "--timeout", "0.5", "--json", "unit-1", "restart"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error == {
        "code": "no-answer",
        "message": "unit unit-1 does not answer: its daemon ipo-sim-fleet is offline",
    }


def test_watch_ends_with_its_broker(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The embedded one goes with its daemon, and whoever listens is told."""
    with started(state_dir) as daemon:
        daemon.process.send_signal(signal.SIGTERM)
        code = main(["ctl", "--state-dir", str(state_dir), "bench-1", "watch", "--until", "unit.state=never"])
        assert daemon.wait() == 0
    assert code == 1
    assert capsys.readouterr().err.startswith("ipo-sim: broker mqtt://127.0.0.1:")


def test_a_fleet_names_some_of_its_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state_dir = tmp_path / "state"
    with started(state_dir, ROOT / "configs" / "fleet.yaml"):
        assert main(["ctl", "--state-dir", str(state_dir), "xyz", "restart"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("ipo-sim: there is no unit xyz on this broker: there are cardless-101, cardless-102, ")
    assert told.endswith(", ...\n")
