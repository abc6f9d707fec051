"""A daemon that is told to end before it runs."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import HOST
from tests.cli.daemons import Daemon


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_while_it_starts(number: signal.Signals, tmp_path: Path) -> None:
    """A broker that accepts and says nothing keeps the link busy for long; the daemon must go all the same."""
    with socket.create_server((HOST, 0)) as silent:
        url = f"mqtt://{HOST}:{silent.getsockname()[1]}"
        with Daemon(tmp_path / "state", "--broker", url) as daemon:
            daemon.until("broker")
            assert daemon.stop(number) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_while_it_waits_for_its_configuration(number: signal.Signals, tmp_path: Path) -> None:
    """Nothing of it is left that would read the pipe."""
    config = tmp_path / "pipe.yaml"
    os.mkfifo(config)
    with Daemon(tmp_path / "state", config) as daemon:
        pipe = os.open(config, os.O_WRONLY)  # it opens once there is somebody to read it
        assert daemon.stop(number) == 0
        with pytest.raises(BrokenPipeError):
            os.write(pipe, b"units:")
        os.close(pipe)
        assert daemon.log == ""
