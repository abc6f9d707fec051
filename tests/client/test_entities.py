"""Entities as tests see them: one for each payload of MQTT."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel

from ipo_sim.api.schema import ENTITIES
from ipo_sim.client.entities import Entity, kind_of, read_entity
from ipo_sim.client.expectation import Expectation

LED = b'{"v":1,"seq":7,"at":"2026-01-05T12:00:00Z","name":"cpu","colour":"green","pattern":"steady"}'
PART = (
    b'{"v":1,"seq":7,"at":"2026-01-05T12:00:00Z","kind":"slot","number":1,"fitted":"DS8","configured":"DS8",'
    b'"detected":true,"oper_state":"disabled","availability":"failed","hold":null,"ports":[],"entity_name":"x",'
    b'"entity_index":1,"fault":"failed","cause":["fault:failed","event:7"]}'
)


@pytest.mark.parametrize(("path", "payload"), [(row.rest, row.payload) for row in ENTITIES])
def test_every_payload_has_its_entity(path: str, payload: type[BaseModel]) -> None:
    kind = kind_of(re.sub(r"\{\w+\}", "1", path))
    assert kind is not None, f"{path} stands in no table of ipo_sim/client/entities.py"
    assert issubclass(kind, payload)
    assert issubclass(kind, Entity)


@pytest.mark.parametrize(
    "path", ["availability", "events", "schema", "commands/restart", "commands/restart/reply", "x"]
)
def test_other_topics_are_none(path: str) -> None:
    assert kind_of(path) is None
    with pytest.raises(ValueError, match=f"no entity stands at {path}"):
        read_entity(path, LED)


def test_an_entity_knows_where_it_stands_and_asks_why() -> None:
    part = read_entity("slots/1", PART, lambda path: [f"{path} has failed"])
    assert (part.path, part.in_order, part.why) == ("slots/1", False, ("slots/1 has failed",))
    assert read_entity("leds/cpu", LED).in_order
    with pytest.raises(RuntimeError, match=r"await unit\.why"):
        _ = read_entity("leds/cpu", LED).why


def test_equal_is_what_says_the_same() -> None:
    one, other = read_entity("slots/1", PART), read_entity("slots/1", PART, lambda _: [])
    assert one == other
    assert hash(one) == hash(other)
    assert one != read_entity("slots/1", PART.replace(b"DS8", b"POT8"))
    assert one != read_entity("leds/cpu", LED)


@pytest.mark.parametrize("payload", [b"", b"offline", b"[]", b'{"v":2}', LED])
def test_what_is_no_part_is_an_error(payload: bytes) -> None:
    with pytest.raises(ValueError, match="validation error"):
        read_entity("slots/1", payload)


class TestExpectation:
    PART = read_entity("slots/1", PART)

    @pytest.mark.parametrize(
        ("expectation", "is_met"),
        [
            (Expectation("slots/1", {"fitted": "DS8"}), True),
            (Expectation("slots/1", {"fitted": "DS8", "fault": None}), False),
            (Expectation("slots/1", {"cause": ["fault:failed", "event:7"]}), True),
            (Expectation("slots/1", {"oper_state": "disabled"}, lambda part: part.number == 1), True),
            (Expectation("slots/1", {}, lambda part: part.number == 2), False),
            (Expectation("slots/1", {}, gone=True), False),
            (Expectation("slots/1", {}), True),
        ],
    )
    def test_it_is_met_or_not(self, expectation: Expectation, *, is_met: bool) -> None:
        assert expectation.is_met(self.PART) is is_met
        assert expectation.is_met(None) is expectation.gone

    def test_it_tells_what_it_finds(self) -> None:
        expectation = Expectation("slots/1", {"oper_state": "enabled"})
        assert expectation.text() == "slots/1 oper_state=enabled"
        assert expectation.found(self.PART) == "it has oper_state=disabled, because of fault:failed event:7"
        assert expectation.found(None) == "there is no slots/1"
        assert Expectation("slots/1", {}, bool).text() == "slots/1 as the predicate wants it"
        assert "fitted=DS8" in Expectation("slots/1", {}, bool).found(self.PART)
        assert Expectation("slots/1", {}, gone=True).text() == "slots/1 gone"
