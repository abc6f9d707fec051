"""A board on a pseudo terminal, under a name that can be made to point at another one, as udev does."""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from collections.abc import Callable
from pathlib import Path

from tests.readers.board import Board

CHUNK = 4096


class Terminal:
    """`path` is the name that a reader opens. Each `open` makes a new terminal and turns the name to it."""

    def __init__(self, path: Path, receive: Callable[[bytes], object]) -> None:
        self.path = path
        self.terminals: list[str] = []
        self._receive = receive
        self._ends: tuple[int, int] | None = None

    def open(self) -> None:
        """Connect what is behind it."""
        master, slave = pty.openpty()
        # An end of our own keeps the terminal alive while no reader has it open.
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._ends = master, slave
        self.terminals.append(os.ttyname(slave))
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(self.terminals[-1])
        asyncio.get_running_loop().add_reader(master, self._read, master)

    def close(self) -> None:
        """The terminal is gone, its name too."""
        if self._ends is not None:
            master, slave = self._ends
            asyncio.get_running_loop().remove_reader(master)
            self._ends = None
            os.close(master)
            os.close(slave)
            self.path.unlink()

    def write(self, data: bytes) -> None:
        if self._ends is not None:
            os.write(self._ends[0], data)

    def _read(self, master: int) -> None:
        self._receive(os.read(master, CHUNK))


class PtyLink(Terminal):
    """A board behind a terminal at `path`."""

    def __init__(self, path: Path) -> None:
        self.board = Board(self._transmit)
        super().__init__(path, self.board.receive)

    def plug(self) -> None:
        """Connect the board and switch it on."""
        self.open()
        self.board.power_on()

    def unplug(self) -> None:
        """Pull the board off."""
        self.board.power_off()
        self.close()

    def _transmit(self, data: bytes) -> None:
        self.write(data)
