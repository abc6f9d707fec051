"""The PC/SC reader with drivers by others, and our emulated card with a client by others."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from ipo_sim.card.reading import DEFAULT_POLICY
from ipo_sim.core.events import FeatureKeyRemoved, ReaderAttached
from ipo_sim.readers.pcsc import PcscReader
from tests.card.emulated_cards import identifier_card
from tests.readers import vpcd
from tests.readers.ccid_reader import XFR_BLOCK, CcidReader, with_t0
from tests.readers.links import Facts, running
from tests.readers.pcsc_bench import inserted, reading_by, service
from tests.readers.pcscd import Pcscd
from tests.requirements import missing, require

OTHER = "9999999999"


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_debians_driver_for_ccid_readers() -> None:
    with CcidReader("GemPC") as slot, Pcscd([slot.entry]):
        facts, reader = Facts(60), PcscReader("gempc", read=reading_by(DEFAULT_POLICY))
        async with running(reader.run(facts.emit)):
            await facts.until(ReaderAttached("GemPC 00 00"), FeatureKeyRemoved(0))
            for counter, serial in enumerate(("1234567890", OTHER), 1):
                slot.insert(with_t0(identifier_card(serial)))
                await facts.until(inserted(counter, serial))
                slot.remove()
                await facts.until(FeatureKeyRemoved(counter))
        assert slot.commands.count(XFR_BLOCK) >= 4


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_vsmartcards_driver() -> None:
    if os.geteuid() != 0:
        missing("only root may enter the network of the driver: run the tests as root")
    with Pcscd([vpcd.entry("Virtual PCD")], network=True) as pcscd:
        slot = vpcd.VpcdCard(pcscd)
        facts, reader = Facts(60), PcscReader("pcd 00 00", read=reading_by(DEFAULT_POLICY))
        async with running(reader.run(facts.emit)):
            await facts.until(ReaderAttached("Virtual PCD 00 00"), FeatureKeyRemoved(0))
            for counter, serial in enumerate(("1234567890", OTHER), 1):
                slot.insert(identifier_card(serial))
                await facts.until(inserted(counter, serial))
                slot.remove()
                await facts.until(FeatureKeyRemoved(counter))


def opensc(*arguments: str) -> str:
    command = [str(require("opensc-tool")), "--card-driver", "default", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout


def test_opensc_reads_the_emulated_card() -> None:
    card = identifier_card()
    with service() as (slot, _):
        slot.insert(card)
        assert "Bench Reader 00 00" in opensc("--list-readers")
        assert opensc("--atr").strip().replace(":", "") == card.atr.hex()
        said = opensc("--send-apdu", "00A4040006F0464B432D3100", "--send-apdu", "00B0810000")
        selected, read = said.split("Received (")[1:]
        assert selected.startswith("SW1=0x90, SW2=0x00")
        assert read.startswith("SW1=0x62, SW2=0x82"), "the file ends before 256 bytes"
        assert bytes(card.file) == bytes.fromhex(re.sub(r" .{16}$", "", read.partition(":")[2], flags=re.MULTILINE))
