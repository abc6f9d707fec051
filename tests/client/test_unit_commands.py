"""Every command of the registry has its method, with the registry's arguments."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from ipo_sim.client.unit_commands import UnitCommands
from ipo_sim.runtime.commands import COMMANDS

# What is no command but a view: each way to a unit has its own.
VIEWS = {"why", "status"}
Sent = tuple[str, dict[str, Any]]


class Echo(UnitCommands[Sent]):
    def do(self, verb: str, **arguments: object) -> Sent:
        return verb, arguments


def methods() -> dict[str, Any]:
    found = inspect.getmembers(UnitCommands, inspect.isfunction)
    return {name: method for name, method in found if not name.startswith("_") and name != "do"}


def test_there_is_a_method_for_each_command() -> None:
    assert set(methods()) == {verb.replace("-", "_") for verb in COMMANDS if verb not in VIEWS}


@pytest.mark.parametrize("verb", [verb for verb in COMMANDS if verb not in VIEWS])
def test_it_takes_the_commands_arguments(verb: str) -> None:
    method = methods()[verb.replace("-", "_")]
    _, *taken = inspect.signature(method).parameters.values()
    fields = COMMANDS[verb].arguments.model_fields
    assert [parameter.name for parameter in taken] == list(fields)
    for parameter in taken:
        is_needed = parameter.default is inspect.Parameter.empty
        assert is_needed is fields[parameter.name].is_required(), parameter.name


@pytest.mark.parametrize("verb", [verb for verb in COMMANDS if verb not in VIEWS])
def test_it_sends_what_it_is_given_and_nothing_else(verb: str) -> None:
    fields = COMMANDS[verb].arguments.model_fields
    method = getattr(Echo(), verb.replace("-", "_"))
    everything = {name: [name] if name in ("keys", "events", "features") else name for name in fields}
    assert method(**everything) == (verb, everything)
    needed = {name: value for name, value in everything.items() if fields[name].is_required()}
    assert method(**needed) == (verb, needed)
