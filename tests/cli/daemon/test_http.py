"""The control API of a daemon: `ipo-sim run --http` and `http` in a configuration."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from ipo_sim.cli.main import main
from ipo_sim.runtime.commands import COMMANDS
from tests.cli.daemons import DEADLINE_S, ROOT, environment, ipo_sim, started

TOKEN = "0123456789abcdef"


def ask(url: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=DEADLINE_S)
    try:
        sent = None if body is None else json.dumps(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, path, sent, kind | headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@pytest.mark.slow
def test_a_daemon_is_steered_over_http(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with started(tmp_path / "state", "--http", "0") as daemon:
        url = daemon.file["http"]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        assert f"HTTP: {url}/units" in daemon.output
        assert ask(url, "POST", "/units/bench-1/commands/advance", {"seconds": 60})[0] == 200
        assert ask(url, "GET", "/units/bench-1/unit")[1]["state"] == "running"
        refused, answer = ask(url, "POST", "/units/bench-1/commands/fit", {"path": "slots/1", "part": "DS9"})
        assert (refused, answer["ok"]) == (409, False)
        # Over MQTT it is the same unit.
        assert main(["ctl", "--state-dir", str(daemon.state_dir), "bench-1", "remove-card"]) == 0
        assert ask(url, "GET", "/units/bench-1/feature-key")[1]["presence"] == "absent"
        # And so it is for the commands of users, whichever way they go.
        capsys.readouterr()
        assert main(["ctl", "--broker", url, "bench-1", "insert-card"]) == 0
        assert capsys.readouterr().out.startswith("done, event ")
        assert main(["ctl", "--broker", url, "bench-1", "status", "--json"]) == 0
        status = json.loads(capsys.readouterr().out)
        assert (status["availability"], status["entities"]["feature-key"]["presence"]) == ("online", "present")
        until = "feature-key.presence=present"
        assert main(["ctl", "--broker", url, "bench-1", "watch", "--until", until, "--timeout", "20"]) == 0
        assert main(["ctl", "--broker", url, "bench-2", "restart"]) == 1
        assert "there is no unit bench-2: did you mean bench-1?" in capsys.readouterr().err
        with socket.create_connection(tuple_of(url), DEADLINE_S) as stream:
            stream.sendall(b"GET /units/bench-1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = b""
            while b"event: synchronised" not in received:
                received += stream.recv(65_536)
            daemon.process.send_signal(signal.SIGTERM)
            while data := stream.recv(65_536):
                received += data
        assert b"event: end\n" in received
        assert daemon.wait() == 0
        assert "error" not in daemon.log


def tuple_of(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    return host, int(port)


@pytest.mark.slow
def test_a_configuration_with_a_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    text = "units: [{model: ip500, name: a}]\nhttp: {port: 0, token_file: token}\n"
    (tmp_path / "lab.yaml").write_text(text)
    with started(tmp_path / "state", tmp_path / "lab.yaml") as daemon:
        url = daemon.file["http"]
        assert ask(url, "GET", "/units")[0] == 401
        assert list(ask(url, "GET", "/units", Authorization=f"Bearer {TOKEN}")[1]["units"]) == ["a"]
        assert TOKEN not in daemon.log + "".join(daemon.output)
        assert daemon.stop() == 0


def test_a_taken_port_is_said_so_and_nothing_is_left(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = ipo_sim("run", "--state-dir", tmp_path / "state", "--http", port, home=tmp_path)
    assert said.returncode == 1
    assert said.stderr.splitlines()[-1] == (
        f"ipo-sim: http http://127.0.0.1:{port}: Address already in use; --http or http.port names another port"
    )
    assert not (tmp_path / "state" / "daemon.json").exists()


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("0.0.0.0:8080", "ipo-sim: --http: others reach 0.0.0.0: a token_file is needed, with a token"),
        ("bench.lab:8080", "ipo-sim: --http: 'bench.lab' is no IP address of this machine"),
        ("bench.lab", "bench.lab is no port to listen on: 8080, or 127.0.0.1:8080"),
        (":80", ":80 is no port to listen on"),
        ("70000", "70000 is no port to listen on"),
    ],
)
def test_an_address_that_cannot_be_meant(address: str, told: str, tmp_path: Path) -> None:
    said = ipo_sim("run", "--state-dir", tmp_path / "state", "--http", address, home=tmp_path)
    assert said.returncode == 2
    assert told in said.stderr


def test_without_the_extra_it_is_named(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import sys
        sys.modules["aiohttp"] = None
        from ipo_sim.cli.main import main
        sys.exit(main(["run", "--http", "0"]))
    """)
    said = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        cwd=ROOT,
        env=environment(tmp_path),
    )
    assert said.returncode == 1
    assert said.stderr.splitlines()[-1] == (
        "ipo-sim: HTTP needs aiohttp: install the extra `http`, pip install 'ipo-sim[http]'"
    )


def test_schema_http_knows_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "http"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["openapi"] == "3.1.0"
    assert set(COMMANDS) <= {path.rpartition("/")[2] for path in document["paths"]}
