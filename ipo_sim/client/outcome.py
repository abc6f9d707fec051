"""What became of a request, as a value instead of an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ipo_sim.errors import BrokerError, CommandRejected

Answer = Mapping[str, Any]


class Outcome(NamedTuple):
    """`answer` when `ok`; else `code`, stable, and `message` for people."""

    ok: bool
    answer: Answer
    code: str = ""
    message: str = ""


def refused(error: CommandRejected | BrokerError) -> Outcome:
    """The outcome that an error is."""
    code = error.reason if isinstance(error, CommandRejected) else error.code
    return Outcome(ok=False, answer={}, code=code, message=str(error))
