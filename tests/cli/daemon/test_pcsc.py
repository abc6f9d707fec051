"""Daemons as users start them, with cards in a PC/SC reader: real pcscd and library, a reader that is no hardware."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.card.emulated_cards import authenticated_card, identifier_card
from tests.cli.daemons import DEADLINE_S, Process, ipo_sim, started
from tests.readers.pcsc_bench import FULL_NAME, Hanging, service
from tests.readers.pcscd import Pcscd, SimulatedReader

CONFIG = Path(__file__).parents[3] / "configs" / "pcsc.yaml"


@pytest.fixture
def slot() -> Iterator[SimulatedReader]:
    with service() as (made, _):
        yield made


@pytest.fixture
def pcscd() -> Iterator[tuple[SimulatedReader, Pcscd]]:
    with service() as made:
        yield made


def until_logged(process: Process, text: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while text not in process.log:
        assert time.monotonic() < end, process.log
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.process.wait(0.02)


def test_a_card_makes_the_unit_run_and_its_removal_is_told(slot: SimulatedReader, tmp_path: Path) -> None:
    with started(tmp_path / "state", CONFIG) as daemon:
        daemon.until("bench-1: awaiting")
        slot.insert(identifier_card())
        daemon.until("bench-1: .*running|bench-1: starting")
        slot.remove()
        daemon.until("grace|removed|not present")
        assert daemon.stop() == 0


def test_a_card_that_hangs_does_not_hold_up_the_end(slot: SimulatedReader, tmp_path: Path) -> None:
    with Hanging(authenticated_card()) as card, started(tmp_path / "state", CONFIG) as daemon:
        slot.insert(card)
        assert card.asked.wait(10)
        assert ipo_sim("ctl", "--state-dir", daemon.state_dir, "bench-1", "status", home=tmp_path).returncode == 0
        assert daemon.stop() == 0, "it does not wait for the card, which answers only after this"


def test_a_pcscd_that_stands_still_does_not_hold_up_the_end(
    pcscd: tuple[SimulatedReader, Pcscd], tmp_path: Path
) -> None:
    _, running = pcscd
    with started(tmp_path / "state", CONFIG) as daemon:
        daemon.until("bench-1: awaiting")
        running.hang()
        try:
            assert daemon.stop(signal.SIGTERM) == 0
        finally:
            running.resume()


def test_two_daemons_on_one_reader_are_one_too_many(slot: SimulatedReader, tmp_path: Path) -> None:
    slot.insert(identifier_card())
    with started(tmp_path / "first", CONFIG) as first:
        first.until("bench-1: .*running|bench-1: starting")
        with started(tmp_path / "second", CONFIG) as second:
            until_logged(second, f"{FULL_NAME} serves another unit already: that of process {first.process.pid}")
            assert first.stop() == 0
            second.until("bench-1: .*running|bench-1: starting")
            assert second.stop() == 0
