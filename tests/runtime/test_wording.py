"""Mistakes in arguments in plain words, for every command of the registry."""

from __future__ import annotations

import pytest

from ipo_sim.errors import CommandRejected
from ipo_sim.runtime.commands import COMMANDS, Command, read_arguments

# Words of the library that reads the arguments, and of no user.
FOREIGN = ("Input", "should", "Field", "pattern", "valid", "unable", "List ", "String ", "Value error", "type=")
STRANGE: tuple[object, ...] = ("", "x" * 600, "\x00", -1, 1e300, True, None, [], [None], {}, {"a": 1})


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_argument_says_what_it_is(verb: str) -> None:
    schema = COMMANDS[verb].arguments.model_json_schema()
    assert all(field.get("description") for field in schema["properties"].values())


@pytest.mark.parametrize("verb", COMMANDS)
@pytest.mark.parametrize("value", STRANGE, ids=lambda value: repr(value)[:12])
def test_whatever_is_wrong_is_told_in_our_words(verb: str, value: object) -> None:
    command = COMMANDS[verb]
    for name in (*command.arguments.model_fields, "stranger"):
        told = refusal(command, {name: value})
        assert "\n" not in told
        assert not [word for word in FOREIGN if word in told], told


def refusal(command: Command, arguments: dict[str, object]) -> str:
    """What is said of the arguments; nothing when they are fine."""
    try:
        read_arguments(command, arguments)
    except CommandRejected as refused:
        return str(refused)
    return ""
