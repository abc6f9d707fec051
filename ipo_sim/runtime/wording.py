"""What is wrong with the arguments of a command, in plain words: what was given, and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ipo_sim.runtime.arguments import MAX_TEXT, Arguments
from ipo_sim.validation import problem

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def mistakes_text(arguments: type[Arguments], errors: Iterable[ErrorDetails]) -> str:
    """Everything that is wrong, in one line."""
    return "; ".join(dict.fromkeys(_mistake(arguments, error) for error in errors))


def _mistake(arguments: type[Arguments], error: ErrorDetails) -> str:
    where, kind = error["loc"], error["type"]
    name = ".".join(map(str, where))[:MAX_TEXT]
    if kind == "extra_forbidden":
        return f"{name}: no such argument{_known(arguments, name)}"
    if kind == "value_error":
        words = error["msg"].removeprefix("Value error, ")
        return f"{name}: {words}" if name else words
    return f"{name}: {_problem(arguments, error)}"


def _known(arguments: type[Arguments], name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only who made a mistake pays for it

    known = list(arguments.model_fields)
    near = get_close_matches(name, known, n=1)
    return f", did you mean {near[0]}?" if near else f" (of {', '.join(known) or 'none'})"


def _problem(arguments: type[Arguments], error: ErrorDetails) -> str:
    kind, context, given = error["type"], error.get("ctx", {}), _shown(error["input"])
    if kind == "missing":
        return "missing" + _meaning(arguments, error)
    if kind in ("enum", "literal_error"):
        return f"{given} is not allowed; allowed: {context['expected'].replace(' or ', ', ')}"
    if kind in ("too_short", "string_too_short"):
        return "empty" + _meaning(arguments, error)
    if kind == "string_pattern_mismatch":
        return f"{given} does not fit{_meaning(arguments, error) or ': letters, digits, marks and blanks only'}"
    return problem(kind, context, given) or error["msg"]


def _meaning(arguments: type[Arguments], error: ErrorDetails) -> str:
    """What the argument is, if it says so."""
    field = arguments.model_fields.get(str(error["loc"][0])) if error["loc"] else None
    return f": {field.description.rstrip('.')}" if field is not None and field.description else ""


def _shown(value: Any) -> str:  # noqa: ANN401 - whatever a client sends
    """What was given, not longer than a line bears."""
    return repr(value if not isinstance(value, bool) else str(value).lower())[:MAX_TEXT]
