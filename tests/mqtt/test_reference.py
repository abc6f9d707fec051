"""The reference says all that there is to say: every topic, field, verb and argument."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from ipo_sim.api.payloads import EntityPayload, EventPayload, NotificationPayload
from ipo_sim.api.schema import ENTITIES
from ipo_sim.runtime.commands import COMMANDS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "mqtt.md").read_text()

VERBS = PAGE.partition("| verb | does | arguments |")[2].partition("\n\n")[0]

HEADINGS = {"slots": "`slots` and `expansion`"}
# Each kind once, under the heading of its first topic.
PAYLOADS: dict[type[BaseModel], str] = {
    **{row.payload: row.rest.partition("/")[0] for row in reversed(ENTITIES)},
    EventPayload: "events",
    NotificationPayload: "events",
}


def section(heading: str) -> str:
    return re.split(r"\n#{2,3} ", PAGE.partition(f"\n### {heading}\n")[2])[0]


@pytest.mark.parametrize("model", PAYLOADS, ids=lambda model: model.__name__)
def test_every_field_is_told(model: type[BaseModel]) -> None:
    topic = PAYLOADS[model]
    text = section(HEADINGS.get(topic, f"`{topic}`"))
    told = set(re.findall(r"`(\w+)`", text))
    assert set(model.model_fields) - set(EntityPayload.model_fields) - {"cause"} <= told


def test_the_fields_of_all_are_told() -> None:
    assert all(f"\n| `{field}` |" in PAGE for field in (*EntityPayload.model_fields, "cause"))


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_is_told_with_its_arguments(verb: str) -> None:
    command = COMMANDS[verb]
    (row,) = (line for line in VERBS.splitlines() if line.startswith(f"| `{verb}` |"))
    _, _, text, arguments, _ = row.split("|")
    assert text.strip() == command.help
    assert set(re.findall(r"`(\w+)`", arguments)) == set(command.arguments.model_fields)


def test_nothing_is_told_that_is_not_there() -> None:
    assert set(re.findall(r"^\| `([\w-]+)` \|", VERBS, re.MULTILINE)) == set(COMMANDS)
