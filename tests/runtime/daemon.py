"""A small daemon for tests: `daemon.py STATE_DIR serve|hang|crash`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from ipo_sim.runtime import log
from ipo_sim.runtime.supervisor import Service, run_daemon
from tests.runtime.bench import open_bench


class Script:
    """A service that does what the command line says."""

    name = "script"

    def __init__(self, word: str) -> None:
        self.word = word

    async def run(self) -> None:
        print("ready", flush=True)  # noqa: T201 - what the test waits for
        if self.word == "crash":
            raise ZeroDivisionError("by nought")
        await asyncio.Event().wait()

    async def stop(self) -> None:
        print("offline", flush=True)  # noqa: T201 - what the test waits for
        if self.word == "hang":
            while True:
                pass


class Edge:
    """A service that says goodbye."""

    name = "edge"

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        print("offline", flush=True)  # noqa: T201 - what the test reads


async def main(state_dir: Path, word: str) -> int:
    runtime = open_bench(state_dir)
    services: list[Service] = [runtime.pump, Script(word)]
    if word == "crash":
        services.insert(1, Edge())
    return await run_daemon(services, runtime.close)


if __name__ == "__main__":
    log.configure("json", "warning")
    sys.exit(asyncio.run(main(Path(sys.argv[1]), sys.argv[2])))
