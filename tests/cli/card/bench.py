"""`ipo-sim card` in this process: what it prints, and cards that go into a reader which is no hardware."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from ipo_sim.cli.card.slots import slots
from ipo_sim.cli.main import main
from tests.cli.daemons import DEADLINE_S
from tests.readers.pcscd import Card, SimulatedReader

CONFIG = """\
# a bench
units:
  - name: spare
    model: ip500
  - name: bench-1   # the one
    model: ip500
    feature_key:
      reader: pcsc  # the one on the desk
      pcsc_reader: Bench
"""

Output = pytest.CaptureFixture[str]


def told(capsys: Output, *arguments: str, code: int = 0) -> Any:
    """What a command prints as JSON."""
    assert main(["card", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def lines(capsys: Output, *arguments: str, code: int = 0) -> list[str]:
    assert main(["card", *arguments]) == code
    return capsys.readouterr().out.splitlines()


def mistake(capsys: Output, *arguments: str, code: int = 2) -> str:
    assert main(["card", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    return err.removeprefix("ipo-sim: ").rstrip("\n")


def put(slot: SimulatedReader, card: Card) -> None:
    """Put a card in, in the place of the one that is in, and wait until pcscd has seen it."""
    if occupied(slot):
        slot.remove()
        until(lambda: not occupied(slot))
    slot.insert(card)
    until(lambda: occupied(slot))


def occupied(slot: SimulatedReader) -> bool:
    return any(each.occupied for each in slots() if each.name.startswith(slot.entry.name))


def until(condition: Callable[[], bool]) -> None:
    """Wait for what pcscd tells only whoever asks."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True
