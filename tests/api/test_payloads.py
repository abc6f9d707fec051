"""Payloads: golden files of whole stores and of events, and every one valid by the schema that is published."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from ipo_sim.api.encoder import Encoder, moment
from ipo_sim.api.schema import ENTITIES
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.dect_events import BaseStationConfigured, BaseStationLost, BaseStationReachable
from ipo_sim.core.events import (
    DateSet,
    ExtensionConfigured,
    FaultSet,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    KeyServerPollMissed,
    LicenceAdded,
    PartWithdrawn,
    PhoneRegistered,
    PowerApplied,
    ReaderAttached,
    ReaderLost,
    ShutdownRequested,
    UserConfigured,
)
from ipo_sim.core.model import SECOND_NS, Nanoseconds, PartDefinition
from ipo_sim.core.words import ExtensionKind
from ipo_sim.mqtt.schema import asyncapi
from ipo_sim.runtime.bus import Bus, Record
from ipo_sim.runtime.commands import COMMANDS
from ipo_sim.runtime.store import Entry
from tests.core.bench import OTHER_SERIAL, SERIAL, VOICEMAIL_PRO, definition, key
from tests.core.dect_bench import FOURTH, SECOND, THIRD, system, with_dect
from tests.mqtt.world import LiveUnit

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = asyncapi(COMMANDS)

KINDS = {
    "unit": "UnitPayload",
    "feature-key": "FeatureKeyPayload",
    "reader": "ReaderPayload",
    "licences": "LicencePayload",
    "features": "FeaturePayload",
    "users": "UserPayload",
    "extensions": "ExtensionPayload",
    "dect": "DectPayload",
    "dect/bases": "BaseStationPayload",
    "slots": "PartPayload",
    "expansion": "PartPayload",
    "leds": "LedPayload",
    "alarms": "AlarmPayload",
}

PARTS = definition().parts[:4] + definition().parts[6:8]


def in_service() -> LiveUnit:
    licences = (key(), key(VOICEMAIL_PRO, instances=4, expiry=date(2027, 3, 1)), "not-a-key-of-ours")
    return LiveUnit(Bus(), unit_definition=definition(*licences, parts=PARTS, utc_offset_minutes=60)).boot()


def in_grace() -> LiveUnit:
    unit = in_service()
    unit.apply(DateSet(Nanoseconds(86_400 * SECOND_NS)), FeatureKeyRemoved(counter=2))
    return unit


def halted() -> LiveUnit:
    unit = in_grace()
    unit.advance(hours=2)
    return unit


def wrong_card() -> LiveUnit:
    unit = in_service()
    unit.apply(FeatureKeyInserted(OTHER_SERIAL, kind="serial", identity="3B:00", law="mulaw", counter=5))
    return unit


def damaged() -> LiveUnit:
    unit = in_service()
    unit.apply(PartWithdrawn("expansion/1"), FaultSet("slots/1"), LicenceAdded(key(nonce=1)), ReaderLost("no answer"))
    return unit


def shutting_down() -> LiveUnit:
    unit = in_service()
    unit.apply(ShutdownRequested(minutes=5))
    return unit


def people() -> LiveUnit:
    unit = LiveUnit(Bus(), unit_definition=definition(key(), parts=PARTS[:1], profile="r6")).boot()
    unit.apply(
        UserConfigured("anna jones", "Anna Jones", "201", "power-user"),
        UserConfigured("bob", extension="202"),
        ExtensionConfigured("201", ExtensionKind.THIRD_PARTY_IP),
        PhoneRegistered("201", mac="02:00:00:00:00:09", address="192.0.2.1"),
    )
    return unit


def ip_dect() -> LiveUnit:
    unit = LiveUnit(Bus(), unit_definition=with_dect(system(timer=True), parts=PARTS[:1])).boot()
    unit.apply(
        ExtensionConfigured("301", ExtensionKind.DECT),
        PhoneRegistered("301"),
        BaseStationLost(SECOND),
        BaseStationLost(THIRD),
        DateSet(Nanoseconds(86_400 * SECOND_NS)),
    )
    unit.advance(hours=1)
    unit.apply(BaseStationConfigured(FOURTH, carries_calls=False), BaseStationReachable(SECOND))
    return unit


def ip400() -> LiveUnit:
    parts = (PartDefinition("slots/1", "IP400-E1-1"), PartDefinition("slots/3", "VCM16"))
    licences = (key(VOICEMAIL_PRO, instances=4), key())
    unit = LiveUnit(Bus(), unit_definition=definition(*licences, parts=parts, model="ip406v2", reader="key-server"))
    unit.apply(ReaderAttached("192.168.42.10:50800"), FeatureKeyInserted(SERIAL, kind="dongle-usb"), PowerApplied())
    unit.advance(10)
    unit.apply(KeyServerPollMissed(1), ReaderLost("3 polls unanswered"))
    return unit


SCENES = {
    scene.__name__: scene
    for scene in (in_service, in_grace, halted, wrong_card, damaged, shutting_down, people, ip_dect, ip400)
}


MODELS: dict[str, type[BaseModel]] = {row.payload.__name__: row.payload for row in ENTITIES}


def encoder(unit: LiveUnit, daemon: str | None = None) -> Encoder:
    return Encoder(unit.bus, load_catalogue(), daemon=daemon, counters=lambda _: {"frames": 7})


def payloads(unit: LiveUnit) -> dict[str, Any]:
    encode = encoder(unit)
    return {path: json.loads(encode.entity(unit.name, entry)) for path, entry in unit.bus.latest(unit.name).items()}


def check(name: str, payload: Any) -> None:
    """The payload is valid, and holds nothing that its schema does not tell of."""
    jsonschema.validate(
        payload,
        {**SCHEMA, "$ref": f"#/components/schemas/{name}"},
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
    assert set(payload) <= set(SCHEMA["components"]["schemas"][name]["properties"])


@pytest.mark.parametrize("scene", SCENES)
def test_a_store_is_what_its_golden_file_says_and_valid(scene: str) -> None:
    """`IPO_SIM_GOLDEN=write` writes the files anew; whoever does reads the difference."""
    made = payloads(SCENES[scene]())
    for path, payload in made.items():
        name = KINDS["dect/bases" if path.startswith("dect/bases/") else path.partition("/")[0]]
        check(name, payload)
        wanted = [field for field in MODELS[name].model_fields if field in payload]
        assert list(payload) == wanted, "fields come in the order of the model"
    text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
    file = GOLDEN / f"{scene}.json"
    if os.environ.get("IPO_SIM_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("scene", SCENES)
def test_every_event_on_the_way_there_is_valid(scene: str) -> None:
    unit = SCENES[scene]()
    assert unit.history
    for event, effects in unit.history:
        payload = json.loads(encoder(unit).event(Record(unit.name, event, effects)))
        check("EventPayload", payload)
        assert (payload["seq"], payload["type"], payload["unit"]) == (effects.seq, event.fact.TYPE, "bench-1")
        assert [item["event"] for item in payload["notifications"]] == [n.event for n in effects.notifications]


@pytest.mark.parametrize("scene", SCENES)
def test_what_is_in_order_has_no_cause_and_what_is_not_has_one(scene: str) -> None:
    for path, payload in payloads(SCENES[scene]()).items():
        held = payload.get("hold") not in (None, "empty")
        assert "cause" not in payload or payload["cause"]
        if path.startswith("alarms/") or held:
            assert payload["cause"][-1].startswith("event:")


def test_times_are_unit_time_and_the_clock_shows_the_units_own_zone() -> None:
    unit = in_grace()
    made = payloads(unit)
    assert made["unit"]["at"] == "2026-01-06T12:00:10Z"
    assert made["unit"]["clock"] == "2026-01-06T13:00:10+01:00"
    assert made["feature-key"]["grace_until"] == "2026-01-06T14:00:10Z"
    assert payloads(shutting_down())["unit"]["until"] == "2026-01-05T12:01:10Z"


def test_a_shared_connection_is_named_in_the_unit() -> None:
    unit = in_service()
    entry = unit.bus.latest(unit.name)["unit"]
    named = json.loads(encoder(unit, "fleet").entity(unit.name, entry))
    assert named["daemon"] == "fleet"
    check("UnitPayload", named)
    assert "daemon" not in json.loads(encoder(unit).entity(unit.name, entry))


def test_what_exists_no_longer_is_an_empty_payload() -> None:
    unit = in_service()
    assert encoder(unit).entity(unit.name, Entry(1, Nanoseconds(0), None)) == b""


def test_the_numeric_id_of_a_licence_comes_from_the_catalogue() -> None:
    first, second, third = (payloads(in_service())[f"licences/{number}"] for number in (1, 2, 3))
    assert (second["id"], second["instances"], second["expiry"]) == (18, 4, "2027-03-01")
    assert (first["type"], first["expiry"]) == ("IP500 Upgrade Standard to Professional", None)
    assert (third["type"], third["id"], third["instances"]) == ("Invalid", None, None)


@given(st.integers(-(2**80), 2**80))
def test_any_time_can_be_written(nanoseconds: int) -> None:
    assert 1 <= moment(nanoseconds).year <= 9999


def test_a_damaged_payload_is_not_valid() -> None:
    unit = in_service()
    made = payloads(unit)["unit"]
    for damage in ({"state": "gone"}, {"seq": "1"}, {"at": None}, {"v": 2}):
        with pytest.raises(jsonschema.ValidationError):
            check("UnitPayload", made | damage)
    with pytest.raises(AssertionError):
        check("UnitPayload", made | {"more": 1})


def test_a_unit_far_east_shows_its_own_day() -> None:
    base = replace(definition(key()), utc_offset_minutes=14 * 60)
    made = payloads(LiveUnit(Bus(), unit_definition=base).boot())
    assert made["unit"]["clock"].startswith("2026-01-06T02:00:08+14:00")
