"""A daemon with one unit, for tests that kill it: `python -m tests.mqtt.daemon PORT`."""

from __future__ import annotations

import asyncio
import sys

from ipo_sim.runtime.bus import Bus
from tests.mqtt.linked import make_link, settings_for
from tests.mqtt.world import LiveUnit


async def main(port: int) -> None:
    bus = Bus()
    LiveUnit(bus).boot()
    await make_link(settings_for(port), bus).run()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
