"""Inside the guest: a serial reader that waits for news of devices, and says each fact on the console as one line of JSON."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys

from ipo_sim.core.events import Fact
from ipo_sim.readers.serial_line import SerialReader, Timing

# Nothing but udev's news makes it try again in time.
PATIENCE = Timing(hello_s=30.0, first_retry_s=3600.0, longest_retry_s=3600.0)


def say(fact: Fact) -> None:
    """On a line of its own, for the kernel speaks on the console too."""
    sys.stdout.write(f"\nFACT {json.dumps([type(fact).__name__, dataclasses.asdict(fact)])}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(SerialReader(sys.argv[1], name="fkc", timing=PATIENCE).run(say))
