"""Both ends of a link in one test: wires that split, delay, alter, lose and double bytes, and what the reader says."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from ipo_sim.core.events import Fact
from ipo_sim.errors import ReaderError
from tests.readers.board import Board

# For links with real descriptors; a condition that has not come by then never comes.
PATIENCE_S = 10.0


class Facts:
    """What a reader emitted, and a way to wait for more."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self.all: list[Fact] = []
        self._patience_s = patience_s
        self._changed = asyncio.Event()

    def emit(self, fact: Fact) -> None:
        self.all.append(fact)
        self._changed.set()

    def take(self) -> list[Fact]:
        """All facts since the last time."""
        taken, self.all = self.all, []
        return taken

    async def until(self, *expected: Fact) -> None:
        """Wait for exactly these facts since the last time."""
        await self.until_length(len(expected))
        taken = self.take()
        assert taken == list(expected), taken

    async def until_length(self, length: int) -> None:
        """Wait for so many facts since the last time."""
        async with asyncio.timeout(self._patience_s):
            while len(self.all) < length:
                self._changed.clear()
                await self._changed.wait()


@contextlib.asynccontextmanager
async def running(run: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Have a reader run, and end it."""
    task = asyncio.create_task(run, name="reader")
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@dataclass(frozen=True)
class Faults:
    """How likely each mishap is, for each line; `delay_s` at most."""

    split: float = 0.0
    alter: float = 0.0
    lose: float = 0.0
    double: float = 0.0
    noise: float = 0.0
    delay_s: float = 0.0


CLEAN = Faults()
ROUGH = Faults(split=0.5, alter=0.15, lose=0.15, double=0.1, noise=0.1, delay_s=0.05)


class Wire:
    """One direction of a link; keeps the order, whatever else it does."""

    def __init__(self, random: Random, deliver: Callable[[bytes], None]) -> None:
        self.faults = CLEAN
        self._random = random
        self._deliver = deliver
        self._pieces: deque[bytes] = deque()
        self._free_at = 0.0

    def send(self, data: bytes) -> None:
        """Pass on one line, more or less."""
        chance, faults = self._random.random, self.faults
        if chance() < faults.noise:
            self._pass_on(self._random.randbytes(self._random.randrange(1, 40)))
        for _ in range(2 if chance() < faults.double else 1):
            damaged = bytearray(data)
            if chance() < faults.lose:
                at = self._random.randrange(len(damaged))
                del damaged[at : at + self._random.choice((1, 2, 200))]
            if damaged and chance() < faults.alter:
                damaged[self._random.randrange(len(damaged))] ^= self._random.randrange(1, 256)
            cut = self._random.randrange(len(damaged) + 1) if chance() < faults.split else len(damaged)
            self._pass_on(bytes(damaged[:cut]))
            self._pass_on(bytes(damaged[cut:]))

    def cut(self) -> None:
        """Lose what is on its way."""
        self._pieces.clear()

    def _pass_on(self, piece: bytes) -> None:
        if not piece:
            return
        loop = asyncio.get_running_loop()
        self._free_at = max(self._free_at, loop.time() + self._random.uniform(0, self.faults.delay_s))
        self._pieces.append(piece)
        loop.call_at(self._free_at, self._arrive)

    def _arrive(self) -> None:
        if self._pieces:
            self._deliver(self._pieces.popleft())


class Cable(Protocol):
    """What a port in memory is the end of."""

    to_board: Wire
    port: MemoryPort | None


class MemoryPort:
    """The host's end of a link in memory."""

    def __init__(self, link: Cable) -> None:
        self._link = link
        self._data = bytearray()
        self._wake = asyncio.Event()
        self._error = ""
        self.closed = False

    async def read(self) -> bytes:
        while not self._data:
            if self._error:
                raise ReaderError(self._error)
            self._wake.clear()
            await self._wake.wait()
        data = bytes(self._data)
        self._data.clear()
        return data

    def write(self, data: bytes) -> None:
        assert not self.closed
        self._link.to_board.send(data)

    async def close(self) -> None:
        self.closed = True
        self._link.port = None

    def arrive(self, data: bytes) -> None:
        self._data += data
        self._wake.set()

    def fail(self, error: str) -> None:
        self._error = error
        self._wake.set()


class MemoryLink:
    """A board behind a wire in memory, with faults by `seed`. `opened_at`: the moments of all opens, failed or not."""

    def __init__(self, seed: int = 0, *, resets_on_open: bool = True) -> None:
        random = Random(seed)
        self.to_host = Wire(random, self._to_port)
        self.board = Board(self.to_host.send)
        self.to_board = Wire(random, self.board.receive)
        self.port: MemoryPort | None = None
        self.plugged = True
        self.resets_on_open = resets_on_open
        self.opened_at: list[float] = []
        self.ports: list[MemoryPort] = []

    async def open(self) -> MemoryPort:
        """What a reader calls to open the link."""
        self.opened_at.append(asyncio.get_running_loop().time())
        if not self.plugged:
            raise ReaderError("no such device")
        assert self.port is None, "opened twice at once"
        self.port = MemoryPort(self)
        self.ports.append(self.port)
        if self.resets_on_open:
            self.board.power_on()
        return self.port

    def spoil(self, faults: Faults) -> None:
        """From now on both directions are like this."""
        self.to_board.faults = self.to_host.faults = faults

    def unplug(self, error: str = "read failed: the device is gone") -> None:
        """Pull the board off."""
        self.plugged = False
        self.board.power_off()
        self.to_board.cut()
        self.to_host.cut()
        if self.port is not None:
            self.port.fail(error)

    def plug(self) -> None:
        """Put it back."""
        self.plugged = True
        if not self.resets_on_open:
            self.board.power_on()

    def _to_port(self, data: bytes) -> None:
        if self.port is not None:
            self.port.arrive(data)
