"""Two histories beside one another, or two moments of one: where they part, and what is different at their ends."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any, NamedTuple

from ipo_sim.core.model import UnitName
from ipo_sim.runtime.journal_reader import JournalEntry
from ipo_sim.runtime.journal_replay import END, Point, Replayer
from ipo_sim.runtime.what_if import changes


class Parting(NamedTuple):
    """The first event that is not the same; None where a history has ended already."""

    one: JournalEntry | None
    other: JournalEntry | None


class Comparison(NamedTuple):
    """What is different of a unit in two journals.

    `definition` names the fields that differ, `events` counts both histories, `changes` are entities as `what-if` tells
    them: `before` is how they are in the one, `after` in the other.
    """

    unit: UnitName
    definition: tuple[str, ...]
    events: tuple[int, int]
    parting: Parting | None
    changes: tuple[dict[str, Any], ...]

    @property
    def is_equal(self) -> bool:
        """Whether nothing is different."""
        return not (self.definition or self.parting or self.changes)


class Span(NamedTuple):
    """What happened to a unit between two points of its history, and what is different after it."""

    unit: UnitName
    epoch: int
    events: tuple[JournalEntry, ...]
    changes: tuple[dict[str, Any], ...]


def compare(unit: UnitName, one: Replayer, other: Replayer, *, only_facts: bool = False) -> Comparison:
    """A unit's present histories; with `only_facts` it does not matter when something happened and who did it."""
    epochs = one.epoch(unit), other.epoch(unit)
    first, second = (epoch.definition for epoch in epochs)
    definition = tuple(name for name in {**first, **second} if first.get(name) != second.get(name))
    pairs = zip_longest(one.entries(unit, epochs[0]), other.entries(unit, epochs[1]))
    parting = next((Parting(*pair) for pair in pairs if _key(pair[0], only_facts) != _key(pair[1], only_facts)), None)
    ends = one.replay(unit), other.replay(unit)
    differences = tuple(changes(ends[0].state.unit, ends[1].state.unit))
    return Comparison(unit, definition, (ends[0].events, ends[1].events), parting, differences)


def between(unit: UnitName, replayer: Replayer, epoch: int | None, start: Point, end: Point = END) -> Span:
    """One history from a point to a later one; JournalError when there is no such event."""
    before, after = replayer.replay(unit, epoch, start), replayer.replay(unit, epoch, end)
    told = replayer.entries(unit, replayer.epoch(unit, epoch), end)
    events = tuple(entry for entry in told if entry.seq > before.events)
    return Span(unit, before.epoch, events, tuple(changes(before.state.unit, after.state.unit)))


def _key(entry: JournalEntry | None, only_facts: bool) -> object:  # noqa: FBT001 - passed on as it came
    if entry is None:
        return None
    event = entry.event
    return (event.fact,) if only_facts else (event.fact, event.at, event.cause)
