"""A daemon that commands itself at random and says what was acknowledged: `victim.py STATE_DIR SEED`, to be killed."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.model import UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime import log, snapshot
from ipo_sim.runtime.assembly import Runtime, open_runtime
from ipo_sim.runtime.commands import execute, parse_line
from tests.core.bench import OTHER_SERIAL, SERIAL, key
from tests.runtime.bench import A, B, small

LINES = (
    "power on=true",
    "power on=false",
    "restart",
    "shutdown minutes=5",
    f"insert-card serial={SERIAL}",
    f"insert-card serial={OTHER_SERIAL}",
    "remove-card",
    "fit path=slots/2 part=POT8",
    "withdraw path=slots/2",
    "withdraw path=expansion/1",
    "fit path=expansion/1 part=DS30V2",
    f"add-licence key={key(serial=OTHER_SERIAL)}",
    f"remove-licence key={key(serial=OTHER_SERIAL)}",
    "load-configuration",
    "set-fault path=slots/1",
    "clear-fault path=slots/1",
    "set-time date=2030-01-01T00:00:00",
    "advance seconds=3",
    "advance seconds=4000",
    "set-time scale=5000",
    "set-time scale=1",
)
CLIENTS = 4


async def client(runtime: Runtime, unit: UnitName, chance: random.Random) -> None:
    """Send one command after the other for ever; a line on standard output acknowledges each that changed the unit."""
    while True:
        verb, arguments = parse_line(chance.choice(LINES))
        try:
            answer = await execute(runtime.context, unit, verb, arguments)
        except CommandRejected:
            # Nothing was awaited, so nobody else had a turn.
            await asyncio.sleep(0)
            continue
        os.write(1, f"{unit} {answer.get('seq', 0)} {verb}\n".encode())


async def main(state_dir: Path, chance: random.Random) -> None:
    snapshot.SNAPSHOT_EVERY = 20
    runtime = open_runtime(state_dir, [small(A), small(B)], load_catalogue())
    os.write(1, b"ready\n")
    async with asyncio.TaskGroup() as group:
        group.create_task(runtime.pump.run(), name="pump")
        for number in range(CLIENTS):
            group.create_task(client(runtime, (A, B)[number % 2], chance), name=f"client-{number}")


if __name__ == "__main__":
    log.configure("json", "warning")
    asyncio.run(main(Path(sys.argv[1]), random.Random(sys.argv[2])))
