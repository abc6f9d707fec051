"""`ipo-sim key-server` as a user meets it: what it prints, how it ends, what its clients can do."""

from __future__ import annotations

import json
import re
import shlex
import signal
import socket
import stat
import textwrap
from pathlib import Path

import pytest

from ipo_sim.cli.command_line import parse
from ipo_sim.cli.main import main
from tests.cli.daemons import ROOT, Process, ipo_sim
from tests.cli.key_server.servers import SERIAL, KeyServer
from tests.cli.test_command_line import exit_of

HOW_TO = (ROOT / "docs" / "how-to" / "key-server.md").read_text()


@pytest.fixture
def secret(home: Path) -> Path:
    path = home / "secret"
    path.write_text("long and random\n")
    path.chmod(stat.S_IRUSR)
    return path


def test_it_says_where_it_listens_and_what_to_type(home: Path) -> None:
    with Process(home, home / "log", "key-server", "run", "--port", 0, "--dongle", "parallel") as server:
        port = server.until("key server: ").split()[4].rstrip(",")
        assert server.until("status").endswith(f"key-server status 127.0.0.1:{port}")
        server.until(f"^dongle-parallel {SERIAL}; validates the first unit that polls$")
        ipo_sim("key-server", "remove", f"127.0.0.1:{port}", home=home)
        server.until("^no dongle-parallel; ")
        assert server.stop() == 0
    assert server.output[0] == f"key server: 127.0.0.1 port {port}, TCP and UDP, without secret"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_by_signals(number: signal.Signals, home: Path) -> None:
    with KeyServer(home) as server:
        assert server.stop(number) == 0
        assert '"signal": "' + number.name in server.log


def test_a_taken_port_is_one_clear_line(home: Path) -> None:
    with KeyServer(home) as server:
        done = ipo_sim("key-server", "run", "--port", server.port, home=home)
    expected = f"ipo-sim: 127.0.0.1 port {server.port} is taken: another key server, perhaps; --port names another one"
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == expected


def test_the_dongle_is_pulled_put_back_and_exchanged(home: Path) -> None:
    with KeyServer(home) as server:
        assert server.first["dongle"]["serial"] == SERIAL
        assert server.ctl("remove")["dongle"]["state"] == "absent"
        assert server.ctl("remove", "--udp")["dongle"]["state"] == "absent"
        assert server.ctl("insert")["dongle"]["serial"] == SERIAL
        assert server.ctl("insert", "--serial", "0000000001")["dongle"]["serial"] == "0000000001"
        server.ctl("remove")
        state = server.ctl("insert")
        assert (state["dongle"]["serial"], state["dongle"]["counter"]) == ("0000000001", 4)
        told = server.until_told(lambda said: said["dongle"]["counter"] == 4)
    assert (told["boot"], told["unit"]) == (state["boot"], None)


def test_status_shows_everything(home: Path) -> None:
    with KeyServer(home, "--serial", "0000000007", "--delay", 20) as server:
        state = server.ctl("status")
        assert state == {
            "server": "127.0.0.1",
            "port": server.port,
            "boot": server.first["boot"],
            "dongle": {
                "state": "present",
                "kind": "dongle-usb",
                "serial": "0000000007",
                "law": "alaw",
                "counter": 1,
                "reason": None,
            },
            "unit": None,
            "polls": 0,
            "refusals": 0,
            "delay_ms": 20,
        }
        assert server.ctl("delay", 0)["delay_ms"] == 0
        done = ipo_sim("key-server", "status", f"127.255.255.255:{server.port}", home=home)
    expected = [
        f"127.0.0.1:{server.port}: dongle-usb 0000000007",
        "  validates the first unit that polls; polls 0, refusals 0",
    ]
    assert done.stdout.splitlines() == expected


def test_commands_need_the_secret(home: Path, secret: Path) -> None:
    with KeyServer(home, "--secret-file", secret) as server:
        place = f"127.0.0.1:{server.port}"
        without = ipo_sim("key-server", "remove", place, home=home)
        assert (without.returncode, "is not signed" in without.stderr) == (1, True)
        other = home / "other"
        other.write_text("a guess")
        wrong = ipo_sim("key-server", "remove", place, "--secret-file", other, home=home)
        assert (wrong.returncode, "the server has another secret" in wrong.stderr) == (1, True)
        assert server.ctl("status", "--secret-file", secret)["dongle"]["state"] == "present"
        assert server.ctl("remove", "--secret-file", secret)["dongle"]["state"] == "absent"


def test_a_dongle_in_a_reader_that_is_not_there_is_unreadable(home: Path) -> None:
    with KeyServer(home, "--device", home / "fkc0") as server:
        state = server.ctl("status")
        assert (state["dongle"]["state"], state["dongle"]["reason"]) == ("unreadable", 9)
        done = ipo_sim("key-server", "remove", f"127.0.0.1:{server.port}", home=home)
    assert (done.returncode, "only hands can move it" in done.stderr) == (1, True)


def test_nobody_there_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert main(["key-server", "status", f"127.0.0.1:{port}"]) == 1
    assert capsys.readouterr().err == f"ipo-sim: 127.0.0.1 port {port}: nobody listens there\n"
    assert main(["key-server", "status", f"127.255.255.255:{port}", "--timeout", "0.1"]) == 1
    assert capsys.readouterr().err == f"ipo-sim: no key server answers at 127.255.255.255 port {port}\n"
    assert main(["key-server", "status", f"127.255.255.255:{port}", "--timeout", "0.1", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == []


def test_somebody_who_says_nothing_is_waited_for_only_so_long(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        assert main(["key-server", "status", f"127.0.0.1:{port}", "--timeout", "0.1"]) == 1
    assert capsys.readouterr().err == f"ipo-sim: 127.0.0.1 port {port}: no answer within 0.1 s\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("run --serial 123", "ipo-sim: --serial: a dongle has 10 decimal digits, not '123'"),
        (
            "run --device fkc0",
            "ipo-sim: --device: expected /dev/..., serial:///dev/... or socket://host:port, got 'fkc0'",
        ),
        ("run --secret-file {home}/none", "ipo-sim: --secret-file: {home}/none: No such file or directory"),
        ("run --secret-file {home}/empty", "ipo-sim: --secret-file: {home}/empty: a secret has 1 to 1024 bytes"),
        ("run --serial 1234567890 --device /dev/x", "argument --device: not allowed with argument --serial"),
        ("run --dongle serial", "there is no serial: there are parallel, usb"),
        ("run --port 65536", "65536 is no whole number from 0 to 65535"),
        ("status 127.0.0.1:x", "ipo-sim: 127.0.0.1:x: a server is HOST or HOST:PORT, such as 192.168.42.10:50800"),
        ("insert --serial 123", "ipo-sim: --serial: a dongle has 10 decimal digits, not '123'"),
        ("remove 255.255.255.255", "ipo-sim: 255.255.255.255 may be many servers: name one"),
        ("delay 600001", "600001 is no whole number from 0 to 600000"),
    ],
)
def test_mistakes_are_one_clear_line(words: str, error: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "empty").write_text("\n")
    assert exit_of("key-server", *words.format(home=home).split()) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert error.format(home=home) in said.err


def test_the_commands_of_the_how_to_are_understood() -> None:
    commands = re.findall(r"^    ipo-sim (.+)$", HOW_TO, re.MULTILINE)
    assert len(commands) > 6
    assert {parse(shlex.split(command)).command for command in commands} == {"key-server", "run"}


def test_the_configuration_of_the_how_to_is_right(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(r"^    # office.yaml\n((?:    .*\n)+)", HOW_TO, re.MULTILINE)
    assert found is not None
    (home / "office.yaml").write_text(textwrap.dedent(found[1]))
    assert main(["check", str(home / "office.yaml")]) == 0
    assert "office: ip406v2" in capsys.readouterr().out


def test_the_errors_of_the_how_to_are_said_somewhere() -> None:
    table = HOW_TO.partition("## What the errors mean")[2]
    texts = re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
    sources = "".join(path.read_text() for path in (ROOT / "ipo_sim").rglob("*key_server/*.py"))
    sources += "".join(path.read_text() for path in (ROOT / "ipo_sim").rglob("key_server*.py"))
    for text in [text for cell in texts for text in re.findall(r"`(.*?)`", cell)]:
        fixed = re.sub(
            r"^refused: | \.\.\.$| 127\.0\.0\.1 port 50800|127\.0\.0\.1 port 50800 | at 255.*| within.*", "", text
        )
        assert fixed in sources, text
