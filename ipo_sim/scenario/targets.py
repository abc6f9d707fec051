"""What can be expected: the paths that a unit's entities have, and the fields of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from ipo_sim.api import payloads as p
from ipo_sim.config.mistakes import choice, shown
from ipo_sim.scenario.matching import ABSENT, PRESENT, TESTS, problem_of
from ipo_sim.scenario.model import Condition, Json

# A path and what says so, for those that stand alone and those with a name or number below.
_ENTITIES: Mapping[str, type[BaseModel]] = {
    r"unit": p.UnitPayload,
    r"feature-key": p.FeatureKeyPayload,
    r"reader": p.ReaderPayload,
    r"licences/[0-9]+": p.LicencePayload,
    r"features/.+": p.FeaturePayload,
    r"users/.+": p.UserPayload,
    r"extensions/.+": p.ExtensionPayload,
    r"dect": p.DectPayload,
    r"dect/bases/.+": p.BaseStationPayload,
    r"slots/[0-9]+(/[a-z]+)?": p.PartPayload,
    r"expansion/[0-9]+": p.PartPayload,
    r"ports/.+": p.PortPayload,
    r"leds/.+": p.LedPayload,
    r"faults/.+": p.FaultPayload,
    r"alarms/.+": p.AlarmPayload,
}
KINDS = (
    "unit",
    "feature-key",
    "reader",
    "licences/N",
    "features/NAME",
    "users/NAME",
    "extensions/NUMBER",
    "dect",
    "dect/bases/MAC",
    "slots/N",
    "slots/N/daughter",
    "expansion/N",
    "ports/NAME",
    "leds/NAME",
    "faults/ID",
    "alarms/ID",
)
# What the broker retains of an entity, instead of what the unit shows.
AT_BROKER = "broker/"
_SCALARS = (str, int, float, bool, type(None))


def condition_of(target: str, expected: Json) -> Condition:
    """The condition that `target: expected` says; ValueError says what is wrong, and what is allowed."""
    path, *fields = target.split(".")
    if path == f"{AT_BROKER}availability":
        _check_availability(fields, expected)
        return Condition(path, tuple(fields), expected)
    bare = path.removeprefix(AT_BROKER)
    model = next((model for pattern, model in _ENTITIES.items() if re.fullmatch(pattern, bare)), None)
    if model is None:
        raise ValueError(f"there is no {shown(path)}; {choice(KINDS, path)}")
    if fields:
        _check_field(path, fields[0], model)
        _check_expected(expected)
    elif expected not in (PRESENT, ABSENT):
        raise ValueError(f"without a field ({path}.FIELD) it is {PRESENT} or {ABSENT}, not {shown(expected)}")
    return Condition(path, tuple(fields), expected)


def _check_availability(fields: list[str], expected: Json) -> None:
    if fields != ["value"] or expected not in ("online", "offline"):
        raise ValueError("of the availability at the broker `.value` is online or offline")


def _check_field(path: str, field: str, model: type[BaseModel]) -> None:
    if field not in model.model_fields:
        raise ValueError(f"{path} has no field {shown(field)}; {choice(model.model_fields, field)}")


def _check_expected(expected: Json) -> None:
    if isinstance(expected, dict):
        for name, wanted in expected.items():
            if name not in TESTS:
                raise ValueError(f"{shown(name)} is no test of a value; {choice(TESTS, name)}")
            if (problem := problem_of(name, wanted)) is not None:
                raise ValueError(f"{name}: {problem}")
            _check_expected(wanted)
    elif isinstance(expected, list):
        for item in expected:
            _check_expected(item)
    elif not isinstance(expected, _SCALARS):
        raise ValueError(  # noqa: TRY004 - what is wrong is the text of the file
            f"{expected} is a date in YAML without quotes: write it in quotes"
        )


def expected_text(expected: Json) -> str:
    """As messages say it: `running`, `at least 3`."""
    if isinstance(expected, dict):
        return " and ".join(f"{name.replace('_', ' ')} {value_text(wanted)}" for name, wanted in expected.items())
    return value_text(expected)


def value_text(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """A JSON value in a message."""
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)
