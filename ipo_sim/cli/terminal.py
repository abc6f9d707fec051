"""What commands print: JSON, tables, and colour where a person looks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

_COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


class Style:
    """Colours for one stream: only on a terminal, and not where NO_COLOR (no-color.org) or TERM=dumb says so."""

    def __init__(self, stream: TextIO) -> None:
        self.enabled = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def __call__(self, text: str, *colours: str) -> str:
        """The text in these colours (of `_COLOURS`)."""
        if not self.enabled or not colours or not text:
            return text
        codes = ";".join(_COLOURS[colour] for colour in colours)
        return f"\x1b[{codes}m{text}\x1b[0m"


def print_json(value: object) -> None:
    """One JSON value on standard output: indented for people, one line for programs."""
    import json  # noqa: PLC0415 - most commands print none

    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(value, indent=indent, ensure_ascii=False))


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> list[str]:
    """Lines with columns as wide as their widest cell; `head` above them, if there is anything below."""
    body = [list(row) for row in rows]
    if not body:
        return []
    lines = [list(head), *body] if head else body
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def plural(count: int, word: str) -> str:
    """`1 module`, `3 modules`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def value_text(value: object) -> str:
    """A JSON value in a line: words without quotes, what is not there as a dash."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(value_text, value)) or "-"
    if isinstance(value, dict):
        return " ".join(f"{name}={value_text(part)}" for name, part in value.items()) or "-"
    return str(value)


def edition_words(name: str) -> str:
    """`standard edition`; an IP400 system has none before R6."""
    return "no edition" if name == "none" else f"{name} edition"
