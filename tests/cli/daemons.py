"""Daemons as users start them: a process of `ipo-sim run`, and what it prints."""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]

# A loaded machine may take its time; a test that waits longer has failed.
DEADLINE_S = 20.0
# The last line of the introduction: by then the units are on the broker, unless that is away.
INTRODUCED = "all commands"

# What the environment of whoever runs the tests must not decide.
_FOREIGN = ("IPO_SIM_BROKER", "IPO_SIM_DEBUG", "IPO_SIM_SECRET", "NO_COLOR", "XDG_STATE_HOME")


def environment(home: Path, **more: str) -> dict[str, str]:
    """That of a user whose home is `home`."""
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return {**kept, "HOME": str(home), "COLUMNS": "120", **more}


def ipo_sim(*arguments: object, home: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """One finished run of the program."""
    return subprocess.run(
        [sys.executable, "-m", "ipo_sim", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        cwd=ROOT,
        **{"env": environment(home), **options},
    )


class Process:
    """A process of the program; `output` is what it printed and was waited for, `log` goes to a file."""

    def __init__(self, home: Path, log: Path, *arguments: object) -> None:
        self.output: list[str] = []
        self._log = log.open("ab+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ipo_sim", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=self._log,
            bufsize=0,
            cwd=ROOT,
            env=environment(home),
        )
        self._pending = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def log(self) -> str:
        """What it has logged so far, and what processes before it did to the same file."""
        self._log.seek(0)
        return self._log.read().decode()

    def until(self, pattern: str) -> str:
        """The next line that the pattern is found in; AssertionError with all output when none comes."""
        end = time.monotonic() + DEADLINE_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdout, selectors.EVENT_READ)
            while (line := self._next_line(selector, end)) is not None:
                self.output.append(line)
                if re.search(pattern, line):
                    return line
        raise AssertionError(f"no {pattern!r} in {self.output}; log: {self.log}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and its exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Its exit code, once it has ended; AssertionError with its log when it does not."""
        try:
            code = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the process does not end; log: {self.log}") from None
        self._stdout.close()
        return code

    def kill(self) -> None:
        """End it without a word, if it still runs."""
        self.process.kill()
        self.wait()
        self._log.close()

    def _next_line(self, selector: selectors.BaseSelector, end: float) -> str | None:
        while b"\n" not in self._pending:
            if not selector.select(max(0.0, end - time.monotonic())):
                return None
            data = self._stdout.read(65_536)
            if not data:
                return None
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode()

    @property
    def _stdout(self) -> Any:
        return self.process.stdout


class Daemon(Process):
    """A process of `ipo-sim run` on a state directory."""

    def __init__(self, state_dir: Path, *arguments: object) -> None:
        self.state_dir = state_dir
        log = state_dir.with_name(f"{state_dir.name}.log")
        super().__init__(state_dir.parent, log, "run", "--state-dir", state_dir, *arguments)

    @property
    def file(self) -> dict[str, Any]:
        """Its daemon.json."""
        content: dict[str, Any] = json.loads((self.state_dir / "daemon.json").read_text())
        return content


def started(state_dir: Path, *arguments: object) -> Daemon:
    """A daemon whose units are on its broker."""
    daemon = Daemon(state_dir, *arguments)
    try:
        daemon.until(INTRODUCED)
    except BaseException:
        daemon.kill()
        raise
    return daemon


def words(line: str) -> Sequence[str]:
    """The parts of a line that the program shows for typing."""
    return line.partition(": ")[2].split()
