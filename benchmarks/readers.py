"""Card readers: from the card, in or out, to the last message that follows, beside the reader's path alone."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import readers_firmware, readers_pcsc
from benchmarks.measure import Effort, Figure


def figures(effort: Effort) -> Iterator[Figure]:
    """Those of each reader."""
    yield from readers_pcsc.figures(effort)
    yield from readers_firmware.figures(effort)
