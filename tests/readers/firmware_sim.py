"""The rig `firmware-sim`: the firmware as it is flashed, in a simulated ATmega328P whose serial line is a terminal.

hardware/simavr/commands.c lists what the board can be told. Its time is the wall clock's.
"""

from __future__ import annotations

import binascii
import os
import selectors
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.hardware.builds import firmware, simulated_board

# For one command, which the board takes within a millisecond on a machine that is not loaded.
ANSWER_S = 20.0

SERIAL = "1234567890"


def memory_card(serial: str = SERIAL) -> bytes:
    """The content of an FKC-1 memory card."""
    data = b"FKC1%c%b" % (len(serial), serial.encode())
    return data + binascii.crc_hqx(data, 0xFFFF).to_bytes(2, "big")


class BoardError(AssertionError):
    """The board did not do what it was told."""


class FirmwareSim:
    """A running board. `path` is the name that a reader opens; it turns to another terminal at each `plug`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending = b""
        self._process = subprocess.Popen(
            [simulated_board(), firmware(), path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    @property
    def terminal(self) -> str:
        """The terminal behind the name."""
        return str(self.path.readlink())

    def until_ready(self) -> None:
        """Wait until it has started and its name is there."""
        self._until("ready")

    def insert(self, content: bytes | None = None, bounces_us: tuple[int, ...] = ()) -> None:
        """Put in a card, by default a sound one; the switch changes again after each of an even number of times."""
        self.tell("card", (memory_card() if content is None else content).hex())
        self.tell("insert", *bounces_us)

    def remove(self, bounces_us: tuple[int, ...] = ()) -> None:
        """Take the card out; likewise."""
        self.tell("remove", *bounces_us)

    def figures(self) -> dict[str, int]:
        """What the board has counted: resets, bytes read from the card, microseconds that it was late at worst."""
        words = self.tell("figures").split()
        return {name: int(value) for name, value in zip(words[::2], words[1::2], strict=True)}

    def tell(self, name: str, *arguments: object) -> str:
        """Have one command carried out, and what the board says to it beside `ok`; BoardError when it does not."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join([name, *map(str, arguments)]).encode() + b"\n")
        return self._until(f"ok {name}")

    def close(self) -> None:
        """Switch it off for good."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self.path.unlink(missing_ok=True)

    def _until(self, expected: str) -> str:
        said = []
        while (line := self._next_line()) != expected:
            if line.startswith(("error", "crashed")):
                raise BoardError(line)
            said.append(line)
        return " ".join(said)

    def _next_line(self) -> str:
        assert self._process.stdout is not None
        end = time.monotonic() + ANSWER_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._pending:
                if not selector.select(max(0.0, end - time.monotonic())):
                    raise BoardError("the board does not answer")
                data = os.read(self._process.stdout.fileno(), 4096)
                if not data:
                    raise BoardError(f"the board has ended with exit code {self._process.wait(ANSWER_S)}")
                self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode()


@contextmanager
def firmware_sim(folder: Path) -> Iterator[FirmwareSim]:
    """A board whose name is `fkc0` in the folder, plugged in and without a card."""
    board = FirmwareSim(folder / "fkc0")
    try:
        board.until_ready()
        yield board
    finally:
        board.close()
