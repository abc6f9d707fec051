"""The JSON Schema of a scenario file: what editors complete and check, and `ipo-sim schema scenario` prints."""

from __future__ import annotations

from typing import Any

from ipo_sim.config.schema import schema_of
from ipo_sim.scenario.entries import SHORTHANDS, ScenarioFile

TITLE = "Scenario of ipo-sim"

_SCALAR = {"type": ["string", "number", "boolean"]}
_TARGETS = {"type": "object", "description": "The short form of `value`."}


def json_schema() -> dict[str, Any]:
    """The schema, draft 2020-12."""
    schema = schema_of(ScenarioFile, TITLE, SHORTHANDS)
    definitions: dict[str, Any] = schema["$defs"]
    definitions["ParameterEntry"]["anyOf"][1] = _SCALAR
    # Where the short form can stand: a mapping whose names are targets.
    pattern = {"propertyNames": {"pattern": "[./]"}, "minProperties": 1}
    definitions["ExpectEntry"] = {"anyOf": [definitions["ExpectEntry"], _TARGETS | pattern]}
    step = definitions["StepEntry"]["properties"]["expect"]
    one = {"$ref": "#/$defs/ExpectEntry"}
    step["anyOf"] = [one, *step["anyOf"]]
    return schema
