"""The words behind a command: `name=value`, or a bare value where it is clear what it is for."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from ipo_sim.cli.failure import UsageError
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime.commands import COMMANDS, Command, find, read_arguments

# What-if events can stand in one word, as in the command's own example.
EVENT_SEPARATOR = ";"

# Shorter names, each for one argument of a command.
SHORT: Mapping[str, tuple[str, str]] = {"date": ("set-time", "date"), "scale": ("set-time", "scale")}


def spelled_out(verb: str, words: Sequence[str]) -> tuple[Command, Sequence[str]]:
    """The command that is meant and its words, without short names; UsageError with the nearest command."""
    verb, argument = SHORT.get(verb, (verb, ""))
    command = find_command(verb)
    return command, ([f"{argument}={' '.join(words)}"] if argument and words else words)


def find_command(verb: str) -> Command:
    """The command of that name; UsageError with the nearest one."""
    try:
        return find(verb)
    except CommandRejected as error:
        raise UsageError(str(error)) from None


def arguments_of(command: Command, words: Sequence[str]) -> dict[str, Any]:
    """The arguments that the words spell, as JSON values; UsageError with all that is wrong, and an example."""
    takes_events = "events" in command.arguments.model_fields and not any(word.startswith("events=") for word in words)
    given = {"events": _events(words)} if takes_events else _given(command, words)
    try:
        return read_arguments(command, given).model_dump(mode="json", exclude_unset=True)
    except CommandRejected as error:
        raise UsageError(f"{command.verb}: {error} (example: {command.example})") from None


def _given(command: Command, words: Sequence[str]) -> dict[str, object]:
    given: dict[str, object] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (equals and name.isidentifier()):
            name, value = _meant(command, word, given), word
        if name in given:
            raise UsageError(f"{command.verb}: {name} is given twice")
        given[name] = _value(value)
    return given


def _events(words: Sequence[str]) -> list[dict[str, Any]]:
    """Commands one after the other, each with its arguments, in words of their own or several in one."""
    lines: list[list[str]] = [[]]
    for word in chain.from_iterable(map(_parts, words)):
        if word in COMMANDS or word in SHORT or word == EVENT_SEPARATOR:
            lines.append([])
        if word != EVENT_SEPARATOR:
            lines[-1].append(word)
    return [_event(*line) for line in lines if line]


def _parts(word: str) -> list[str]:
    """What a word of the shell holds when it is a line of commands itself, quotes in it as the shell takes them."""
    if not any(mark in word for mark in " '\"" + EVENT_SEPARATOR):
        return [word]
    lexer = shlex.shlex(word, posix=True, punctuation_chars=EVENT_SEPARATOR)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError as error:
        raise UsageError(f"{word}: {str(error).lower()}") from None


def _event(verb: str, *words: str) -> dict[str, Any]:
    command, words_of_it = spelled_out(verb, words)
    return {"command": command.verb, "arguments": arguments_of(command, words_of_it)}


def _meant(command: Command, word: str, given: Mapping[str, object]) -> str:
    """The first argument that is still without a value and takes this one; failing that, the first without."""
    free = {name: field for name, field in command.arguments.model_fields.items() if name not in given}
    for name, field in free.items():
        if _takes(field, word):
            return name
    if not free:
        raise UsageError(f"{command.verb}: {word} is too much (example: {command.example})")
    return next(iter(free))


def _takes(field: FieldInfo, word: str) -> bool:
    try:
        adapter: TypeAdapter[object] = TypeAdapter(Annotated[field.annotation, field])  # type: ignore[arg-type] # made at run time
        adapter.validate_python(word)
    except ValidationError:
        return False
    return True


def _value(text: str) -> object:
    """Objects and lists are JSON; all else is text, which each argument reads for what it says."""
    if not text.startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(f"{text}: not valid JSON: {error}") from None
