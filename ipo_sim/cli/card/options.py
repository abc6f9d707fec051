"""The options of `ipo-sim card`. It imports nothing that only a reader needs."""

from __future__ import annotations

import argparse
from pathlib import Path

from ipo_sim.cli.parsing import Commands, add_command, add_json, card_serial, seconds, whole

DEFAULT_CARD_TIMEOUT_S = 10.0
MAX_EVENTS = 1_000_000

_READ = """\
Reads the card in a reader: which layout it has, who it says it is, and how sure that is. With --config it says what the
policy of a unit makes of it. Exit code 1: the card is no feature key.
"""

_WRITE = """\
Writes an FKC-1 card: a chip card with the FKC-1 application, a memory card, an NFC tag. With an issuer key the content
is signed, and with it the card's own public key, which the card holds or --card-key gives. What is on the card is asked
about first. The card is read back, and what it says then is printed.
"""

_ENROL = """\
Enters the identity of an ordinary card into a configuration file, whose comments stay: from the next start of the
daemon on the card stands for a feature key with that serial. An FKC-1 card has a serial of its own and needs no
enrolment.
"""


def add_card(commands: Commands, text: str) -> None:
    """`card`, with its commands."""
    parser = commands.add_parser("card", help=text, description=f"{text[0].upper()}{text[1:]}.")
    below = parser.add_subparsers(metavar="COMMAND", dest="card_command", required=True)
    _add_list(below)
    _add_read(below)
    _add_watch(below)
    _add_write(below)
    _add_enrol(below)
    _add_issuer_key(below)


def _add_list(commands: Commands) -> None:
    text = "list PC/SC readers with their cards, and serial devices"
    _add_json_and_timeout(add_command(commands, "list", "card.listing", text, "ipo-sim card list"))


def _add_read(commands: Commands) -> None:
    example = "ipo-sim card read\nipo-sim card read --reader ACR39U --config bench.yaml --unit bench-1"
    read = add_command(commands, "read", "card.read", "read the card in a reader", example, description=_READ)
    _add_reader(read)
    read.add_argument("--config", metavar="CONFIG", type=Path, help="configuration with the policy to apply")
    read.add_argument("--unit", metavar="UNIT", help="unit of the configuration; its first one with a card reader")
    issuer = "public key of an issuer, 64 hexadecimal digits, beside the bench issuer; can be given again"
    read.add_argument("--issuer", metavar="HEX", action="append", default=[], help=issuer)
    _add_json_and_timeout(read)


def _add_watch(commands: Commands) -> None:
    example = "ipo-sim card watch --reader ACR39U\nipo-sim card watch --reader /dev/fkc0 --json"
    text = "print what happens at a reader, until Ctrl-C"
    watch = add_command(commands, "watch", "card.watch", text, example)
    _add_reader(watch)
    watch.add_argument("--config", metavar="CONFIG", type=Path, help="configuration with the policy to apply")
    watch.add_argument("--unit", metavar="UNIT", help="unit of the configuration; its first one with a card reader")
    watch.add_argument("--count", metavar="N", type=whole(1, MAX_EVENTS), help="leave after so many events")
    add_json(watch)


def _add_write(commands: Commands) -> None:
    example = "ipo-sim card write --serial 1234567890 --issuer-key issuer.pem"
    write = add_command(commands, "write", "card.write", "write an FKC-1 card", example, description=_WRITE)
    write.add_argument("--serial", metavar="N", type=card_serial, required=True, help="10 digits")
    write.add_argument("--law", choices=("alaw", "mulaw"), help="variant; left open by default")
    issuer = write.add_mutually_exclusive_group()
    issuer.add_argument("--issuer-key", metavar="FILE", type=Path, help="sign with this key, see `card issuer-key`")
    issuer.add_argument("--bench-issuer", action="store_true", help="sign with the bench issuer's key, which all know")
    own = "file with the card's own public key (P-256, PEM), if the card does not hold it yet"
    write.add_argument("--card-key", metavar="FILE", type=Path, help=own)
    code = (
        "security code of an SLE4442, 6 hexadecimal digits, FFFFFF from the factory; a wrong one costs one of 3 tries"
    )
    write.add_argument("--security-code", metavar="HEX", help=code)
    _add_reader(write)
    write.add_argument("--yes", action="store_true", help="overwrite what is on the card without asking")
    _add_json_and_timeout(write)


def _add_enrol(commands: Commands) -> None:
    example = "ipo-sim card enrol bench.yaml --serial 1234567890"
    text = "enter a card into a configuration"
    enrol = add_command(commands, "enrol", "card.enrol", text, example, description=_ENROL)
    enrol.add_argument("config", metavar="CONFIG", type=Path, help="the configuration file")
    enrol.add_argument("unit", metavar="UNIT", nargs="?", help="name of the unit; the first one with a card reader")
    serial = "10 digits that the card stands for; by default those that follow from its identity"
    enrol.add_argument("--serial", metavar="N", type=card_serial, help=serial)
    enrol.add_argument(
        "--identity", metavar="ID", help="as `card read` prints it, instead of that of a card in a reader"
    )
    _add_reader(enrol)
    _add_json_and_timeout(enrol)


def _add_issuer_key(commands: Commands) -> None:
    text = "make the key of an issuer, or show the public part of one"
    parser = add_command(commands, "issuer-key", "card.issuer_key", text, "ipo-sim card issuer-key issuer.pem")
    file = "file of the private key (Ed25519, PEM); made if it is not there, for nobody else to read"
    parser.add_argument("file", metavar="FILE", type=Path, help=file)
    add_json(parser)


def _add_reader(parser: argparse.ArgumentParser) -> None:
    text = (
        "name of a PC/SC reader or a part of it; pn532:///dev/... or pn532://HOST:PORT; to read and watch also a "
        "serial reader, /dev/... or socket://HOST:PORT; by default that of the unit of a configuration, else the PC/SC "
        "reader with a card"
    )
    parser.add_argument("--reader", metavar="READER", default="", help=text)


def _add_json_and_timeout(parser: argparse.ArgumentParser) -> None:
    text = f"seconds to wait for a card's answer, {DEFAULT_CARD_TIMEOUT_S:g} by default"
    parser.add_argument("--timeout", metavar="S", type=seconds, default=DEFAULT_CARD_TIMEOUT_S, help=text)
    add_json(parser)
