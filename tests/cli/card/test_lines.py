"""`ipo-sim card` at readers that are on a line: a board that names its card itself, and a PN532."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from ipo_sim.cli.card.place import Way, place_of
from tests.card import emulated_cards as cards
from tests.cli.card.bench import CONFIG, Output, lines, mistake, told
from tests.readers.board import Chip
from tests.readers.pn532_bench import ChipTerminal
from tests.readers.pn532_chip import ChipCard, Tag
from tests.readers.test_socket_port import Bridge


async def test_a_serial_reader_tells_its_card_itself(capsys: Output) -> None:
    bridge = Bridge()
    await bridge.open()
    bridge.board.chip = Chip(law="mulaw")
    bridge.board.power_on()
    address = f"socket://127.0.0.1:{bridge.port}"
    try:
        facts = await asyncio.to_thread(told, capsys, "read", "--reader", address)
        assert facts == {
            "reader": address,
            "kind": "i2c",
            "identity": "fkc:1234567890",
            "serial": "1234567890",
            "law": "mulaw",
            "assurance": "identifier",
        }
    finally:
        await bridge.close()


async def test_a_tag_on_the_antenna_of_a_pn532(tmp_path: Path, capsys: Output) -> None:
    """Enrolled by its UID, then written and signed, and read, by commands that wait for each answer."""
    config = tmp_path / "bench.yaml"
    config.write_text(CONFIG)
    terminal = ChipTerminal(tmp_path / "nfc")
    terminal.plug()
    reader = ("--reader", f"pn532://{tmp_path / 'nfc'}")
    try:
        assert "no card is on" in await asyncio.to_thread(mistake, capsys, "read", *reader, code=1)
        terminal.chip.card = Tag(cards.Type2Tag(b""))
        enrolled = await asyncio.to_thread(told, capsys, "enrol", str(config), *reader)
        assert enrolled["identity"] == "uid:04A1B2C3D4E580"
        write = ("write", "--serial", "5550001111", "--law", "mulaw", "--bench-issuer", *reader)
        assert (await asyncio.to_thread(told, capsys, *write))["assurance"] == "signed"
        assert "holds serial 5550001111, signed" in await asyncio.to_thread(mistake, capsys, *write)
        facts = await asyncio.to_thread(told, capsys, "read", *reader)
        assert (facts["kind"], facts["serial"], facts["law"]) == ("fkc-tag", "5550001111", "mulaw")
        config.write_text(
            CONFIG.replace("reader: pcsc  # the one on the desk", f"port: {tmp_path / 'nfc'}").replace(
                "pcsc_reader: Bench", "reader: pn532"
            )
        )
        taken = await asyncio.to_thread(told, capsys, "read", "--config", str(config))
        assert (taken["reader"], taken["taken"]["serial"]) == (str(tmp_path / "nfc"), "5550001111")
        assert "needs no enrolment" in await asyncio.to_thread(mistake, capsys, "enrol", str(config))
        terminal.chip.card = ChipCard(cards.authenticated_card())
        assert (await asyncio.to_thread(told, capsys, "read", *reader))["kind"] == "fkc"
        assert (await asyncio.to_thread(lines, capsys, "watch", "--count", "2", *reader))[1].startswith(
            "feature-key-inserted: "
        )
    finally:
        terminal.unplug()


@pytest.mark.parametrize(
    ("text", "way", "address"),
    [
        ("", Way.PCSC, "*"),
        ("pcsc://", Way.PCSC, "*"),
        ("ACR39U", Way.PCSC, "ACR39U"),
        ("pcsc://ACS ACR", Way.PCSC, "ACS ACR"),
        ("/dev/fkc0", Way.SERIAL, "/dev/fkc0"),
        ("serial:///dev/fkc0", Way.SERIAL, "serial:///dev/fkc0"),
        ("socket://host:4000", Way.SERIAL, "socket://host:4000"),
        ("pn532:///dev/nfc", Way.PN532, "/dev/nfc"),
        ("pn532:/dev/nfc", Way.PN532, "/dev/nfc"),
        ("pn532://host:4000", Way.PN532, "socket://host:4000"),
    ],
)
def test_what_a_reader_is_called(text: str, way: Way, address: str) -> None:
    assert place_of(text) == (way, address)


def test_a_serial_reader_that_is_not_there(capsys: Output) -> None:
    assert "no such device" in mistake(capsys, "read", "--reader", "/dev/fkc-that-is-not-there", code=1)


@pytest.mark.parametrize("module", ["ipo_sim.cli.card.policy", "ipo_sim.cli.card.write", "ipo_sim.readers.card_crypto"])
def test_who_checks_no_signature_does_not_pay_for_it(module: str) -> None:
    code = f"import sys, {module}; print('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
