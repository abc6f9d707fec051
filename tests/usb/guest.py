"""Inside the guest: a reader that waits for news of devices, and says each fact on the console as one line of JSON."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys

from ipo_sim.card.reading import DEFAULT_POLICY
from ipo_sim.core.events import Fact
from ipo_sim.readers.pcsc import PcscReader
from ipo_sim.readers.reader import Reader
from ipo_sim.readers.serial_line import SerialReader, Timing
from tests.readers.pcsc_bench import reading_by

# Nothing but udev's news makes the serial reader try again in time.
PATIENT = Timing(hello_s=30.0, first_retry_s=3600.0, longest_retry_s=3600.0)


def say(fact: Fact) -> None:
    """On a line of its own, for the kernel speaks on the console too."""
    sys.stdout.write(f"\nFACT {json.dumps([type(fact).__name__, dataclasses.asdict(fact)])}\n")
    sys.stdout.flush()


def reader_of(kind: str, where: str) -> Reader:
    """The reader of this kind that is there."""
    if kind == "pcsc":
        return PcscReader(where, read=reading_by(DEFAULT_POLICY))
    return SerialReader(where, name="fkc", timing=PATIENT)


if __name__ == "__main__":
    asyncio.run(reader_of(*sys.argv[1:]).run(say))
