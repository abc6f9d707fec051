"""What commands would do: the same core, on a copy that is thrown away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ipo_sim.core.events import DeadlineReached, Event, Fact, FeatureKeyInserted
from ipo_sim.core.model import SECOND_NS, Entity, Nanoseconds, Unit
from ipo_sim.core.unit import entities, next_deadline, step
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime.arguments import Advance
from ipo_sim.runtime.command import Command, Situation
from ipo_sim.runtime.describe import describe
from ipo_sim.runtime.moment import rfc3339
from ipo_sim.runtime.requests import Answer
from ipo_sim.runtime.view import view

# Deadlines included: beyond it the question is too long to be answered while everybody waits.
MAX_EVENTS = 1_000


class Step(NamedTuple):
    """One command of the question, with its arguments read."""

    command: Command
    arguments: Any


class Imagined:
    """A unit in a world of its own: time and events there happen nowhere else."""

    def __init__(self, situation: Situation) -> None:
        self.unit: Unit = situation.unit
        self.now: Nanoseconds = situation.now
        self.events: list[tuple[int, Event]] = []
        self._last_card = situation.last_card

    def take(self, asked: Step) -> None:
        """Do one command; CommandRejected as the real unit would, or when it cannot be imagined."""
        if isinstance(asked.arguments, Advance):
            self._advance(self._target(asked.arguments))
        elif asked.command.intent is None:
            raise CommandRejected("not-imaginable", f"{asked.command.verb} cannot be part of a what-if")
        else:
            situation = Situation(self.unit, self.now, self._last_card)
            self._happen(self.now, asked.command.intent(situation, asked.arguments))
            self._advance(self.now)

    def _target(self, arguments: Advance) -> Nanoseconds:
        if arguments.seconds is not None:
            return Nanoseconds(self.now + round(arguments.seconds * SECOND_NS))
        deadline = next_deadline(self.unit)
        if deadline is None:
            raise CommandRejected("no-deadline", "nothing would happen by itself")
        return max(deadline, self.now)

    def _advance(self, until: Nanoseconds) -> None:
        while (deadline := next_deadline(self.unit)) is not None and deadline <= until:
            self._happen(deadline, DeadlineReached())
        self.now = until

    def _happen(self, at: Nanoseconds, fact: Fact) -> None:
        if len(self.events) >= MAX_EVENTS:
            raise CommandRejected("too-long", f"the answer would take more than {MAX_EVENTS} events")
        event = Event(max(at, self.unit.at), fact, "what-if")
        self.unit, _ = step(self.unit, event)
        self.events.append((self.unit.seq, event))
        if isinstance(fact, FeatureKeyInserted):
            self._last_card = lambda: fact


def imagine(situation: Situation, steps: Iterable[Step]) -> Answer:
    """What would be different after the steps; CommandRejected naming the one that would be refused."""
    world = Imagined(situation)
    for number, asked in enumerate(steps, 1):
        try:
            world.take(asked)
        except CommandRejected as error:
            raise CommandRejected(error.reason, f"event {number}, {asked.command.verb}: {error}") from error
    return {
        "events": [{"seq": seq, "at": rfc3339(event.at), "text": describe(event.fact)} for seq, event in world.events],
        "changes": _changes(situation.unit, world.unit),
    }


def _changes(old: Unit, new: Unit) -> list[dict[str, Any]]:
    """Every entity that differs, in the order of a cascade; of those that stay, only the fields that differ."""
    before, after = entities(old), entities(new)
    return [
        _change(path, _view(before, path, old), _view(after, path, new))
        for path in {**after, **before}
        if before.get(path) != after.get(path)
    ]


def _view(store: Mapping[str, Entity], path: str, unit: Unit) -> dict[str, Any] | None:
    return view(store[path], unit.clock_offset_ns) if path in store else None


def _change(path: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, Any]:
    if before is not None and after is not None:
        fields = [name for name in after if before[name] != after[name]]
        before, after = {name: before[name] for name in fields}, {name: after[name] for name in fields}
    return {"path": path, "before": before, "after": after}
