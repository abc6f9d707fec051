"""Programs that tests need beside Python: without one a test skips and says what to install; under CI it fails."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

# Debian keeps daemons where an ordinary user's PATH does not look.
SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"))

# The Debian package of each program; `.ci/tools` installs the same ones.
PACKAGES = {
    "bash": "bash",
    "avr-gcc": "gcc-avr",
    "fish": "fish",
    "gcc": "gcc",
    "make": "make",
    "mosquitto": "mosquitto",
    "mosquitto_passwd": "mosquitto",
    "mosquitto_pub": "mosquitto-clients",
    "mosquitto_sub": "mosquitto-clients",
    "nfc-list": "libnfc-bin",
    "node": "nodejs",
    "npm": "npm",
    "opensc-tool": "opensc",
    "pcscd": "pcscd",
    "systemd-analyze": "systemd",
    "tcsh": "tcsh",
    "unshare": "util-linux",
    "zsh": "zsh",
}

# The same for what is no program: a file that the package brings.
LIBRARIES = {
    "/usr/include/PCSC/ifdhandler.h": "libpcsclite-dev",
    "/usr/include/libelf.h": "libelf-dev",
    "/usr/include/simavr/sim_avr.h": "libsimavr-dev",
    "/usr/include/string.h": "libc6-dev",
    "/usr/lib/avr/include/avr/io.h": "avr-libc",
    "/usr/lib/pcsc/drivers/serial/libccidtwin.so": "libccid",
    "/usr/lib/pcsc/drivers/serial/libifdvpcd.so": "vsmartcard-vpcd",
}


def require(program: str) -> Path:
    """Path of a program of `PACKAGES`; without it the test skips, or fails where the environment says `CI=true`."""
    found = shutil.which(program, path=SEARCH_PATH)
    if found is None:
        missing(f"{program} is not installed: `make test` as root does it, or `apt-get install {PACKAGES[program]}`")
    return Path(found)


def require_library(file: str) -> None:
    """A file of `LIBRARIES`; without it the test skips or fails as in `require`."""
    if not Path(file).exists():
        missing(f"{file} is missing: `make test` as root installs it, or `apt-get install {LIBRARIES[file]}`")


def missing(reason: str) -> NoReturn:
    """Skip the test for something that is not installed, or fail it under CI, where nothing may be missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
