"""What is copied to a lab's machine: the systemd unit, the udev and polkit rules, the drawing of the wires."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.hardware.builds import HARDWARE
from tests.requirements import require

UNIT = HARDWARE / "systemd" / "ipo-sim.service"
UDEV = HARDWARE / "udev" / "70-ipo-sim.rules"
POLKIT = HARDWARE / "polkit" / "60-ipo-sim.rules"
DRAWING = HARDWARE / "wiring" / "reader.svg"
GUIDE = HARDWARE.parent / "docs" / "how-to" / "bench-reader.md"

# udev(7): what a rule can ask, and what it can set.
QUESTION = re.compile(r'(ACTION|SUBSYSTEM|ATTRS\{\w+\}|ENV\{\w+\})(==|!=)"[^"]*"')
SETTING = re.compile(r'(ENV\{\w+\}|GROUP|MODE|GOTO|LABEL)="[^"]+"|SYMLINK\+="[^"]+"')


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = require("systemd-analyze")
    installed = Path(sys.executable).with_name("ipo-sim")
    text = UNIT.read_text()
    assert text.count("/opt/ipo-sim/bin/ipo-sim") == 1
    (tmp_path / UNIT.name).write_text(text.replace("/opt/ipo-sim/bin/ipo-sim", str(installed)))
    ran = subprocess.run(
        [program, "verify", "--man=no", "--recursive-errors=no", tmp_path / UNIT.name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_unit_waits_for_what_the_daemon_says() -> None:
    text = UNIT.read_text()
    assert {"Type=notify", "NotifyAccess=main"} <= set(text.splitlines())
    assert re.search(r"^WatchdogSec=\d+$", text, re.MULTILINE)


def rules() -> list[list[str]]:
    lines = [line for line in UDEV.read_text().splitlines() if line and not line.startswith("#")]
    return [re.split(r",\s+(?=[A-Z])", line) for line in lines]


def test_udev_rules_are_well_formed_and_come_late_enough() -> None:
    assert int(UDEV.name.partition("-")[0]) >= 70
    for rule in rules():
        assert [part for part in rule if not QUESTION.fullmatch(part) and not SETTING.fullmatch(part)] == []
    jumps = {part[6:-1] for rule in rules() for part in rule if part.startswith("GOTO=")}
    assert jumps == {part[7:-1] for rule in rules() for part in rule if part.startswith("LABEL=")}


@pytest.mark.parametrize(
    ("action", "user", "groups", "verdict"),
    [
        ("org.debian.pcsc-lite.access_pcsc", "ipo-sim", [], "yes"),
        ("org.debian.pcsc-lite.access_card", "ipo-sim", [], "yes"),
        ("org.debian.pcsc-lite.access_card", "somebody", ["scard"], "yes"),
        ("org.debian.pcsc-lite.access_card", "somebody", ["users"], "not handled"),
        ("org.freedesktop.systemd1.manage-units", "ipo-sim", ["scard"], "not handled"),
    ],
)
def test_polkit_lets_those_use_card_readers(action: str, user: str, groups: list[str], verdict: str) -> None:
    program = f"""
        let rule;
        const verdicts = {{ YES: "yes", NOT_HANDLED: "not handled" }};
        const polkit = {{ Result: verdicts, addRule: (given) => {{ rule = given; }} }};
        {POLKIT.read_text()}
        const subject = {{ user: {json.dumps(user)}, isInGroup: (name) => {json.dumps(groups)}.includes(name) }};
        console.log(rule({{ id: {json.dumps(action)} }}, subject));
    """
    ran = subprocess.run([require("node"), "-e", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == verdict


def drawn() -> set[str]:
    texts = (element.text or "" for element in ET.parse(DRAWING).iter("{http://www.w3.org/2000/svg}text"))  # noqa: S314 - our own file
    return set(" ".join(texts).split())


def test_the_drawing_shows_the_pins_of_the_table_and_of_the_firmware() -> None:
    table = re.findall(r"^\| `(\w+)` \((P\w\d|-)\) \|[^|]*\| (C\d|S1|-)", GUIDE.read_text(), re.MULTILINE)
    assert {pin for pin, _, _ in table} == {"5V", "GND", "A4", "A5", "D4", "D13"}
    assert {word for row in table for word in row if word != "-"} <= {word.strip("(),:") for word in drawn()}
    sources = "".join(path.read_text() for path in (HARDWARE / "firmware").glob("*.c"))
    assert {port for _, port, _ in table if port != "-"} == set(re.findall(r"_BV\((P[B-D]\d)\)", sources))
