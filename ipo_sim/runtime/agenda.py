"""Facts that are known ahead, such as those of a recording: the engine takes each at its moment, like a deadline."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from ipo_sim.core.events import Fact
from ipo_sim.core.model import Nanoseconds, UnitName


class Foreseen(NamedTuple):
    """A fact that will happen to a unit `at` that simulation time, and who causes it."""

    at: Nanoseconds
    unit: UnitName
    fact: Fact
    cause: str


class Agenda:
    """Any number of sources, each in order of time and possibly endless; at one moment the elder source goes first.

    What was taken can be put back until `keep` says that it has happened. `taken` counts what `keep` has not seen.
    """

    __slots__ = ("_heap", "_sources", "_taken")

    def __init__(self) -> None:
        self._sources = 0
        self._heap: list[tuple[Nanoseconds, int, _Source]] = []
        self._taken: list[tuple[int, _Source, Foreseen]] = []

    @property
    def taken(self) -> int:
        """See the class."""
        return len(self._taken)

    def add(self, facts: Iterator[Foreseen]) -> None:
        """One more source; only the next of its facts is looked at before its time."""
        self._sources += 1
        self._push(self._sources, _Source(facts))

    def next_at(self) -> Nanoseconds | None:
        """When the next fact is due; None: nothing is foreseen."""
        return self._heap[0][0] if self._heap else None

    def take(self) -> Foreseen:
        """The next fact; IndexError without one."""
        _, number, source = heapq.heappop(self._heap)
        fact = source.ahead.popleft()
        self._taken.append((number, source, fact))
        self._push(number, source)
        return fact

    def keep(self) -> None:
        """What was taken has happened."""
        self._taken.clear()

    def put_back(self) -> None:
        """What was taken has not happened."""
        if not self._taken:
            return
        for _, source, fact in reversed(self._taken):
            source.ahead.appendleft(fact)
        sources = {number: source for number, source, _ in self._taken}
        self._heap = [entry for entry in self._heap if entry[1] not in sources]
        heapq.heapify(self._heap)
        for number, source in sources.items():
            self._push(number, source)
        self._taken.clear()

    def _push(self, number: int, source: _Source) -> None:
        following = source.peek()
        if following is not None:
            heapq.heappush(self._heap, (following.at, number, source))


class _Source:
    """An iterator that can be looked ahead into, and given back to."""

    __slots__ = ("_rest", "ahead")

    def __init__(self, facts: Iterator[Foreseen]) -> None:
        self._rest = facts
        self.ahead: deque[Foreseen] = deque()

    def peek(self) -> Foreseen | None:
        if not self.ahead and (following := next(self._rest, None)) is not None:
            self.ahead.append(following)
        return self.ahead[0] if self.ahead else None
