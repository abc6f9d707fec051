"""An event loop whose clock jumps to the next timer when nothing else is to do: hours of patience in milliseconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# Longer than any of these tests is patient; a condition that has not come by then never comes.
LIMIT_S = 3600.0


class _JumpingSelector(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events:
            assert timeout is not None, "everybody waits and nothing will ever happen"
            self.now += max(0.0, timeout)
        return events


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """For what does no real input and output. Time begins at 0 and passes only while all wait."""

    def __init__(self) -> None:
        self._clock = _JumpingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run a scenario in virtual time."""

    async def limited() -> T:
        async with asyncio.timeout(LIMIT_S):
            return await scenario

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(limited())


async def until(at: float) -> None:
    """Let virtual time come to this moment."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    reached = asyncio.Event()
    loop.call_at(at, reached.set)
    await reached.wait()


async def elapse(seconds: float) -> None:
    """Let so much virtual time pass."""
    await until(asyncio.get_running_loop().time() + seconds)
