"""What pydantic finds wrong with a value, in the words of the project: the same for a file and for a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# By the beginning of the kind: `int_type`, `int_parsing` and `int_from_float` all want a whole number.
_WANTED: Mapping[str, str] = {
    "finite_number": "a number to reckon with",
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a date such as 2027-12-31",
    "list": "a list",
    "dict": "an object",
    "model": "an object",
}
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def problem(kind: str, context: Mapping[str, Any], value: str) -> str | None:
    """What is wrong with `value`, as it is to be shown; None: pydantic's own message has to do.

    `kind` and `context` are `type` and `ctx` of one of its errors.
    """
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"{value} is out of range: it must be {words} {context[bound]:.10g}"
    if kind in ("too_long", "string_too_long"):
        return f"too long: at most {context['max_length']} {'characters' if kind.startswith('string') else 'entries'}"
    if kind in ("too_short", "string_too_short"):
        return "empty"
    wanted = next((words for beginning, words in _WANTED.items() if kind.startswith(beginning)), None)
    return f"{value} is not {wanted}" if wanted else None
