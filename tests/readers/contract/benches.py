"""The simulated readers that the contract runs on, by the words for `--reader`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from tests.readers.contract import driver_rigs, rigs
from tests.readers.contract.story import STARTS, Rig, Step

Open = Callable[[Path], contextlib.AbstractAsyncContextManager[Rig]]

RIGS: dict[str, Open] = {
    "virtual": rigs.virtual,
    "cassette": rigs.cassette,
    "serial-sim": rigs.serial,
    "pn532-sim": rigs.pn532,
    "pcsc-sim": rigs.pcsc,
    "firmware-sim": rigs.firmware,
    "ccid-sim": driver_rigs.ccid,
    "vpcd-sim": driver_rigs.vsmartcard,
}

# Whose drivers look for cards now and then.
SLOW = ("ccid-sim", "vpcd-sim")

# What a rig cannot do is left out before anything runs.
ABILITIES: dict[str, frozenset[Step]] = {
    **dict.fromkeys(RIGS, rigs.EVERYTHING),
    "virtual": frozenset({*STARTS, Step.INSERT, Step.INSERT_OTHER, Step.REMOVE}),
    **dict.fromkeys(SLOW, frozenset({*STARTS, Step.INSERT, Step.INSERT_OTHER, Step.INSERT_BAD, Step.REMOVE})),
}
