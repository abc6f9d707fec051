"""From a command to its event: what handlers have in common."""

from __future__ import annotations

from ipo_sim.core.events import FeatureKeyInserted
from ipo_sim.errors import CommandRejected, JournalError
from ipo_sim.runtime.command import Call, Situation
from ipo_sim.runtime.engine import Applied
from ipo_sim.runtime.moment import rfc3339
from ipo_sim.runtime.requests import Answer


async def apply(call: Call) -> Answer:
    """Let the command's fact happen and tell by which event."""
    return applied(await happen(call))


async def happen(call: Call) -> Applied:
    """The command's fact, journalled and applied; CommandRejected, JournalError."""
    assert call.command.intent is not None
    fact = call.command.intent(situation(call), call.arguments)
    return await call.context.pump.request(call.unit, fact, call.cause)


def applied(done: Applied) -> Answer:
    """The answer to whatever made an event."""
    return {"seq": done.seq, "at": rfc3339(done.effects.unit_time)}


def situation(call: Call) -> Situation:
    """What the command's fact is made from."""
    engine = call.context.engine
    return Situation(engine.unit(call.unit), engine.clock.now(), lambda: _last_card(call))


def _last_card(call: Call) -> FeatureKeyInserted | None:
    journal = call.context.journal
    try:
        entry = journal.last_card(call.unit, journal.epoch(call.unit))
    except JournalError as error:
        raise CommandRejected("journal-unavailable", str(error), temporary=True) from error
    return entry.event.fact if entry and isinstance(entry.event.fact, FeatureKeyInserted) else None
