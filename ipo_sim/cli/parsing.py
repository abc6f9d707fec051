"""What the commands' options are made of: a parser that tells a mistake in one line, and options that many share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from ipo_sim.cli.failure import EXIT_USAGE

DEFAULT_TIMEOUT_S = 5.0
SERIAL_DIGITS = 10
MAX_PORT = 65_535

# argparse keeps the type of a set of subparsers to itself.
Commands = Any


class Parser(argparse.ArgumentParser):
    """Tells a mistake in one line, with the nearest word."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - those of ArgumentParser
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave."""
        self.exit(EXIT_USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:  # noqa: ANN401 - argparse's signature
        choices = [str(choice) for choice in action.choices or ()]
        if not choices or value in choices:
            return
        from difflib import get_close_matches  # noqa: PLC0415 - only who made a mistake pays for it

        near = get_close_matches(str(value), choices, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(choices)}"
        raise argparse.ArgumentError(action, f"there is no {value}: {hint}")


def add_command(commands: Commands, name: str, module: str, text: str, example: str, **options: Any) -> Parser:  # noqa: ANN401 - those of ArgumentParser
    """A command of `commands` that the `main` of `module` carries out."""
    options = {"description": f"{text[0].upper()}{text[1:]}."} | options
    epilog = "example:\n" + "\n".join(f"  {line}" for line in example.splitlines())
    parser: Parser = commands.add_parser(name, help=text, epilog=epilog, **options)
    # Here too, for those who add it to the line that failed; without a default, which would hide the one before.
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.set_defaults(module=f"ipo_sim.cli.{module}")
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    """For everything that prints data."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_state_dir(parser: argparse.ArgumentParser) -> None:
    """Where a daemon keeps its state."""
    text = "state directory of the daemon; by default $XDG_STATE_HOME/ipo-sim, else ~/.local/state/ipo-sim"
    parser.add_argument("--state-dir", metavar="DIR", type=Path, help=text)


def add_client(parser: argparse.ArgumentParser) -> None:
    """How to reach a daemon, and how to print what it says."""
    parser.add_argument(
        "--broker",
        metavar="URL",
        help="MQTT broker, mqtt://[USER:PASSWORD@]HOST[:PORT], or a daemon, http://[:TOKEN@]HOST[:PORT]",
    )
    parser.add_argument("--prefix", help="beginning of all topics; the daemon's own, else ipo-sim")
    add_state_dir(parser)
    parser.add_argument(
        "--timeout", metavar="S", type=seconds, help=f"seconds to wait for an answer, {DEFAULT_TIMEOUT_S:g} by default"
    )
    add_json(parser)


def whole(low: int, high: int) -> Callable[[str], int]:
    """Reads a whole number of this range."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"{text} is no whole number from {low} to {high}")
        return int(text)

    return read


def seconds(text: str) -> float:
    """A time to wait."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds to wait")
    return value


def http_address(text: str) -> tuple[str | None, int]:
    """A port, and in front of it the address to listen on, if one is said."""
    host, colon, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal() and int(port) <= MAX_PORT) or (colon and not host):
        raise argparse.ArgumentTypeError(f"{text} is no port to listen on: 8080, or 127.0.0.1:8080")
    return host.removeprefix("[").removesuffix("]") or None, int(port)


def card_serial(text: str) -> str:
    """Serial of a feature key."""
    if len(text) != SERIAL_DIGITS or not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"a feature key has {SERIAL_DIGITS} decimal digits, not {text!r}")
    return text


def day(text: str) -> date:
    """A date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date, such as 2030-12-31") from None
