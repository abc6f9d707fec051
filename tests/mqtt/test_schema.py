"""The AsyncAPI document: what ships and what is printed is what the models and the registry say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ipo_sim.api.paths import GROUPS
from ipo_sim.api.schema import ENTITIES
from ipo_sim.mqtt.schema import asyncapi, shipped
from ipo_sim.mqtt.topics import Topics, command_verb
from ipo_sim.mqtt.unit_document import DOCUMENT, unit_document
from ipo_sim.runtime.bus import Bus
from ipo_sim.runtime.commands import COMMANDS
from tests.mqtt.world import LiveUnit

ROOT = Path(__file__).parents[2]


def test_the_shipped_document_is_up_to_date() -> None:
    """`python -m ipo_sim.mqtt.schema` writes it anew."""
    assert (ROOT / "ipo_sim" / "mqtt" / DOCUMENT).read_bytes() == shipped(COMMANDS)


def test_the_committed_reference_is_up_to_date() -> None:
    """`make docs` writes it anew."""
    committed = json.loads((ROOT / "docs" / "reference" / "asyncapi.json").read_text())
    assert committed == asyncapi(COMMANDS)


def test_a_units_document_names_prefix_and_unit() -> None:
    document = json.loads(unit_document('a "quoted"/prefix', "bench-1"))
    parameters = document["components"]["parameters"]
    assert parameters["prefix"]["enum"] == ['a "quoted"/prefix']
    assert parameters["unit"]["enum"] == ["bench-1"]
    assert b"@" not in unit_document("ipo-sim", "bench-1")


def addresses() -> dict[str, str]:
    return {name: channel["address"] for name, channel in asyncapi(COMMANDS)["channels"].items()}


def test_every_entity_of_a_unit_has_a_channel() -> None:
    bus = Bus()
    unit = LiveUnit(bus).boot()
    rows = [row.rest.split("/") for row in ENTITIES]
    for path in bus.latest(unit.name):
        levels = path.split("/")
        assert any(
            len(row) == len(levels)
            and all(part == level or part.startswith("{") for part, level in zip(row, levels, strict=True))
            for row in rows
        ), path
    assert {row.rest.partition("/")[0] for row in ENTITIES if "/" in row.rest} == set(GROUPS)


def test_every_command_has_a_channel_an_operation_and_a_reply() -> None:
    document = asyncapi(COMMANDS)
    start = "{prefix}/{unit}/"
    verbs = {command_verb(address.removeprefix(start)) for address in addresses().values()} - {None}
    assert verbs == set(COMMANDS)
    replying = [operation for operation in document["operations"].values() if operation["action"] == "receive"]
    assert len(replying) == len(COMMANDS)
    assert {operation["reply"]["channel"]["$ref"] for operation in replying} == {"#/channels/answer"}
    assert addresses()["answer"] == Topics("{prefix}").reply("{unit}", "{verb}")


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [node["$ref"]] if "$ref" in node else [ref for value in node.values() for ref in references(value)]
    return [ref for value in node for ref in references(value)] if isinstance(node, list) else []


def test_every_reference_leads_somewhere() -> None:
    document = asyncapi(COMMANDS)
    found = references(document)
    assert len(found) > len(COMMANDS)
    for reference in found:
        node = document
        for name in reference.removeprefix("#/").split("/"):
            node = node[name]


def is_valid(name: str, payload: object) -> bool:
    schema = {**asyncapi(COMMANDS), "$ref": f"#/components/schemas/{name}"}
    return jsonschema.Draft202012Validator(schema).is_valid(payload)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("Answer", {"id": None, "ok": True}),
        ("Answer", {"id": 3, "ok": True, "seq": 119}),
        ("Answer", {"id": "a", "ok": False, "error": {"code": "bad-json", "message": "no"}}),
        ("ShutdownRequest", {}),
        ("ShutdownRequest", {"minutes": 5, "id": "x"}),
    ],
    ids=str,
)
def test_what_is_right_is_valid(name: str, payload: object) -> None:
    assert is_valid(name, payload)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("Answer", {"id": "a", "ok": False}),
        ("Answer", {"ok": True}),
        ("Answer", {"id": 1.5, "ok": True}),
        ("ShutdownRequest", {"minutes": "5"}),
        ("ShutdownRequest", {"hours": 1}),
    ],
    ids=str,
)
def test_what_is_wrong_is_not(name: str, payload: object) -> None:
    assert not is_valid(name, payload)
