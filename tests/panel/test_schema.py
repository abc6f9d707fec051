"""The OpenAPI document: what ships and what is printed is what is served, by the judgement of others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import openapi_spec_validator
import pytest
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

from ipo_sim.api.schema import ENTITIES
from ipo_sim.panel.schema import DOCUMENT, openapi, shipped
from ipo_sim.panel.statuses import _STATUSES, status_of
from ipo_sim.runtime.commands import COMMANDS
from tests.panel.served import Response, ask, serving

ROOT = Path(__file__).parents[2]
OPENAPI = openapi(COMMANDS)


def test_the_shipped_document_is_up_to_date() -> None:
    """`python -m ipo_sim.panel.schema` writes it anew."""
    assert (ROOT / "ipo_sim" / "panel" / DOCUMENT).read_bytes() == shipped(COMMANDS)


def test_the_committed_reference_is_up_to_date() -> None:
    """`make docs` writes it anew."""
    assert json.loads((ROOT / "docs" / "reference" / DOCUMENT).read_text()) == OPENAPI


def test_it_is_openapi_and_a_wrong_document_would_be_seen() -> None:
    openapi_spec_validator.validate(OPENAPI, cls=openapi_spec_validator.OpenAPIV31SpecValidator)
    with pytest.raises(OpenAPIValidationError):
        openapi_spec_validator.validate({**OPENAPI, "paths": {"units": {}}})


def test_it_has_every_command_and_every_entity() -> None:
    paths = OPENAPI["paths"]
    assert {path.rpartition("/")[2] for path in paths if "/commands/" in path} == set(COMMANDS)
    assert {path for path in paths if path.startswith("/units/{unit}/") and "/commands/" not in path} == {
        "/units/{unit}/events",
        *(f"/units/{{unit}}/{row.rest}" for row in ENTITIES),
    }


def judged(schema: str, answer: Response) -> None:
    document = {**OPENAPI, "$ref": f"#/components/schemas/{schema}"}
    jsonschema.Draft202012Validator(document).validate(answer.json)


def resource_of(path: str) -> Any:
    """What the document says of GET on a path."""
    for template, item in OPENAPI["paths"].items():
        if "get" in item and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return item["get"]
    raise AssertionError(f"{path} is not in the document")


async def test_what_is_served_is_what_it_says() -> None:
    async with serving() as served:
        snapshot = await ask(served.port, "GET", "/units/bench-1")
        judged("Unit", snapshot)
        judged("Units", await ask(served.port, "GET", "/units"))
        for path in snapshot.json["entities"]:
            answer = await ask(served.port, "GET", f"/units/bench-1/{path.replace(' ', '%20')}")
            schema = resource_of(f"/units/bench-1/{path}")["responses"]["200"]["content"]["application/json"]["schema"]
            judged(schema["$ref"].rpartition("/")[2], answer)
        judged("Answer", await ask(served.port, "GET", "/units/bench-1/slots/77"))
        judged("Answer", await ask(served.port, "POST", "/units/bench-1/commands/power", b'{"id": 1}'))
        assert (await ask(served.port, "GET", "/openapi.json")).json == OPENAPI


def test_every_status_is_told() -> None:
    told = {int(status) for item in OPENAPI["paths"].values() for it in item.values() for status in _responses(it)}
    # Nothing in the document has methods that are not there.
    assert {int(status) for status in _STATUSES.values()} - {405} <= told
    assert int(status_of("whatever a unit says")) in told


def _responses(operation: Any) -> Any:
    return operation.get("responses", ()) if isinstance(operation, dict) else ()
