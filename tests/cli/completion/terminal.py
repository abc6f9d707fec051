"""An interactive shell at a pseudo-terminal: somebody types, and what is on the screen is looked at."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

DEADLINE_S = 20.0
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[=>()][0-9A-B]?)|[\x07\x0f]")


class Shell:
    """What it has shown so far, without colours and movements of the cursor."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._shown = b""

    def type(self, text: str) -> None:
        """Press keys; what was shown before is forgotten."""
        self._shown = b""
        os.write(self._terminal, text.encode())

    def until(self, text: str) -> None:
        """Wait until this is shown."""
        end = time.monotonic() + DEADLINE_S
        while text not in self.screen():
            ready, _, _ = select.select([self._terminal], [], [], max(end - time.monotonic(), 0.0))
            assert ready, f"not shown: {text!r}, but {self.screen()!r}"
            self._shown += os.read(self._terminal, 4096)

    def screen(self) -> str:
        """Lines that the terminal would have broken are whole, except where a shell itself moves on."""
        return _ESCAPES.sub("", self._shown.decode(errors="replace")).replace("\r", "")


@contextmanager
def shell(command: Sequence[str], cwd: Path, env: dict[str, str]) -> Iterator[Shell]:
    """Runs for the time of the block."""
    terminal, its_side = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", *command], stdin=its_side, stdout=its_side, stderr=its_side, cwd=cwd, env=env
    )
    os.close(its_side)
    try:
        yield Shell(terminal)
    finally:
        process.kill()
        process.wait(DEADLINE_S)
        os.close(terminal)
