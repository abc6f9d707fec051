"""Builds what is in hardware/, once for all who test it at the same time."""

from __future__ import annotations

import fcntl
import functools
import subprocess
from pathlib import Path

from tests.requirements import require, require_library

HARDWARE = Path(__file__).parents[2] / "hardware"
BUILD = HARDWARE.parent / "build"

# Two compilers on a machine that has other things to do.
BUILD_S = 120.0


def built(part: str, *goals: str) -> Path:
    """The directory with what `make` makes of a part of hardware/; AssertionError with what the compiler said."""
    require("make")
    require("gcc")
    folder = BUILD / part
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # make is quick when all is done, and tests run side by side
        command = ["make", "--silent", "-C", str(HARDWARE / part), f"BUILD={folder}", *goals]
        made = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_S, check=False)
    assert made.returncode == 0, made.stderr
    return folder


@functools.cache
def firmware() -> Path:
    """The firmware as it is flashed, with its symbols: reader.elf."""
    require("avr-gcc")
    require_library("/usr/lib/avr/include/avr/io.h")
    return built("firmware") / "reader.elf"


@functools.cache
def simulated_board() -> Path:
    """The program that runs the firmware in simavr."""
    require_library("/usr/include/libelf.h")
    require_library("/usr/include/simavr/sim_avr.h")
    return built("simavr") / "board"


@functools.cache
def firmware_tests() -> Path:
    """The directory of the firmware's own tests, programs for this machine."""
    return built("firmware", "tests") / "host"
