"""CSV files on the command line: read, written, told of row by row, with progress where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from ipo_sim.cli.failure import UsageError
from ipo_sim.cli.terminal import Style
from ipo_sim.licensing.rows import RowProblem

# 150,000 rows of 200 bytes: more than a unit takes.
MAX_BYTES = 32 * 1024 * 1024
# What an answer may take when 100,000 topics are published before it.
CSV_TIMEOUT_S = 300.0
# Rows that are there already, told one by one; of a whole file that is imported again nobody reads more.
MAX_WARNINGS = 20
STANDARD = "-"

_T = TypeVar("_T")


def read_csv(name: str) -> bytes:
    """The bytes of a file, `-` for standard input; UsageError when it cannot be read."""
    try:
        if name == STANDARD:
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror or error}") from None
    if len(content) > MAX_BYTES:
        raise UsageError(f"{name}: larger than {MAX_BYTES // 1024**2} MiB; no unit holds so many rows")
    return content


def write_csv(name: str, content: bytes) -> None:
    """Write a file, `-` for standard output; UsageError when it cannot be written."""
    if name == STANDARD:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        return
    try:
        Path(name).write_bytes(content)
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror or error}") from None


def chunks(items: Sequence[_T], size: int) -> Iterator[list[_T]]:
    """The items in lists of at most that size."""
    return (list(items[start : start + size]) for start in range(0, len(items), size))


def print_problems(name: str, warnings: Sequence[RowProblem], problems: Sequence[RowProblem]) -> None:
    """One line for each bad row, on standard error; of mere warnings the first ones."""
    style = Style(sys.stderr)
    lines = [(row.line, style(f"warning: {row.message}", "yellow")) for row in warnings[:MAX_WARNINGS]]
    lines += [(row.line, row.message) for row in problems]
    for line, message in sorted(lines):
        print(f"{name}:{line}: {message}", file=sys.stderr)
    if len(warnings) > MAX_WARNINGS:
        print(f"{name}: warning: and {len(warnings) - MAX_WARNINGS:,} more rows are there already", file=sys.stderr)


class Progress:
    """A line on a terminal's standard error that says how far it is; elsewhere nothing."""

    def __init__(self, total: int, what: str) -> None:
        self._total = total
        self._what = what
        self._shown = sys.stderr.isatty()

    def show(self, done: int) -> None:
        """Say that so many are done."""
        if self._shown:
            print(f"\r{done:,} of {self._total:,} {self._what}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the terminal to what comes next."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
