"""The reader board on USB: firmware in simavr behind an adapter that a real kernel, udev and our rules see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.readers.firmware_sim import SERIAL, firmware_sim
from tests.usb.guest_image import SCRIPT, build
from tests.usb.guest_machine import BOOT_S, Guest, guest

# The adapter's serial number, by which the rules name it.
ADAPTER = "BENCH1"
NAME = f"/dev/fkc-{ADAPTER}"


ATTACHED = ("ReaderAttached", {"name": "fkc"})
GONE = ("ReaderLost", {"error": "read failed: the device is gone"})


def expect_card(machine: Guest) -> None:
    kind, fields = machine.fact()
    assert kind == "FeatureKeyInserted", (kind, fields)
    assert (fields["serial"], fields["kind"]) == (SERIAL, "i2c")


@pytest.mark.timeout(600)
def test_a_board_that_is_plugged_pulled_and_plugged_again(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    image = build(tmp_path, f"{SCRIPT} serial {NAME}")
    with (
        firmware_sim(tmp_path) as board,
        firmware_sim(tmp_path / "other") as other,
        guest(tmp_path, image) as machine,
    ):
        assert machine.fact(BOOT_S) == ("ReaderLost", {"error": f"cannot open {NAME}: no such device"})
        machine.plug_adapter("first", ADAPTER, board.terminal)
        assert machine.fact() == ATTACHED
        assert machine.fact()[0] == "FeatureKeyRemoved"
        board.insert()
        expect_card(machine)
        machine.unplug("first")
        board.tell("unplug")
        assert machine.fact() == GONE
        # Another adapter takes the device's number, so that the board comes back under another one.
        machine.plug_adapter("second", "OTHER", other.terminal)
        board.tell("plug")
        machine.plug_adapter("third", ADAPTER, board.terminal)
        assert machine.fact() == ATTACHED
        expect_card(machine)
        board.remove()
        assert machine.fact()[0] == "FeatureKeyRemoved"
