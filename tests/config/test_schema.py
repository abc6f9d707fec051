"""The JSON Schema, held against the loader: what one takes the other takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.config.entry import FROM_CATALOGUE
from ipo_sim.config.load import load_text
from ipo_sim.config.schema import json_schema
from ipo_sim.config.template import new_configuration

CONFIGS = Path(__file__).parents[2] / "configs"
KEY = "04002001000000FR876BDQYYHKF0Y5E4"
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def as_json(text: str) -> Any:
    """YAML as an editor's schema support sees it: names are texts, dates too."""
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert FROM_CATALOGUE not in json.dumps(SCHEMA)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_it_takes_our_configurations(path: Path) -> None:
    assert list(VALIDATOR.iter_errors(as_json(path.read_text(encoding="utf-8")))) == []


def test_it_takes_a_new_configuration() -> None:
    assert list(VALIDATOR.iter_errors(as_json(new_configuration()))) == []


@pytest.mark.parametrize(
    "text",
    [
        "units: [{model: ip500, slots: {1: DS8, 2: {card: DS8, daughter: {card: PRI-1, configured: BRI-4}}, 3: null}}]",
        f"units: [{{model: ip500, licenses: [{KEY}, {{key: {KEY}}}]}}]",
        "units: [{model: ip500, count: 2, licences: [{license: Receptionist, instances: 4, expiry: 2030-01-31}]}]",
        "units: [{model: ip500, name: null, key: null, timezone: null}]\nmqtt: null\nbench: null",
        "units: [{model: ip500}]\nmqtt: {version: 5}",
        'units: [{model: ip500}]\nmqtt: {version: "5"}',
        'units: [{model: ip500v2, count: 2, feature_key: {serial: "123456{n:04}"}, timezone: "-03:30"}]',
    ],
)
def test_both_take(text: str) -> None:
    assert list(VALIDATOR.iter_errors(as_json(text))) == []
    assert load_text(text, "x.yaml").units


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "units: []",
        "units: [{}]",
        "units: [{model: ip400}]",
        "units: [{model: ip500, slotz: {}}]",
        "units: [{model: ip500, slots: {1: DS9}}]",
        "units: [{model: ip500, slots: {one: DS8}}]",
        "units: [{model: ip500, slots: {1: {card: DS8, daughter: DS8}}}]",
        "units: [{model: ip500, expansion: {1: DT30}}]",
        "units: [{model: ip500, key: {grace_s: -1}}]",
        "units: [{model: ip500, feature_key: {law: ulaw}}]",
        'units: [{model: ip500, feature_key: {serial: "123"}}]',
        "units: [{model: ip500, count: 0}]",
        "units: [{model: ip500, licences: [], licenses: []}]",
        "units: [{model: ip500, count: 2, licences: [{licence: Receptionist, instances: 0}]}]",
        "units: [{model: ip500}]\nmqtt: {version: 4}",
        "units: [{model: ip500}]\nmqtt: {keepalive: 1}",
    ],
)
def test_neither_takes(text: str) -> None:
    assert not VALIDATOR.is_valid(as_json(text))
    with pytest.raises(Exception, match=r"x\.yaml:\d+:\d+: "):
        load_text(text, "x.yaml")


def test_an_editor_offers_the_words_of_the_catalogue() -> None:
    catalogue = load_catalogue()
    units = SCHEMA["$defs"]["UnitEntry"]["properties"]
    assert units["model"]["enum"] == list(catalogue.models)
    words = {word for name in ("SlotEntry", "DaughterEntry", "ModuleEntry") for word in _offered(SCHEMA["$defs"][name])}
    assert words == {part.code for part in catalogue.parts.values() if part.models}


def _offered(schema: object) -> set[str]:
    if isinstance(schema, dict):
        return set(schema.get("enum", ())).union(*map(_offered, schema.values()))
    return set().union(*map(_offered, schema)) if isinstance(schema, list) else set()


def test_every_setting_is_described() -> None:
    bare = [
        f"{name}.{setting}"
        for name, entry in {"top": SCHEMA, **SCHEMA["$defs"]}.items()
        for setting, value in entry.get("properties", {}).items()
        if not value.get("description")
    ]
    assert bare == []
