"""The command that takes the whole bench back to an earlier moment."""

from __future__ import annotations

from ipo_sim.core.model import SECOND_NS, Nanoseconds
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime import arguments as a
from ipo_sim.runtime.command import Call, Command
from ipo_sim.runtime.moment import parse_moment
from ipo_sim.runtime.requests import Answer
from ipo_sim.runtime.rewind import Cut, cut_after, cut_at, rewind
from ipo_sim.runtime.time_commands import clock_facts


async def _rewind(call: Call) -> Answer:
    # What waits to happen until now happens first: it belongs to the history that is left behind.
    await call.context.pump.advance(Nanoseconds(0))
    cut = _cut(call)
    engine, journal = call.context.engine, call.context.journal
    left = sum(engine.unit(unit).seq - seq for unit, seq in cut.seqs.items())
    rewind(call.context, cut, call.cause)
    told = {"seq": cut.seqs[call.unit], "epoch": journal.epoch(call.unit), "left_behind": left}
    return {**told, **clock_facts(call)}


def _cut(call: Call) -> Cut:
    asked: a.Rewind = call.arguments
    engine, journal = call.context.engine, call.context.journal
    units, now = engine.names(), engine.clock.now()
    if asked.seq is not None:
        return cut_after(journal, units, call.unit, asked.seq, now)
    if asked.seconds is not None:
        return cut_at(journal, units, Nanoseconds(now - round(asked.seconds * SECOND_NS)), now)
    assert asked.to is not None  # the model has seen to it
    try:
        moment = parse_moment(asked.to, 0)
    except ValueError as error:
        raise CommandRejected("bad-arguments", f"to: {asked.to!r} is no date and time: {error}") from error
    return cut_at(journal, units, moment, now)


COMMANDS = (
    Command(
        "rewind",
        "Take all units and their time back to a moment; the journal keeps what came after it",
        "rewind seconds=20",
        a.Rewind,
        _rewind,
    ),
)
