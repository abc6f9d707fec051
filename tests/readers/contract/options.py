"""Options of pytest for the contract of readers."""

from __future__ import annotations

import pytest

READER = "--reader"
SCHEMES = ("serial", "pn532", "pcsc")
# The steps that a bench of people and hardware may or may not be able to do.
EXTRAS = {"other": ("INSERT_OTHER",), "bad": ("INSERT_BAD",), "unplug": ("LOSE", "FIND"), "swap": ("SWAP_UNSEEN",)}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("readers", "the contract of readers")
    group.addoption(
        READER,
        action="append",
        metavar="NAME|ADDRESS",
        help="run the contract on this simulated reader alone (virtual, cassette, serial-sim, pn532-sim, pcsc-sim, "
        "firmware-sim, ccid-sim, vpcd-sim), or on a real one: serial:///dev/fkc0, pn532:///dev/nfc0, pcsc://PATTERN",
    )
    group.addoption(
        "--reader-can",
        metavar="WORDS",
        default="",
        help=f"what a real bench can do beside one card in and out: {', '.join(EXTRAS)}, separated by commas",
    )
    group.addoption(
        "--reader-hands",
        metavar="COMMAND",
        help="run COMMAND STEP instead of asking a person; STEP is insert, insert_other, remove, lose, find, ...",
    )
    group.addoption(
        "--reader-patience", metavar="S", type=float, default=120.0, help="seconds that a real step may take (120)"
    )
