"""Help for the commands of the registry, made from the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipo_sim.cli.ctl.words import find_command
from ipo_sim.cli.failure import UsageError
from ipo_sim.cli.terminal import table
from ipo_sim.runtime.commands import COMMANDS, Command

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
    fields = described(command)
    names = [
        f"{name}={name.upper()}" if field["required"] else f"[{name}={name.upper()}]" for name, field in fields.items()
    ]
    lines = [" ".join((f"ipo-sim ctl UNIT {verb}", *names)), "", f"{command.help}."]
    rows = [(f"  {name}", _meaning(field)) for name, field in fields.items()]
    if rows:
        lines += ["", "arguments:", *table(rows)]
    return "\n".join([*lines, "", "example:", f"  ipo-sim ctl bench-1 {command.example}"])


def described(command: Command) -> dict[str, dict[str, Any]]:
    """The arguments of a command as their JSON Schema describes them, and whether each is `required`."""
    schema = command.arguments.model_json_schema()
    needed, words = schema.get("required", ()), schema.get("$defs", {})
    return {
        name: {**words.get(str(field.get("$ref")).rpartition("/")[2], {}), **field, "required": name in needed}
        for name, field in schema["properties"].items()
    }


def words_of(field: Mapping[str, Any]) -> list[str]:
    """All values of an argument, if it is a choice between words."""
    forms = [field, *(form for form in field.get("anyOf", ()) if isinstance(form, dict))]
    words = [word for form in forms for word in (*form.get("enum", ()), form.get("const")) if word is not None]
    truth = ["true", "false"] if any(form.get("type") == "boolean" for form in forms) else []
    return [*map(str, words), *truth]


def _meaning(field: Mapping[str, Any]) -> str:
    """The description of an argument, and what it may be."""
    choices, default = ", ".join(words_of(field)), field.get("default")
    parts = (field.get("description"), choices and f"One of {choices}.", default and f"{default} by default.")
    return " ".join(str(part) for part in parts if part)
