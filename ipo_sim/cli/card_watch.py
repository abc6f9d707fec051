"""`ipo-sim card watch`: what happens at a reader, as the unit would hear it."""

from __future__ import annotations

import asyncio
import json
from argparse import Namespace
from functools import partial

from ipo_sim.cli.card_policy import configured_policy, open_policy, read_by
from ipo_sim.cli.card_slots import place_of
from ipo_sim.cli.failure import EXIT_OK, UsageError
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
    place = place_of(arguments.reader)
    if place.port is not None:
        if arguments.config is not None:
            raise UsageError("--config: a serial reader judges its cards itself")
        from ipo_sim.readers.serial_line import SerialReader  # noqa: PLC0415 - who has PC/SC does not pay for it

        return SerialReader(place.port)
    from ipo_sim.readers.pcsc import PcscReader  # noqa: PLC0415 - who has a serial reader does not pay for it

    policy = configured_policy(arguments.config, arguments.unit)[1] if arguments.config else open_policy()
    assert place.pattern is not None
    return PcscReader(place.pattern, read=partial(read_by, policy))


async def _watch(arguments: Namespace, reader: Reader) -> None:
    over = asyncio.Event()
    told = 0

    def take(fact: Fact) -> None:
        nonlocal told
        if over.is_set():
            return
        print(_line(fact, as_json=arguments.json), flush=True)
        told += 1
        if told == arguments.count:
            over.set()

    task = asyncio.create_task(reader.run(take), name="reader")
    waiting = asyncio.create_task(over.wait(), name="enough events")
    try:
        # A reader ends only by a defect, which is raised here.
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        for each in (task, waiting):
            each.cancel()
        await asyncio.gather(task, waiting, return_exceptions=True)


def _line(fact: Fact, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"event": fact.TYPE, **fact_data(fact)})
    return f"{fact.TYPE}: {describe(fact)}"
