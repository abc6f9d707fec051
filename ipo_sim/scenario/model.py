"""A scenario that is ready to be played: frozen values, all times absolute, all commands and targets looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from ipo_sim.config.settings import Settings
from ipo_sim.core.model import Nanoseconds, UnitName

# A JSON value; None: it is not there.
Json = Any


class Kind(StrEnum):
    """When an expectation must hold."""

    VALUE = "value"
    CHANGE = "change"
    NEVER = "never"
    EVENTUALLY = "eventually"


class Action(NamedTuple):
    """A command to a unit. `text` is how it was written, `refused` the code of the refusal that is expected."""

    unit: UnitName
    verb: str
    arguments: Mapping[str, object]
    text: str
    refused: str | None = None


class Condition(NamedTuple):
    """One target and what is expected of it: a value, a list of values, or a mapping of tests.

    `fields` lead from the entity at `path` to the value; empty: whether the entity is `present` or `absent`.
    """

    path: str
    fields: tuple[str, ...]
    expected: Json

    @property
    def target(self) -> str:
        """As users write it."""
        return ".".join((self.path, *self.fields))


class Expectation(NamedTuple):
    """Conditions that must hold together, when, and for how long that is looked at; `place` is its file and line."""

    kind: Kind
    unit: UnitName
    conditions: tuple[Condition, ...]
    within: Nanoseconds | None
    place: str


class Step(NamedTuple):
    """One moment, `at` nanoseconds since the beginning."""

    at: Nanoseconds
    name: str | None
    actions: tuple[Action, ...]
    expectations: tuple[Expectation, ...]
    place: str


class Parameter(NamedTuple):
    """A value that can be replaced."""

    name: str
    default: Json
    description: str | None


@dataclass(frozen=True, slots=True)
class Setup:
    """What there is before the first step.

    Units, the date, the key in readers that are not virtual, whether there is a broker beside them, commands.
    """

    settings: Settings
    date: Nanoseconds
    serial: str | None
    broker: bool
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario with its parameters replaced; `values` are those that it was made with. It lasts until `end`."""

    path: Path
    name: str
    description: str
    parameters: tuple[Parameter, ...]
    values: Mapping[str, Json]
    setup: Setup
    steps: tuple[Step, ...]
    end: Nanoseconds
