"""The options of `ipo-sim key-server`. It imports nothing that only a server or its clients need."""

from __future__ import annotations

import argparse
from pathlib import Path

from ipo_sim.cli.parsing import DEFAULT_TIMEOUT_S, Commands, add_command, add_json, seconds, whole

RUN_MODULE = "key_server.run"
CLIENT_MODULE = "key_server.client"

DEFAULT_PORT = 50_800
DEFAULT_ADDRESS = "127.0.0.1"
DEFAULT_SERIAL = "1234567890"
DONGLES = ("parallel", "usb")
MAX_DELAY_MS = 600_000

_RUN = """\
Runs the licence server application that IP400 units look for: it holds one dongle and validates the first unit that
polls it; every other unit is refused until the server is started anew. It ends by Ctrl-C or SIGTERM.
"""


def add_key_server(commands: Commands, text: str) -> None:
    """`key-server`, with its commands."""
    parser = commands.add_parser("key-server", help=text, description=f"{text[0].upper()}{text[1:]}.")
    below = parser.add_subparsers(metavar="COMMAND", dest="key_server_command", required=True)
    _add_run(below)
    _add_status(below)
    _add_insert(below)
    _add_remove(below)
    _add_delay(below)


def _add_run(commands: Commands) -> None:
    example = "ipo-sim key-server run --serial 1234567890 --dongle parallel\nipo-sim key-server run --device /dev/fkc0"
    run = add_command(commands, "run", RUN_MODULE, "run a server with one dongle", example, description=_RUN)
    dongle = run.add_mutually_exclusive_group()
    what = f"10 digits of the virtual dongle, {DEFAULT_SERIAL} by default"
    dongle.add_argument("--serial", metavar="N", default=DEFAULT_SERIAL, help=what)
    where = "read the dongle from a real reader, /dev/... or socket://HOST:PORT, instead"
    dongle.add_argument("--device", metavar="DEV", help=where)
    run.add_argument(
        "--dongle", choices=DONGLES, default="usb", help="kind of dongle that units are told, usb by default"
    )
    every = f"address of this machine to listen at, {DEFAULT_ADDRESS} by default; 0.0.0.0 for all"
    run.add_argument("--bind", metavar="ADDRESS", default=DEFAULT_ADDRESS, help=every)
    port = f"port, TCP and UDP, {DEFAULT_PORT} by default; 0 takes a free one"
    run.add_argument("--port", metavar="N", type=whole(0, 65_535), default=DEFAULT_PORT, help=port)
    _add_secret(run)
    delay = "a fault for tests: answer polls so many milliseconds late"
    run.add_argument("--delay", metavar="MS", type=whole(0, MAX_DELAY_MS), default=0, help=delay)
    run.add_argument("--log", choices=("json", "console"), help="form of the log; console on a terminal, else json")
    levels = ("debug", "info", "warning", "error")
    run.add_argument(
        "--log-level", choices=levels, help="lowest level that is logged; warning on a terminal, else info"
    )
    add_json(run)


def _add_status(commands: Commands) -> None:
    example = "ipo-sim key-server status\nipo-sim key-server status 255.255.255.255"
    text = "show the dongle of a server and the unit that it validates"
    more = "An address that ends in .255 is asked by broadcast, and every server that answers is shown."
    status = add_command(
        commands, "status", CLIENT_MODULE, text, example, description=f"{text[0].upper()}{text[1:]}. {more}"
    )
    _add_client(status)


def _add_insert(commands: Commands) -> None:
    text = "put the virtual dongle of a server in, or one with another serial"
    insert = add_command(commands, "insert", CLIENT_MODULE, text, "ipo-sim key-server insert --serial 1234567890")
    _add_client(insert)
    insert.add_argument("--serial", metavar="N", help="10 digits; those of the dongle that was in last by default")


def _add_remove(commands: Commands) -> None:
    text = "pull the virtual dongle of a server"
    _add_client(add_command(commands, "remove", CLIENT_MODULE, text, "ipo-sim key-server remove"))


def _add_delay(commands: Commands) -> None:
    text = "have a server answer polls late, a fault for tests"
    delay = add_command(commands, "delay", CLIENT_MODULE, text, "ipo-sim key-server delay 5000")
    delay.add_argument("milliseconds", metavar="MS", type=whole(0, MAX_DELAY_MS), help="how late; 0: at once again")
    _add_client(delay)


def _add_client(parser: argparse.ArgumentParser) -> None:
    server = f"HOST or HOST:PORT of the server, {DEFAULT_ADDRESS}:{DEFAULT_PORT} by default"
    parser.add_argument("server", metavar="SERVER", nargs="?", default=DEFAULT_ADDRESS, help=server)
    _add_secret(parser)
    parser.add_argument("--udp", action="store_true", help="ask over UDP instead of TCP")
    parser.add_argument(
        "--timeout",
        metavar="S",
        type=seconds,
        default=DEFAULT_TIMEOUT_S,
        help=f"seconds to wait for an answer, {DEFAULT_TIMEOUT_S:g} by default",
    )
    add_json(parser)


def _add_secret(parser: argparse.ArgumentParser) -> None:
    text = "file with the secret that server and units share; without it anybody is believed"
    parser.add_argument("--secret-file", metavar="FILE", type=Path, help=text)
