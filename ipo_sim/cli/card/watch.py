"""`ipo-sim card watch`: what happens at a reader, as the unit would hear it."""

from __future__ import annotations

import asyncio
import json
from argparse import Namespace
from functools import partial

from ipo_sim.cli.card.place import Way, meant
from ipo_sim.cli.card.policy import open_policy, read_by
from ipo_sim.cli.failure import EXIT_OK
from ipo_sim.core.events import Fact, fact_data
from ipo_sim.readers.reader import Reader
from ipo_sim.runtime.describe import describe
from ipo_sim.runtime.log import configure


def main(arguments: Namespace) -> int:
    """Print facts until there were enough, or Ctrl-C."""
    reader = _reader(arguments)
    configure(level="error")
    asyncio.run(_watch(arguments, reader))
    return EXIT_OK


def _reader(arguments: Namespace) -> Reader:
    place, policy = meant(arguments.reader, arguments.config, arguments.unit)
    if place.way is Way.SERIAL:
        from ipo_sim.readers.serial_line import SerialReader  # noqa: PLC0415 - who has PC/SC does not pay for it

        return SerialReader(place.address)
    read = partial(read_by, policy or open_policy())
    if place.way is Way.PN532:
        from ipo_sim.readers.pn532 import Pn532Reader  # noqa: PLC0415 - as above

        return Pn532Reader(place.address, read=read)
    from ipo_sim.readers.pcsc import PcscReader  # noqa: PLC0415 - as above

    return PcscReader(place.address, read=read)


async def _watch(arguments: Namespace, reader: Reader) -> None:
    facts: asyncio.Queue[Fact] = asyncio.Queue()
    tasks = (
        asyncio.create_task(reader.run(facts.put_nowait), name="reader"),
        asyncio.create_task(_print(arguments, facts), name="watch"),
    )
    try:
        # The reader ends only by a defect, which is raised here; the other one when whoever reads has enough.
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _print(arguments: Namespace, facts: asyncio.Queue[Fact]) -> None:
    """As many as are wanted; for ever without a number."""
    left: int | None = arguments.count
    while left != 0:
        print(_line(await facts.get(), as_json=arguments.json), flush=True)
        left = None if left is None else left - 1


def _line(fact: Fact, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"event": fact.TYPE, **fact_data(fact)})
    return f"{fact.TYPE}: {describe(fact)}"
