"""What commands would do: the same core, on a copy that is thrown away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ipo_sim.core.dect import dect_deadline
from ipo_sim.core.events import DeadlineReached, Event, Fact, FeatureKeyInserted
from ipo_sim.core.model import (
    SECOND_NS,
    Alarm,
    Entity,
    Extension,
    Feature,
    Licence,
    Nanoseconds,
    Part,
    Unit,
    User,
)
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

# An entity as clients see it; None: it is not there.
View = dict[str, Any] | None


class Step(NamedTuple):
    """One command of the question, with its arguments read."""

    command: Command
    arguments: Any


class Happening(NamedTuple):
    """One event of the imagined world, in words; `refused` are licences of which a use found too few instances."""

    seq: int
    at: Nanoseconds
    text: str
    refused: tuple[str, ...]


class Imagined:
    """A unit in a world of its own: time and events there happen nowhere else."""

    def __init__(self, situation: Situation) -> None:
        self.unit: Unit = situation.unit
        self.now: Nanoseconds = situation.now
        self.events: list[Happening] = []
        self._last_card = situation.last_card

    def take(self, asked: Step) -> None:
        """Do one command; CommandRejected as the real unit would, or when it cannot be imagined."""
        if isinstance(asked.arguments, Advance):
            self._advance(self._target(asked.arguments))
        elif asked.command.intent is None:
            raise CommandRejected("not-imaginable", f"{asked.command.verb} cannot be part of a what-if")
        else:
            situation = Situation(self.unit, self.now, self._last_card, imagined=True)
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
        text = deadline_text(self.unit) if isinstance(fact, DeadlineReached) else describe(fact)
        self.unit, effects = step(self.unit, Event(max(at, self.unit.at), fact, "what-if"))
        self.events.append(Happening(effects.seq, effects.unit_time, text, effects.refused))
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
        "events": [_event(happening) for happening in world.events],
        "changes": changes(situation.unit, world.unit),
        "next": _next(world.unit),
    }


def deadline_text(unit: Unit) -> str:
    """What a unit's next deadline is the end of."""
    deadline = next_deadline(unit)
    if deadline is None or deadline == unit.life.until:
        return f"the end of {unit.life.state.replace('_', ' ')}"
    if deadline == unit.key.grace_until:
        return "the end of the feature key's grace"
    if unit.dect is not None and deadline == dect_deadline(unit.dect):
        timer = unit.dect.dect.timer
        runs_down = timer is not None and timer.violated
        return f"the moment at which the violation timer of IP DECT {'has run down' if runs_down else 'is full again'}"
    return "the end of a licence's last day"


def _event(happening: Happening) -> dict[str, Any]:
    told = {"seq": happening.seq, "at": rfc3339(happening.at), "text": happening.text}
    return {**told, "refused": list(happening.refused)} if happening.refused else told


def _next(unit: Unit) -> dict[str, Any] | None:
    """What would then happen by itself, and when by the unit's clock."""
    deadline = next_deadline(unit)
    if deadline is None:
        return None
    return {"at": rfc3339(Nanoseconds(deadline + unit.clock_offset_ns)), "text": deadline_text(unit)}


def changes(old: Unit, new: Unit) -> list[dict[str, Any]]:
    """Every entity that is seen to differ, in the order of a cascade; of those that stay, only the fields that do."""
    before, after = entities(old), entities(new)
    # With another date the same moment is written in another way.
    redated = old.clock_offset_ns != new.clock_offset_ns
    found = []
    for path in {**after, **before}:
        if redated or before.get(path) != after.get(path):
            was, will_be = _change(_view(before, path, old), _view(after, path, new))
            if was != will_be:
                what = _what(after.get(path) or before[path])
                found.append({"path": path, "what": what, "before": was, "after": will_be})
    return found


def _what(entity: Entity) -> str:
    """What stands at a path that does not tell it by itself: the licence, the part, the event of an alarm."""
    match entity:
        case Licence():
            return entity.type_name
        case Feature():
            return entity.licence
        case Part():
            part = entity.fitted or entity.configured
            return part.code if part else ""
        case Alarm():
            return entity.text
        case User():
            return entity.profile
        case Extension():
            return entity.kind
    return ""


def _view(store: Mapping[str, Entity], path: str, unit: Unit) -> View:
    return view(store[path], unit.clock_offset_ns) if path in store else None


def _change(before: View, after: View) -> tuple[View, View]:
    if before is None or after is None:
        return before, after
    fields = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in fields}, {name: after[name] for name in fields}
