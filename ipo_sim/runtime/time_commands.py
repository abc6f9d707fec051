"""The commands that steer time: scale and pause of the daemon's clock, jumps, steps, and the date of a unit."""

from __future__ import annotations

from typing import Any

from ipo_sim.core.model import SECOND_NS, Nanoseconds
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime import arguments as a
from ipo_sim.runtime import intents
from ipo_sim.runtime.bus import Record
from ipo_sim.runtime.carry_out import applied, happen
from ipo_sim.runtime.command import Call, Command
from ipo_sim.runtime.describe import describe
from ipo_sim.runtime.moment import rfc3339
from ipo_sim.runtime.requests import Answer

# Events that the answer of a step tells; a client's message holds so many, and nobody reads more.
MAX_TOLD = 100


def clock_facts(call: Call) -> Answer:
    """The daemon's clock; `time` is simulation time, from which the date of a unit can differ."""
    clock = call.context.engine.clock
    return {"time": rfc3339(clock.now()), "scale": clock.scale, "paused": clock.paused}


async def _set_time(call: Call) -> Answer:
    asked: a.Time = call.arguments
    answer: Answer = {}
    if asked.date is not None:
        date = call._replace(arguments=asked.model_copy(update={"scale": None, "pause": None}))
        answer = applied(await happen(date))
    pump, clock = call.context.pump, call.context.engine.clock
    if asked.scale is not None:
        scale = asked.scale
        pump.change_clock(lambda: clock.set_scale(scale))
    if asked.pause is not None:
        pump.change_clock(clock.pause if asked.pause else clock.resume)
    return {**answer, **clock_facts(call)}


async def _pause(call: Call) -> Answer:
    call.context.pump.change_clock(call.context.engine.clock.pause)
    return clock_facts(call)


async def _resume(call: Call) -> Answer:
    call.context.pump.change_clock(call.context.engine.clock.resume)
    return clock_facts(call)


async def _advance(call: Call) -> Answer:
    asked: a.Advance = call.arguments
    engine = call.context.engine
    lengths = [] if asked.seconds is None else [round(asked.seconds * SECOND_NS)]
    if asked.to is not None:
        deadline = engine.next_deadline(call.unit)
        if deadline is not None:
            lengths.append(max(0, deadline - engine.clock.now()))
        elif not lengths:
            raise CommandRejected("no-deadline", f"nothing will happen to unit {call.unit} by itself")
    await call.context.pump.advance(Nanoseconds(min(lengths)))
    return {"seq": engine.unit(call.unit).seq, **clock_facts(call)}


async def _step(call: Call) -> Answer:
    """Pause, and go from one deadline of any unit to the next; what happened there is told."""
    asked: a.Steps = call.arguments
    engine, pump = call.context.engine, call.context.pump
    if engine.next_deadline() is None:
        raise CommandRejected("no-deadline", "nothing will happen by itself to any unit")
    pump.change_clock(engine.clock.pause)
    subscription = call.context.bus.subscribe("step", max_records=MAX_TOLD)
    before = engine.events
    try:
        for _ in range(asked.count):
            deadline = engine.next_deadline()
            if deadline is None:
                break
            await pump.advance(Nanoseconds(max(0, deadline - engine.clock.now())))
        records = subscription.take().records
    finally:
        subscription.close()
    return {"events": engine.events - before, "last": [_told(record) for record in records], **clock_facts(call)}


def _told(record: Record) -> dict[str, Any]:
    event, effects = record.event, record.effects
    return {"unit": record.unit, "seq": effects.seq, "at": rfc3339(event.at), "text": describe(event.fact)}


COMMANDS = (
    Command(
        "set-time",
        "Set scale or pause of the daemon's clock, or this unit's date",
        "set-time scale=60",
        a.Time,
        _set_time,
        intents.set_date,
    ),
    Command(
        "pause", "Let time stand for all units of the daemon; advance and step move it", "pause", a.Arguments, _pause
    ),
    Command("resume", "Let time run again, at the scale that was set", "resume", a.Arguments, _resume),
    Command(
        "advance",
        "Move time ahead for all units of the daemon, by seconds or to this unit's next deadline",
        "advance seconds=7200",
        a.Advance,
        _advance,
    ),
    Command(
        "step",
        "Let time stand, and go on to the next moment at which something happens to any unit by itself",
        "step count=3",
        a.Steps,
        _step,
    ),
)
