"""A reader for chip cards on USB: Debian's pcscd and CCID driver in a guest whose kernel sees it come and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.card.emulated_cards import SERIAL, identifier_card
from tests.usb.guest_image import SCRIPT, build
from tests.usb.guest_machine import BOOT_S, Guest, guest
from tests.usb.virtual_card import CardEdge

# What Debian's driver calls the reader that QEMU makes.
PATTERN = "Gemplus"


def expect(machine: Guest, kind: str) -> dict[str, object]:
    said, fields = machine.fact()
    assert said == kind, (said, fields)
    return fields


@pytest.mark.timeout(600)
def test_a_reader_that_is_plugged_pulled_with_a_card_in_and_plugged_again(tmp_path: Path) -> None:
    image = build(tmp_path, f"{SCRIPT} pcsc {PATTERN}")
    with guest(tmp_path, image) as machine:
        assert machine.fact(BOOT_S)[0] == "ReaderLost"
        for name in ("first", "second"):
            machine.plug_card_reader(name, tmp_path / name)
            with CardEdge(tmp_path / name) as slot:
                assert PATTERN in str(expect(machine, "ReaderAttached")["name"])
                expect(machine, "FeatureKeyRemoved")
                for _ in range(2):
                    slot.insert(identifier_card())
                    assert expect(machine, "FeatureKeyInserted")["serial"] == SERIAL
                    slot.remove()
                    expect(machine, "FeatureKeyRemoved")
                slot.insert(identifier_card())
                expect(machine, "FeatureKeyInserted")
                machine.unplug(name)
                expect(machine, "ReaderLost")
