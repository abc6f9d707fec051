"""The one registry of commands: MQTT, command line, HTTP and tests all come through `execute`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from pydantic import ValidationError

from ipo_sim.core.model import UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime import arguments as a
from ipo_sim.runtime import (
    dect_commands,
    fault_commands,
    intents,
    licence_commands,
    rewind_command,
    time_commands,
    usage_commands,
)
from ipo_sim.runtime.carry_out import apply, situation
from ipo_sim.runtime.command import Call, Command
from ipo_sim.runtime.context import Context
from ipo_sim.runtime.requests import Answer
from ipo_sim.runtime.time_commands import clock_facts
from ipo_sim.runtime.view import store_view
from ipo_sim.runtime.what_if import Step, imagine
from ipo_sim.runtime.why import why

__all__ = ["COMMANDS", "Command", "Context", "execute", "parse_line"]


async def execute(
    context: Context, unit: UnitName, verb: str, arguments: Mapping[str, object], request_id: str | None = None
) -> Answer:
    """Carry out one command and give its answer, JSON values only; text such as "5" or "true" counts as what it says.

    With `request_id` a changing command is carried out once however often it comes. CommandRejected: nothing changed;
    `reason` is `unknown-unit`, `unknown-command`, `bad-arguments`, `stale-id`, `busy`, `journal-unavailable`, or what
    the unit says. JournalError when the journal cannot be read.
    """
    context.engine.unit(unit)
    command = find(verb)
    values = read_arguments(command, arguments)
    if request_id is None or not command.changes:
        return await command.handler(Call(context, unit, command, values, f"command:{verb}"))
    call = Call(context, unit, command, values, f"command:{verb}#{request_id}")
    request = f"{verb} {values.model_dump_json(exclude_defaults=True)}"
    return await context.requests.once(unit, request_id, request, lambda: command.handler(call))


def find(verb: str) -> Command:
    """The command of that name; CommandRejected with the nearest one."""
    command = COMMANDS.get(verb)
    if command is None:
        from difflib import get_close_matches  # noqa: PLC0415 - only who made a mistake pays for it

        near = get_close_matches(verb, COMMANDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}"
        raise CommandRejected("unknown-command", f"there is no command {verb[: a.MAX_TEXT]}: {hint}")
    return command


def read_arguments(command: Command, arguments: Mapping[str, object]) -> a.Arguments:
    """The arguments as the command's model; CommandRejected with everything that is wrong, in one line."""
    try:
        return command.arguments.model_validate(dict(arguments))
    except ValidationError as error:
        from ipo_sim.runtime.wording import mistakes_text  # noqa: PLC0415 - only who made a mistake pays for it

        mistakes = mistakes_text(command.arguments, error.errors(include_url=False))
    raise CommandRejected("bad-arguments", mistakes)


def parse_line(line: str) -> tuple[str, dict[str, object]]:
    """Verb and arguments of a line such as `fit path=slots/2 part=DS8`; CommandRejected when it is no such line."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise CommandRejected("bad-arguments", f"{line}: {error}") from error
    if not words:
        raise CommandRejected("bad-arguments", "a command is wanted, such as remove-card")
    verb, *pairs = words
    arguments: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name in arguments:
            raise CommandRejected("bad-arguments", f"{pair}: arguments are name=value, each once")
        arguments[name] = value
    return verb, arguments


async def _what_if(call: Call) -> Answer:
    asked: a.Hypotheses = call.arguments
    return imagine(situation(call), [_step(event) for event in asked.events])


async def _status(call: Call) -> Answer:
    unit = call.context.engine.unit(call.unit)
    entries = store_view(call.context.bus.latest(call.unit), unit.clock_offset_ns)
    return {"unit": call.unit, "seq": unit.seq, **clock_facts(call), "entities": entries}


def _step(event: str | a.Hypothesis) -> Step:
    verb, arguments = parse_line(event) if isinstance(event, str) else (event.command, event.arguments)
    command = find(verb)
    return Step(command, read_arguments(command, arguments))


_ALL = (
    Command("power", "Apply or remove mains power", "power on=false", a.Power, apply, intents.power),
    Command("restart", "Restart the unit", "restart", a.Arguments, apply, intents.restart),
    Command(
        "shutdown",
        "Shut the unit down, for ever or for a time",
        "shutdown minutes=5",
        a.Shutdown,
        apply,
        intents.shutdown,
    ),
    Command(
        "insert-card",
        "Put a feature key card into the virtual reader, the last one unless told otherwise",
        "insert-card serial=1234567890",
        a.Card,
        apply,
        intents.insert_card,
    ),
    Command(
        "remove-card",
        "Take the card out of the virtual reader",
        "remove-card",
        a.Arguments,
        apply,
        intents.remove_card,
    ),
    Command("fit", "Put a part into an empty place", "fit path=slots/2 part=DS8", a.Fit, apply, intents.fit),
    Command("withdraw", "Pull a part out", "withdraw path=expansion/1", a.Place, apply, intents.withdraw),
    Command(
        "configure",
        "Say which part the unit's configuration expects at a place",
        "configure path=slots/2 part=null",
        a.Configure,
        apply,
        intents.configure,
    ),
    Command(
        "add-licence",
        "Enter a licence key; it counts once the configuration is loaded",
        "add-licence key=0123456789ABCDEF0123456789ABCDEF",
        a.LicenceKeyText,
        apply,
        intents.add_licence,
    ),
    Command(
        "remove-licence",
        "Delete a licence key",
        "remove-licence key=0123456789ABCDEF0123456789ABCDEF",
        a.LicenceKeyText,
        apply,
        intents.remove_licence,
    ),
    Command(
        "load-configuration",
        "Send and load the configuration, so that entered keys are checked",
        "load-configuration",
        a.Arguments,
        apply,
        intents.load_configuration,
    ),
    Command(
        "set-fault",
        "Let a part fail, or the feature key become unreadable",
        "set-fault path=slots/1 fault=overheated",
        a.Fault,
        apply,
        intents.set_fault,
    ),
    *fault_commands.COMMANDS,
    *time_commands.COMMANDS,
    *rewind_command.COMMANDS,
    Command("why", "Tell the causes of a state", "why path=expansion/1", a.Place, why, changes=False),
    Command(
        "what-if",
        "Tell what commands would change, and change nothing",
        "what-if 'events=remove-card; advance seconds=7200'",
        a.Hypotheses,
        _what_if,
        changes=False,
    ),
    *licence_commands.COMMANDS,
    *usage_commands.COMMANDS,
    *dect_commands.COMMANDS,
    Command("status", "Show everything that is known of the unit", "status", a.Arguments, _status, changes=False),
)

COMMANDS: Mapping[str, Command] = {command.verb: command for command in _ALL}
