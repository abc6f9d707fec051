"""A user with an empty home, and brokers."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.daemons import DEADLINE_S, environment, started
from tests.requirements import require

HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a user whose settings nobody else's disturb, for what runs in this process too."""
    folder = tmp_path / "home"
    folder.mkdir()
    clean = environment(folder)
    for name in set(os.environ) - set(clean):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("COLUMNS", "120")
    return folder


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state directory of a daemon with the demonstration unit; its time stands still but for `advance`."""
    state_dir = tmp_path_factory.mktemp("bench") / "state"
    with started(state_dir) as daemon:
        daemon.until("bench-1: starting")
        yield state_dir


@contextmanager
def mosquitto_in(folder: Path, extra: str = "allow_anonymous true\n") -> Iterator[str]:
    """The URL of a mosquitto that runs for the time of the block."""
    program = require("mosquitto")
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    configuration = folder / "mosquitto.conf"
    configuration.write_text(f"user root\nlistener {port} {HOST}\nset_tcp_nodelay true\n{extra}")
    with (folder / "mosquitto.log").open("w") as log:
        process = subprocess.Popen([program, "-c", configuration], stdout=log, stderr=log)
    try:
        _wait_for(port, process)
        yield f"mqtt://{HOST}:{port}"
    finally:
        process.kill()
        process.wait(DEADLINE_S)


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[str]:
    """The URL of a mosquitto without passwords."""
    with mosquitto_in(tmp_path) as url:
        yield url


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        assert process.poll() is None, "mosquitto ended at once"
        try:
            socket.create_connection((HOST, port), timeout=1.0).close()
        except OSError:
            continue
        return
    raise AssertionError("mosquitto does not listen")
