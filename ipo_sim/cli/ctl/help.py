"""Help for the commands of the registry, made from the registry."""

from __future__ import annotations

from ipo_sim.cli.ctl.words import find_command
from ipo_sim.cli.failure import UsageError
from ipo_sim.cli.terminal import table
from ipo_sim.runtime.commands import COMMANDS

# Commands that the registry does not have, because they only listen.
LISTENING = {
    "licences": "Show the licence form: each key with its type, status, instances and expiry",
    "watch": "Follow the unit: one line for each entity that changes",
}
_LISTENING_OPTIONS = {"licences": "[--json]", "watch": "[--count N] [--until PATH.FIELD=VALUE] [--all] [--json]"}


def command_list() -> str:
    """Every command with its one line of help."""
    rows = [(f"  {verb}", command.help) for verb, command in COMMANDS.items()]
    rows += [(f"  {verb}", text) for verb, text in LISTENING.items()]
    return "\n".join(["commands (`ipo-sim ctl UNIT COMMAND --help` tells more):", *table(rows)])


def command_help(verb: str) -> str:
    """What one command does, its arguments, and an example."""
    if verb in LISTENING:
        return f"ipo-sim ctl UNIT {verb} {_LISTENING_OPTIONS[verb]}\n\n{LISTENING[verb]}."
    try:
        command = find_command(verb)
    except UsageError as error:
        return str(error)
    schema = command.arguments.model_json_schema()
    needed = schema.get("required", ())
    names = [
        f"{name}={name.upper()}" if name in needed else f"[{name}={name.upper()}]" for name in schema["properties"]
    ]
    lines = [" ".join((f"ipo-sim ctl UNIT {verb}", *names)), "", f"{command.help}."]
    words = schema.get("$defs", {})
    rows = [(f"  {name}", _meaning(field, words)) for name, field in schema["properties"].items()]
    if rows:
        lines += ["", "arguments:", *table(rows)]
    return "\n".join([*lines, "", "example:", f"  ipo-sim ctl bench-1 {command.example}"])


def _meaning(field: dict[str, object], words: dict[str, dict[str, object]]) -> str:
    """The description of an argument, and what it may be."""
    choices = _choices({**words.get(str(field.get("$ref")).rpartition("/")[2], {}), **field})
    default = field.get("default")
    parts = (field.get("description"), choices and f"One of {choices}.", default and f"{default} by default.")
    return " ".join(str(part) for part in parts if part)


def _choices(field: dict[str, object]) -> str:
    forms = [field, *(form for form in _list(field.get("anyOf")) if isinstance(form, dict))]
    words = [word for form in forms for word in (*_list(form.get("enum")), form.get("const")) if word is not None]
    return ", ".join(map(str, words))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
