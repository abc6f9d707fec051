"""What all entries of a configuration file have in common: the strict model, texts and numbers as people write them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

# Users, extensions and base stations: what a unit has of each at most, with room for mistakes of theirs.
MAX_RECORDS = 1_000
# Words, names and secrets that people write.
MAX_TEXT = 256
# The marker of the JSON Schema that is replaced by the words of the catalogue.
FROM_CATALOGUE = "x-from-catalogue"

Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


class Entry(BaseModel):
    """A mapping of settings; unknown ones are mistakes, and nothing is converted from a string."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _drop_unset(cls, data: object) -> object:
        if isinstance(data, dict) and None in data.values():
            return {name: value for name, value in data.items() if value is not None or name not in cls.model_fields}
        return data


def _digits(value: object) -> object:
    """A number to dial that was written without quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def from_catalogue(what: str) -> dict[str, Any]:
    """Marks a text for which the catalogue has the words."""
    return {FROM_CATALOGUE: what}


Digits = Annotated[
    str,
    Field(max_length=MAX_TEXT, json_schema_extra={"type": ["string", "integer"]}),
    BeforeValidator(_digits),
]
