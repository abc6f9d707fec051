"""A block of lines at the lower end of a terminal that stays there while other lines scroll past above it."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from typing import TextIO

from ipo_sim.cli.terminal import Style

# A piece of a line, and its colours.
Piece = tuple[str, tuple[str, ...]]
Line = Sequence[Piece]


class Screen:
    """Draws on a terminal that knows cursor movements."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._style = Style(stream)
        self._block: Sequence[Line] = ()
        self._height = 0

    def show(self, block: Sequence[Line]) -> None:
        """Put this block in the place of the one before."""
        self._block = block
        self._draw("")

    def above(self, text: str) -> None:
        """Print a line that stays, above the block."""
        self._draw(f"{text}\n")

    def below(self, text: str) -> None:
        """Print behind the block, which stays as it is: the last word."""
        self._block = ()
        self._height = 0
        self._draw(f"{text}\n")

    def _draw(self, text: str) -> None:
        up = f"\x1b[{self._height}F" if self._height else ""
        width = shutil.get_terminal_size().columns
        lines = [f"{self._cut(line, width)}\n" for line in self._block]
        self._height = len(lines)
        self._stream.write(f"{up}\x1b[J{text}{''.join(lines)}")
        self._stream.flush()

    def _cut(self, line: Line, width: int) -> str:
        """A line that wraps would be two, and the cursor would go astray."""
        room = width - 1
        shown = []
        for text, colours in line:
            shown.append(self._style(text[:room], *colours))
            room = max(0, room - len(text))
        return "".join(shown)


class LogStream(io.TextIOBase):
    """Takes a log's lines and prints them above the block."""

    def __init__(self, screen: Screen, *, colours: bool) -> None:
        self._screen = screen
        self._colours = colours
        self._rest = ""

    def write(self, text: str, /) -> int:
        """Print what is whole of it, line by line."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._screen.above(line)
        return len(text)

    def isatty(self) -> bool:
        """Whether the log may be coloured."""
        return self._colours
