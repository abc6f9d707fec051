"""What a command is, and what it works on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ipo_sim.core.events import Fact, FeatureKeyInserted
from ipo_sim.core.model import Nanoseconds, Unit, UnitName
from ipo_sim.runtime.arguments import Arguments
from ipo_sim.runtime.context import Context
from ipo_sim.runtime.requests import Answer


class Situation(NamedTuple):
    """What a fact is made from: the unit, simulation time, and how to find the last card that was in its reader.

    `imagined`: nothing happens, so that hands may be at a reader which no command can reach.
    """

    unit: Unit
    now: Nanoseconds
    last_card: Callable[[], FeatureKeyInserted | None]
    imagined: bool = False


class Call(NamedTuple):
    """One execution of a command; `cause` is what the journal will say of its events."""

    context: Context
    unit: UnitName
    command: Command
    arguments: Any
    cause: str


# The type of the arguments is that of the command's model.
Intent = Callable[[Situation, Any], Fact]
Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Command:
    """A verb. `intent` makes the one fact that it stands for; a command without can be no hypothesis.

    `example` is what is typed after the unit's name. `changes`: what it does must not be done twice by a repeated
    request.
    """

    verb: str
    help: str
    example: str
    arguments: type[Arguments]
    handler: Handler
    intent: Intent | None = None
    changes: bool = True
