"""The JSON Schema of a configuration file: what editors complete and check, and `ipo-sim schema config` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.states import load_states
from ipo_sim.catalogue.types import Catalogue, PlaceKind, SlotKind
from ipo_sim.config.entries import SHORTHANDS, ConfigFile
from ipo_sim.config.entry import FROM_CATALOGUE, Entry
from ipo_sim.config.mistakes import SPELLINGS
from ipo_sim.core.people import BASIC, user_features

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TITLE = "Configuration of ipo-sim"

_Schema = dict[str, Any]


def json_schema() -> _Schema:
    """The schema, draft 2020-12. Numbers of slots and expansion ports are names in it, as JSON has them."""
    return schema_of(ConfigFile, TITLE, SHORTHANDS)


def schema_of(root: type[Entry], title: str, shorthands: Mapping[str, str]) -> _Schema:
    """The schema of a file whose root this is; `shorthands`: entries for which a bare word can stand."""
    words = _words(load_catalogue())
    schema = root.model_json_schema()
    definitions: dict[str, _Schema] = schema.pop("$defs", {})
    for entry in (schema, *definitions.values()):
        needed = entry.get("required", ())
        properties = {name: _plain(value, words) for name, value in entry["properties"].items()}
        entry["properties"] = {
            name: value if name in needed else _or_nothing(value) for name, value in properties.items()
        }
        _accept_american(entry)
    opened = {name: _or_word(shorthands.get(name), entry) for name, entry in definitions.items()}
    return {"$schema": DIALECT, **schema, "title": title, "$defs": opened}


def _words(catalogue: Catalogue) -> dict[str, list[str]]:
    """What the catalogue allows, by the marker of the entries."""
    parts = [part for part in catalogue.parts.values() if part.models]
    words = {kind.value: [part.code for part in parts if part.place is kind] for kind in PlaceKind}
    words[PlaceKind.CARRIER.value] = [part.code for part in parts if part.slot_kind is not SlotKind.GENERIC]
    words["model"] = list(catalogue.models)
    words["release_profile"] = sorted({p for model in catalogue.models.values() for p in model.release_profiles})
    words["profile"] = [BASIC, *user_features(catalogue)]
    words["state"] = list(load_states().states)
    words["feature_set"] = list(load_states().feature_sets)
    words["licence"] = list(catalogue.licences_by_name)
    return words


def _plain(value: _Schema, words: dict[str, list[str]]) -> _Schema:
    """A property without pydantic's wrapping: no titles made of names, "or null" left to `_or_nothing`."""
    plain = {name: part for name, part in value.items() if name != "title"}
    choices = [part for part in plain.pop("anyOf", ()) if part != {"type": "null"}]
    for part in choices:
        plain = {**part, **plain}
    if isinstance(plain.get("default", {}), dict | list | None):
        plain.pop("default", None)
    marker = plain.pop(FROM_CATALOGUE, None)
    return plain if marker is None else {**plain, "enum": words[marker]}


def _or_nothing(value: _Schema) -> _Schema:
    """A setting without a value stands for its default."""
    described = {name: part for name, part in value.items() if name in {"description", "default", "examples"}}
    bare = {name: part for name, part in value.items() if name not in described}
    return {**described, "anyOf": [bare, {"type": "null"}]}


def _or_word(short: str | None, entry: _Schema) -> _Schema:
    """An entry for which a bare word can stand."""
    return entry if short is None else {"anyOf": [entry, entry["properties"][short]]}


def _accept_american(entry: _Schema) -> None:
    """Each of our spellings in the other one too, but not both."""
    properties = entry["properties"]
    for american, ours in SPELLINGS.items():
        if ours in properties:
            properties[american] = {**properties[ours], "description": f"The same as {ours}."}
            entry["not"] = {"required": [ours, american]}
