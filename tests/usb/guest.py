"""Inside the guest: a reader that waits for news of devices, and says each fact on a line of its own, a serial one."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from functools import partial
from pathlib import Path
from typing import TextIO

from ipo_sim.card.reading import DEFAULT_POLICY
from ipo_sim.core.events import Fact
from ipo_sim.readers.pcsc import PcscReader
from ipo_sim.readers.reader import Reader
from ipo_sim.readers.serial_line import SerialReader, Timing
from tests.readers.pcsc_bench import reading_by

# Nothing but udev's news makes the serial reader try again in time.
PATIENT = Timing(hello_s=30.0, first_retry_s=3600.0, longest_retry_s=3600.0)


def say(line: TextIO, fact: Fact) -> None:
    """In one line of JSON."""
    print(json.dumps([type(fact).__name__, dataclasses.asdict(fact)]), file=line, flush=True)


def reader_of(kind: str, where: str) -> Reader:
    """The reader of this kind that is there."""
    if kind == "pcsc":
        return PcscReader(where, read=reading_by(DEFAULT_POLICY))
    return SerialReader(where, name="fkc", timing=PATIENT)


if __name__ == "__main__":
    kind, where, line = sys.argv[1:]
    with Path(line).open("w") as out:
        asyncio.run(reader_of(kind, where).run(partial(say, out)))
