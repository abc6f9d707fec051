"""The firmware's own tests, and its half of the protocol against independent readings of the specification."""

from __future__ import annotations

import csv
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.card.line_protocol import MAX_LINE, crc16
from tests.card.wire import line, slow_crc, sound_lines
from tests.hardware.builds import HARDWARE, firmware, firmware_tests

SOURCES = HARDWARE / "firmware"
VECTORS = SOURCES / "tests" / "crc_vectors.csv"
VERBS = ("HELLO", "STAT", "PING", "RESET")

# What an ATmega328P has, less what a boot loader and the stack need.
MOST_FLASH = 32_768 - 2_048
MOST_RAM = 2_048 - 512


def vectors() -> list[tuple[bytes, int]]:
    with VECTORS.open(newline="") as file:
        return [(bytes.fromhex(row["bytes"]), int(row["crc"], 16)) for row in csv.DictReader(file)]


@pytest.mark.parametrize("name", sorted(path.stem for path in SOURCES.glob("tests/test_*.c")))
def test_of_the_firmware_passes(name: str) -> None:
    with VECTORS.open() as file:
        ran = subprocess.run([firmware_tests() / name], stdin=file, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_the_host_computes_the_firmwares_vectors() -> None:
    assert vectors()
    assert (
        [crc16(data) for data, _ in vectors()]
        == [slow_crc(data) for data, _ in vectors()]
        == [crc for _, crc in vectors()]
    )


def test_it_fits_into_the_chip() -> None:
    listing = subprocess.run(["avr-size", firmware()], capture_output=True, text=True, check=True).stdout
    text, data, bss = map(int, listing.splitlines()[1].split()[:3])
    assert text + data <= MOST_FLASH
    assert data + bss <= MOST_RAM


def test_the_hex_file_holds_the_program() -> None:
    records = firmware().with_suffix(".hex").read_text().split()
    assert all(
        re.fullmatch(r":[0-9A-F]{10,}", record) and sum(bytes.fromhex(record[1:])) % 256 == 0 for record in records
    )
    assert records[-1] == ":00000001FF"
    listing = subprocess.run(["avr-size", firmware()], capture_output=True, text=True, check=True).stdout
    text, data = map(int, listing.splitlines()[1].split()[:2])
    assert sum(int(record[1:3], 16) for record in records if record[7:9] == "00") == text + data


def answers(stream: bytes) -> list[str]:
    """What the firmware says to these bytes, each line's body from its type on."""
    ran = subprocess.run([firmware_tests() / "answers"], input=stream, capture_output=True, check=True)
    said = ran.stdout.replace(b";", b"\r\n")
    bodies = sound_lines(said)
    assert len(bodies) == said.count(b"\n"), "every line it says is sound"
    assert [body[4:6] for body in bodies] == [b"%02X" % (number & 0xFF) for number in range(1, len(bodies) + 1)]
    return [body[7:].decode() for body in bodies]


def acknowledged(said: list[str]) -> list[str]:
    return [answer.partition(",")[2] for answer in said if answer.startswith("ACK")]


def commands(stream: bytes) -> list[str]:
    """The sequence numbers of all commands in a stream, by the specification."""
    found = (re.match(rb"HST,([0-9A-F]{2}),([A-Z]{1,8})(?:,|$)", body) for body in sound_lines(stream))
    return [match[1].decode() for match in found if match and match[2].decode() in VERBS]


sound = st.builds(
    line,
    st.sampled_from(["HST", "FKC"]),
    st.integers(0, 255),
    st.sampled_from([*VERBS, "DANCE"]),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="$*,"), max_size=110),
).filter(lambda text: len(text) <= MAX_LINE + 2)
pieces = st.one_of(sound, st.binary(max_size=130), sound.map(lambda text: text[:-3]), st.sampled_from([b"$", b"\r\n"]))


@given(st.lists(pieces, max_size=12).map(b"".join))
def test_it_hears_the_commands_that_are_there_and_no_others(stream: bytes) -> None:
    assert acknowledged(answers(stream)) == commands(stream)


def test_every_single_altered_byte_is_noticed() -> None:
    ping = line("HST", 3, "PING")
    for at in range(1, len(ping) - 2):
        for change in (0x01, 0x20, 0x80):
            altered = bytearray(ping)
            altered[at] ^= change
            assert acknowledged(answers(bytes(altered))) == [], altered


def test_the_sources_name_the_version_that_they_say() -> None:
    version = re.search(r'FIRMWARE_VERSION "(\S+)"', Path(SOURCES, "reader.h").read_text())
    assert version
    assert re.fullmatch(r"\d+\.\d+\.\d+", version[1])
