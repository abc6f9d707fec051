"""A runtime that nobody has to run: without an event loop, everything happens when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, TypeVar

from ipo_sim.core.events import Fact
from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime.agenda import Foreseen
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.context import Context
from ipo_sim.runtime.engine import Applied
from ipo_sim.runtime.pump import Pump

_T = TypeVar("_T")


class ImmediatePump(Pump):
    """Applies facts to the engine in the caller's thread, at once; its coroutines never wait for anything."""

    def submit(self, name: UnitName, fact: Fact, cause: str, at: Nanoseconds | None = None) -> None:  # noqa: ARG002 - it is always now
        """Let a reader's fact happen; one that says what the unit knows already is passed over."""
        with suppress(CommandRejected):
            self.engine.apply(name, fact, cause)

    def foresee(self, facts: Iterator[Foreseen]) -> None:
        """Let these happen at their moments."""
        self.engine.foresee(facts)

    async def request(self, name: UnitName, fact: Fact, cause: str) -> Applied:
        """Let a fact happen; CommandRejected, JournalError."""
        return self.engine.apply(name, fact, cause)

    async def advance(self, duration: Nanoseconds) -> Nanoseconds:
        """Move time ahead through every deadline on the way."""
        at = self.engine.clock.advance(duration)
        self.engine.run_due()
        return at

    def change_clock(self, change: Callable[[], _T]) -> _T:
        """Let `change` set the engine's clock, after all that was due by the old one."""
        self.engine.run_due()
        return change()


def run_now(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: _T = done.value
        return result
    coroutine.close()
    raise RuntimeError("it waits for something, and nobody is there to let it happen")


def immediate(runtime: Runtime) -> Runtime:
    """The same runtime, with a pump that nobody has to run."""
    pump = ImmediatePump(runtime.engine)
    return runtime._replace(pump=pump, context=Context(pump, runtime.journal, runtime.bus))
