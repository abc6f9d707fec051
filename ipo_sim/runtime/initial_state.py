"""How new units come to the state that they start in: they live through the way there, before the daemon's time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ipo_sim.catalogue.states import load_states
from ipo_sim.core.events import Fact, FeatureKeyInserted, FeatureKeyRemoved, PowerApplied, ReaderAttached
from ipo_sim.core.model import Nanoseconds, Unit, UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime.command import Situation
from ipo_sim.runtime.commands import find, parse_line, read_arguments
from ipo_sim.runtime.duration import parse_duration
from ipo_sim.runtime.engine import Engine, Submission

CAUSE = "start"
VIRTUAL = "virtual"


class _Moment(NamedTuple):
    """What comes at `at`, `order` telling those of one moment apart; `line` None: the unit gets power and its card."""

    at: Nanoseconds
    order: int
    unit: UnitName
    line: str | None


def reach(engine: Engine, units: Iterable[UnitName], now: Nanoseconds) -> None:
    """Let the units live through what leads to their states, so that all of them are there `now`.

    Where a journal has later events already, the clock is moved on instead. CommandRejected: a state cannot be reached.
    """
    ways = [(name, _way(engine.unit(name).definition.state)) for name in units]
    longest = max((way[-1][0] for _, way in ways), default=Nanoseconds(0))
    begin = max(now - longest, engine.last_at)
    moments: list[_Moment] = []
    for name, way in ways:
        start = begin + longest - way[-1][0]
        moments += [_Moment(Nanoseconds(start + at), order, name, line) for order, (at, line) in enumerate(way)]
    if begin + longest > engine.clock.now():
        engine.clock.advance(Nanoseconds(begin + longest - engine.clock.now()))
    heapq.heapify(moments)
    while moments:
        _live(engine, heapq.heappop(moments))


def _way(state: str) -> list[tuple[Nanoseconds, str | None]]:
    """The moments of the way to a state, since power came; the last one only tells how long it is."""
    at = Nanoseconds(0)
    way: list[tuple[Nanoseconds, str | None]] = [(at, None)]
    for line in load_states().states[state].do:
        if line.startswith("+"):
            at = Nanoseconds(at + parse_duration(line[1:]))
        else:
            way.append((at, line))
    return [*way, (at, "")]


def _live(engine: Engine, moment: _Moment) -> None:
    unit = engine.unit(moment.unit)
    for fact in [None] if moment.line == "" else _facts(unit, moment):
        submission = Submission(moment.unit, fact, CAUSE, moment.at)
        while not (outcomes := engine.run_batch((submission,), moment.at)):
            pass
        if isinstance(outcomes[0], CommandRejected):
            raise outcomes[0]


def _facts(unit: Unit, moment: _Moment) -> Iterator[Fact]:
    definition = unit.definition
    if moment.line is None:
        yield PowerApplied()
        if definition.reader_kind == VIRTUAL:
            yield ReaderAttached(definition.reader_name)
            card = definition.card
            if card is not None:
                yield FeatureKeyInserted(card.serial, kind=card.kind, law=card.law, counter=1)
        return
    verb, arguments = parse_line(moment.line)
    if verb == "remove-card" and definition.card is None:
        return
    if verb == "insert-card" and definition.card is not None:
        yield FeatureKeyRemoved(1)
    command = find(verb)
    assert command.intent is not None
    yield command.intent(Situation(unit, moment.at, lambda: None), read_arguments(command, arguments))
