"""Whether a value is what is expected of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ipo_sim.scenario.model import Condition, Json

PRESENT, ABSENT = "present", "absent"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(value: Json, expected: Json) -> bool:
    """Equal as JSON values are: true is not 1."""
    if isinstance(value, bool) or isinstance(expected, bool):
        return value is expected
    if isinstance(value, list) and isinstance(expected, list):
        return len(value) == len(expected) and all(map(_same, value, expected))
    return bool(value == expected)


def _contains(value: Json, wanted: Json) -> bool:
    if isinstance(value, str):
        return isinstance(wanted, str) and wanted in value
    return isinstance(value, list) and any(_same(item, wanted) for item in value)


# By name: what is tested, of the value and what was written behind the name.
TESTS: Mapping[str, Callable[[Json, Any], bool]] = {
    "not": lambda value, other: not _same(value, other),
    "at_least": lambda value, bound: _is_number(value) and value >= bound,
    "at_most": lambda value, bound: _is_number(value) and value <= bound,
    "one_of": lambda value, allowed: any(_same(value, item) for item in allowed),
    "contains": _contains,
    "matches": lambda value, pattern: isinstance(value, str) and re.search(pattern, value) is not None,
}


def problem_of(name: str, wanted: Json) -> str | None:
    """What is wrong with a test of TESTS as it was written."""
    if name in ("at_least", "at_most") and not _is_number(wanted):
        return "a number is wanted"
    if name == "one_of" and not (isinstance(wanted, list) and wanted):
        return "a list of values is wanted"
    if name == "matches":
        try:
            re.compile(wanted)
        except (re.error, TypeError) as error:
            return f"not a regular expression: {error}"
    return None


def found(entity: Json, fields: tuple[str, ...]) -> Json:
    """The value that fields, or numbers in a list, lead to from an entity; None: it is not there."""
    for name in fields:
        if isinstance(entity, dict):
            entity = entity.get(name)
        elif isinstance(entity, list) and name.isdecimal() and int(name) < len(entity):
            entity = entity[int(name)]
        else:
            return None
    return entity


def holds(condition: Condition, entity: Json) -> bool:
    """Whether the condition holds for the entity at its path; None: there is none."""
    if not condition.fields:
        return bool((entity is not None) == (condition.expected == PRESENT))
    value, expected = found(entity, condition.fields), condition.expected
    if isinstance(expected, dict):
        return all(TESTS[name](value, wanted) for name, wanted in expected.items())
    return _same(value, expected)
