"""A key server whose dongle is in a real reader: a board behind TCP, which firmware and bridges look like from here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from tests.cli.daemons import DEADLINE_S, ROOT, environment
from tests.key_server.servers import UNIT
from tests.readers.board import NO_ANSWER, Chip
from tests.readers.key_server_network import polling
from tests.readers.links import PATIENCE_S
from tests.readers.test_socket_port import Bridge


class Told:
    """What a key server says of itself."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream

    async def until(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                told: dict[str, Any] = json.loads(await self._stream.readline())
                if condition(told):
                    return told

    async def until_state(self, state: str) -> dict[str, Any]:
        return await self.until(lambda told: told["dongle"]["state"] == state)


@contextlib.asynccontextmanager
async def key_server(home: Path, *arguments: str) -> AsyncIterator[Told]:
    """A process of `ipo-sim key-server run`, which has to end well."""
    command = (sys.executable, "-m", "ipo_sim", "key-server", "run", "--port", "0", "--json", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=ROOT, env=environment(home))
    assert process.stdout is not None
    try:
        yield Told(process.stdout)
        process.terminate()
        _, log = await asyncio.wait_for(process.communicate(), DEADLINE_S)
        assert process.returncode == 0, log
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@contextlib.asynccontextmanager
async def board_with_dongle() -> AsyncIterator[Bridge]:
    made = Bridge()
    await made.open()
    made.board.chip = Chip(law="mulaw")
    made.board.power_on()
    try:
        yield made
    finally:
        made.board.power_off()
        await made.close()
        async with asyncio.timeout(PATIENCE_S):
            await made.until_alone()


async def test_units_are_told_what_a_real_reader_reads(home: Path) -> None:
    async with (
        board_with_dongle() as bridge,
        key_server(home, "--device", f"socket://127.0.0.1:{bridge.port}", "--dongle", "parallel") as server,
    ):
        told = await server.until_state("present")
        dongle = told["dongle"]
        assert (dongle["kind"], dongle["serial"], dongle["law"]) == ("dongle-parallel", "1234567890", "mulaw")
        async with polling(told["port"]) as (_, facts):
            assert (await server.until(lambda said: said["unit"]))["unit"] == UNIT
            bridge.board.remove()
            assert (await server.until_state("absent"))["dongle"]["serial"] is None
            bridge.board.insert(Chip(error=NO_ANSWER))
            assert (await server.until_state("unreadable"))["dongle"]["reason"] == 3
            bridge.board.remove()
            bridge.board.insert(Chip("0000000003"))
            assert (await server.until_state("present"))["dongle"]["serial"] == "0000000003"
            await bridge.close()
            assert (await server.until_state("unreadable"))["dongle"]["reason"] == 9
            await bridge.open()
            assert (await server.until_state("present"))["dongle"]["serial"] == "0000000003"
            told_to_unit = [type(fact).__name__ for fact in facts.take()]
        # Which of the short states a poll meets is chance, the first two and the last are not.
        assert told_to_unit[:2] == ["ReaderAttached", "FeatureKeyInserted"]
        assert told_to_unit.count("ReaderLost") == 0
