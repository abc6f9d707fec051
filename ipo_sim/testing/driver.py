"""Who lets things happen to the units of a test: the test itself, in its own thread and without any waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from ipo_sim.core.events import Fact
from ipo_sim.core.model import UnitName
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.commands import execute
from ipo_sim.runtime.immediate import run_now

_T = TypeVar("_T")
Answer = Mapping[str, Any]


class Driver(Protocol):
    """The way from a test to the units."""

    runtime: Runtime

    def call(self, look: Callable[[], _T]) -> _T:
        """What `look` sees of the runtime at this moment."""
        ...

    def execute(self, unit: UnitName, verb: str, arguments: Mapping[str, object]) -> Answer:
        """Carry out a command of the registry; CommandRejected."""
        ...

    def submit(self, unit: UnitName, fact: Fact, cause: str) -> None:
        """Let happen what a reader says."""

    def wait(self, seconds: float) -> float:
        """Wait until something may have happened, at most so long of real time; how long it was."""
        ...

    def close(self) -> None:
        """Give everything back."""


class ImmediateDriver:
    """In the test's thread. A clock that runs is caught up with whenever somebody looks."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def call(self, look: Callable[[], _T]) -> _T:
        """What `look` sees, after all that was due."""
        if not self.runtime.clock.paused:
            self.runtime.engine.run_due()
        return look()

    def execute(self, unit: UnitName, verb: str, arguments: Mapping[str, object]) -> Answer:
        """Carry out a command."""
        return self.call(lambda: run_now(execute(self.runtime.context, unit, verb, arguments)))

    def submit(self, unit: UnitName, fact: Fact, cause: str) -> None:
        """Let happen what a reader says."""
        self.call(lambda: self.runtime.pump.submit(unit, fact, cause))

    def wait(self, seconds: float) -> float:
        """Only time can make anything happen."""
        threading.Event().wait(seconds)
        return seconds

    def close(self) -> None:
        """Forget it all."""
        self.runtime.close()
