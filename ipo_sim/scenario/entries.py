"""The shape of a scenario file as pydantic models. Times, commands and expectations are read after it, in `reading`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ipo_sim.config.entry import Entry, Text, from_catalogue

# What a person reads in one file; longer stories are made of includes.
MAX_STEPS = 1_000
MAX_PARAMETERS = 100
# Things done, or expected, at one moment.
MAX_AT_ONCE = 100
MAX_DESCRIPTION = 4_000

_DURATION: dict[str, Any] = {"type": ["string", "number"]}
_COMMAND: dict[str, Any] = {"type": ["string", "object"]}


def _opened(name: str, *, is_word: Callable[[object], bool]) -> BeforeValidator:
    """Takes a bare value for `{name: value}`."""

    def opened(value: object) -> object:
        return {name: value} if is_word(value) else value

    return BeforeValidator(opened)


def _listed(value: object) -> object:
    """One thing where several can stand."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_scalar(value: object) -> bool:
    return not isinstance(value, dict | list)


def _is_values(value: object) -> bool:
    """A mapping of targets, such as `unit.state: running`, instead of `value: {unit.state: running}`."""
    return isinstance(value, dict) and any("." in str(name) or "/" in str(name) for name in value)


Duration = Annotated[Any, Field(json_schema_extra=_DURATION)]
Commands = Annotated[
    list[Any],
    BeforeValidator(_listed),
    Field(max_length=MAX_AT_ONCE, json_schema_extra={"type": ["array", "string", "object"], "items": _COMMAND}),
]
Targets = dict[str, Any]


class ParameterEntry(Entry):
    """A value that `--param` or an including scenario can replace; `${name}` stands for it in steps and setup."""

    default: Any = Field(None, description="Its value unless another is given; without one, it has to be given.")
    description: Text | None = Field(None, description="What it is for.")


class SetupEntry(Entry):
    """What there is before the first step."""

    config: Text | None = Field(
        None,
        description="Configuration file, relative to the scenario's; without one, the demonstration unit bench-1.",
        examples=["../full.yaml"],
    )
    state: Text | None = Field(
        None,
        description="What the units start as; what their configuration says by default.",
        examples=["in-grace"],
        json_schema_extra=from_catalogue("state"),
    )
    date: Any = Field(
        None,
        description="Date and time of the beginning, in quotes; 2026-01-01T00:00:00Z by default.",
        json_schema_extra={"type": "string"},
        examples=["2027-12-31T22:59:00Z"],
    )
    serial: Text | None = Field(
        None,
        description="Serial of the key in readers that are not virtual: another one stands in for the real one.",
        json_schema_extra={"pattern": "^([0-9]{10}|.*\\$\\{.*)$"},
    )
    broker: bool = Field(
        default=False,
        description="Whether there is a real broker as well: targets `broker/...`, command `broker state=lost`.",
    )
    do: Commands = Field([], description="Commands before the time of the scenario begins.", examples=["remove-card"])


class ExpectEntry(Entry):
    """What must be so. Targets are `PATH.FIELD: VALUE`, or `PATH: present` and `PATH: absent`."""

    value: Targets = Field({}, description="What is so at this moment.", examples=[{"unit.state": "running"}])
    change: Targets = Field(
        {}, description="What becomes so, and was not before the step's commands, within the span `within`."
    )
    never: Targets = Field({}, description="What is not so at any time: all of it at once, until the end or `within`.")
    eventually: Targets = Field({}, description="What is so at some time from now on, until the end or `within`.")
    within: Duration = Field(None, description="Span of the expectation.", examples=["10s", "2h"])
    unit: Text | None = Field(None, description="Unit that is looked at; that of the step by default.")


class StepEntry(Entry):
    """One moment of the timeline: what is done at it, and what is expected from it on."""

    name: Text | None = Field(None, description="What happens, for people.")
    at: Duration = Field(
        None,
        description="When: since the beginning, or with + since the step before; at once by default.",
        examples=["10s", "+2h"],
    )
    unit: Text | None = Field(None, description="Unit of commands and expectations; the first one by default.")
    do: Commands = Field(
        [],
        description="Commands as `ipo-sim ctl` takes them, as lines or as `verb: {argument: value}`.",
        examples=["remove-card", {"fit": {"path": "slots/2", "part": "DS8"}}],
    )
    refused: Text | None = Field(
        None, description="Code of the refusal that each command of this step must meet.", examples=["wrong-state"]
    )
    expect: Annotated[list[Annotated[ExpectEntry, _opened("value", is_word=_is_values)]], BeforeValidator(_listed)] = (
        Field([], max_length=MAX_AT_ONCE, description="What must be so, from after the commands on.")
    )
    include: Text | None = Field(None, description="Another scenario whose steps are put here; its setup is not used.")
    parameters: dict[str, Any] = Field({}, description="Values for the parameters of what is included.")


class ScenarioFile(Entry):
    """A scenario: what there is, what is done when, and what must come of it."""

    name: Text | None = Field(None, description="Name in lists and reports; that of the file by default.")
    description: str | None = Field(None, max_length=MAX_DESCRIPTION, description="What it shows.")
    parameters: dict[str, Annotated[ParameterEntry, _opened("default", is_word=_is_scalar)]] = Field(
        {}, max_length=MAX_PARAMETERS, description="Values that can be replaced.", examples=[{"away": "90m"}]
    )
    setup: SetupEntry = Field(SetupEntry.model_construct(), description="What there is before the first step.")
    steps: list[StepEntry] = Field(min_length=1, max_length=MAX_STEPS, description="The timeline.")
    end: Duration = Field(
        None, description="How long it lasts at least; else until the last step and expectation.", examples=["3h"]
    )


# Entries for which a bare word can stand, and the setting that it then gives.
SHORTHANDS = {"ParameterEntry": "default"}
