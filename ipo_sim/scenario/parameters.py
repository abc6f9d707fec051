"""`${name}`: parameters put in where a scenario names them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ipo_sim.config.mistakes import Findings, Location, choice
from ipo_sim.scenario.model import Json

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_REFERENCE = re.compile(r"\$\{([^}]*)\}")

# Where parameters stand for values; their own defaults name no others.
SETTINGS = ("setup", "steps", "end")


def put_in(data: Any, values: Mapping[str, Json], findings: Findings) -> Any:  # noqa: ANN401 - YAML data
    """The data of a scenario with its parameters replaced, place by place; what is unknown is a mistake."""
    if not isinstance(data, dict):
        return data
    return {
        name: _replaced(value, values, findings, (name,)) if name in SETTINGS else value for name, value in data.items()
    }


def _replaced(data: Any, values: Mapping[str, Json], findings: Findings, here: Location) -> Any:  # noqa: ANN401 - YAML data
    if isinstance(data, dict):
        return {
            _in_text(name, values, findings, (*here, name)) if isinstance(name, str) else name: _replaced(
                value, values, findings, (*here, name)
            )
            for name, value in data.items()
        }
    if isinstance(data, list):
        return [_replaced(item, values, findings, (*here, index)) for index, item in enumerate(data)]
    return _in_text(data, values, findings, here) if isinstance(data, str) else data


def _in_text(text: str, values: Mapping[str, Json], findings: Findings, here: Location) -> Json:
    """A text that is nothing but a reference becomes the value itself, with its type."""
    whole = _REFERENCE.fullmatch(text)
    if whole is not None and whole[1] in values:
        return values[whole[1]]

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in values:
            findings.mistake(
                here, f"there is no parameter {name!r}; {choice(values, name) if values else 'it has none'}"
            )
            return found[0]
        return str(values[name])

    return _REFERENCE.sub(value, text)


def defaults_of(data: Any) -> dict[str, Json]:  # noqa: ANN401 - YAML data
    """The defaults that a scenario gives, as far as they can be read."""
    given = data.get("parameters") if isinstance(data, dict) else None
    if not isinstance(given, dict):
        return {}
    return {str(name): value.get("default") if isinstance(value, dict) else value for name, value in given.items()}


def typed(text: str, default: Json) -> Json:
    """What a command line says, as the kind of value that the default is; ValueError says what is wanted."""
    if isinstance(default, bool):
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{text!r} is not true or false")
        return text.lower() == "true"
    if isinstance(default, int | float):
        try:
            return int(text) if isinstance(default, int) else float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a number") from None
    return text
