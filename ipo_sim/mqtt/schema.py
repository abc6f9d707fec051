"""The AsyncAPI 3 document, generated from the payload models and the command registry. Not loaded at run time.

`python -m ipo_sim.mqtt.schema` writes the document that ships with the package anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from ipo_sim.mqtt.payloads import (
    AlarmPayload,
    BaseStationPayload,
    DectPayload,
    EventPayload,
    ExtensionPayload,
    FaultPayload,
    FeatureKeyPayload,
    FeaturePayload,
    LedPayload,
    LicencePayload,
    PartPayload,
    ReaderPayload,
    UnitPayload,
    UserPayload,
)
from ipo_sim.mqtt.requests import MAX_ID_CHARACTERS, MAX_REQUEST_BYTES
from ipo_sim.mqtt.tampering import FLAGS
from ipo_sim.mqtt.topics import AVAILABILITY, COMMANDS, EVENTS, REPLY, SCHEMA
from ipo_sim.mqtt.unit_document import DOCUMENT, PREFIX_MARK, UNIT_MARK

# Version of the topics and payloads as a whole; its first number is the `v` of every payload.
API_VERSION = "1.0.0"

Json = dict[str, Any]


class Verb(Protocol):
    """What the document tells of a command."""

    @property
    def help(self) -> str:
        """What it does, in a line."""

    @property
    def arguments(self) -> type[BaseModel]:
        """The model of its arguments."""


Verbs = Mapping[str, Verb]


class _Row(NamedTuple):
    """One line of the topic table."""

    name: str
    rest: str
    payload: type[BaseModel]
    text: str


ENTITIES = (
    _Row("featureKey", "feature-key", FeatureKeyPayload, "The feature key as the unit sees it."),
    _Row("reader", "reader", ReaderPayload, "The reader of the feature key."),
    _Row("licence", "licences/{number}", LicencePayload, "A licence string; cleared when it is deleted."),
    _Row("feature", "features/{feature}", FeaturePayload, "The instance pool of a licensed feature."),
    _Row("user", "users/{user}", UserPayload, "A configured user; cleared when he is deleted."),
    _Row("extension", "extensions/{extension}", ExtensionPayload, "An IP extension; cleared when it is deleted."),
    _Row("baseStation", "dect/bases/{mac}", BaseStationPayload, "A base station; cleared when it is deleted."),
    _Row("dect", "dect", DectPayload, "The IP DECT system, if the unit has one."),
    _Row("slot", "slots/{slot}", PartPayload, "A slot and its base card, or the trunk or VCM card of an IP400 unit."),
    _Row("daughter", "slots/{slot}/daughter", PartPayload, "A trunk daughter card on a base card."),
    _Row("carriedTrunk", "slots/{slot}/trunk", PartPayload, "An IP400 trunk card on a legacy card carrier."),
    _Row("carriedVcm", "slots/{slot}/vcm", PartPayload, "An IP400 VCM card on a legacy card carrier."),
    _Row("expansion", "expansion/{port}", PartPayload, "An expansion module and its port."),
    _Row("led", "leds/{led}", LedPayload, "One LED; cleared when its part is pulled."),
    _Row("alarm", "alarms/{alarm}", AlarmPayload, "An active alarm; cleared when it ends."),
    _Row("fault", "faults/{fault}", FaultPayload, "An injected fault; cleared when it is over."),
    _Row("unit", "unit", UnitPayload, "The unit in one line, the last to change in a cascade."),
)

_PARAMETERS = {
    "number": "Number of a licence string; never used again.",
    "feature": "Name of the feature.",
    "user": "Name of the user.",
    "extension": "Number of the IP extension.",
    "mac": "MAC address of the base station.",
    "slot": "Slot, from 1.",
    "port": "Expansion port, from 1.",
    "led": "Name of the LED.",
    "fault": "Name of the fault, and where it is if that is not clear.",
    "alarm": "Event number and place of the alarm.",
    "verb": "The command that is answered.",
}

_ID: Json = {
    "description": "Echoed in the answer; the same request with the same id is executed once.",
    "oneOf": [{"type": "string", "maxLength": MAX_ID_CHARACTERS}, {"type": "integer"}],
}

_ANSWER: Json = {
    "description": "What came of a request: its result, or an error with a stable code.",
    "type": "object",
    "required": ["id", "ok"],
    "properties": {
        "id": {"description": "The id of the request; null if it had none.", "type": ["string", "integer", "null"]},
        "ok": {"type": "boolean"},
        "seq": {"description": "The event that the request became.", "type": "integer"},
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        },
    },
    "if": {"properties": {"ok": {"const": False}}},
    "then": {"required": ["error"]},
}


# Messages that injected faults may spoil on purpose, and how: an extension of the document, as AsyncAPI allows.
FAULTS_FLAG = "x-ipo-sim-faults"
_TAMPERED = frozenset({row.name for row in ENTITIES if row.name != "fault"} | {"event"})


class _Untitled(GenerateJsonSchema):
    """Leaves out titles, which only repeat the names and double the size."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 - pydantic's signature
        return False


def asyncapi(verbs: Verbs, *, prefix: str | None = None, unit: str | None = None) -> Json:
    """The document, of any unit or of one; `verbs` is the command registry."""
    channels, operations = {}, {}
    for name, channel, operation in (*_sent(), *_received(verbs)):
        channels[name] = channel
        if operation is not None:
            operations[name] = operation
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ipo-sim",
            "version": API_VERSION,
            "description": "What a simulated IP Office control unit says and hears over MQTT. Every QoS is 1.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"schemas": _schemas(verbs), "parameters": _parameters(prefix, unit)},
    }


def shipped(verbs: Verbs) -> bytes:
    """The document as the package ships it, with marks for prefix and unit."""
    document = asyncapi(verbs, prefix=PREFIX_MARK, unit=UNIT_MARK)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _sent() -> Iterable[tuple[str, Json, Json]]:
    text = "Birth and last will. On a shared connection the client id has such a topic too, and both have to be online."
    availability = {"contentType": "text/plain", "payload": {"type": "string", "enum": ["online", "offline"]}}
    yield _send("availability", AVAILABILITY, availability, text, retain=True)
    for row in ENTITIES:
        yield _send(row.name, row.rest, {"payload": _reference(row.payload)}, row.text, retain=True)
    yield _send("schema", SCHEMA, {"payload": {"type": "object"}}, "This document.", retain=True)
    yield _send("event", EVENTS, {"payload": _reference(EventPayload)}, "Every accepted event.", retain=False)
    reply = {"payload": {"$ref": "#/components/schemas/Answer"}}
    text = "Answers to requests that name no MQTT 5 response topic."
    yield _send("answer", f"{COMMANDS}/{{verb}}/{REPLY}", reply, text, retain=False)


def _received(verbs: Verbs) -> Iterable[tuple[str, Json, Json]]:
    for verb in sorted(verbs):
        name = _camel(verb)
        message = {"payload": {"$ref": f"#/components/schemas/{_request_name(verb)}"}}
        channel = _channel(f"{COMMANDS}/{verb}", name, message, verbs[verb].help)
        yield (
            name,
            channel,
            {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{name}"},
                "bindings": {"mqtt": {"qos": 1, "retain": False}},
                "reply": {"channel": {"$ref": "#/channels/answer"}},
            },
        )


def _send(name: str, rest: str, message: Json, text: str, *, retain: bool) -> tuple[str, Json, Json]:
    operation = {
        "action": "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "bindings": {"mqtt": {"qos": 1, "retain": retain}},
        **({FAULTS_FLAG: list(FLAGS.values())} if name in _TAMPERED else {}),
    }
    return name, _channel(rest, name, message, text), operation


def _channel(rest: str, name: str, message: Json, text: str) -> Json:
    wanted = ["prefix", "unit", *(parameter for parameter in _PARAMETERS if f"{{{parameter}}}" in rest)]
    return {
        "address": f"{{prefix}}/{{unit}}/{rest}",
        "description": text,
        "messages": {name: {"name": name, **message}},
        "parameters": {parameter: {"$ref": f"#/components/parameters/{parameter}"} for parameter in wanted},
    }


def _parameters(prefix: str | None, unit: str | None) -> Json:
    def fixed(value: str | None, text: str, example: str) -> Json:
        return {"description": text} | ({"examples": [example]} if value is None else {"enum": [value]})

    return {
        "prefix": fixed(prefix, "The prefix of all topics, from the configuration.", "ipo-sim"),
        "unit": fixed(unit, "Name of the unit.", "bench-1"),
        **{name: {"description": text} for name, text in _PARAMETERS.items()},
    }


def _schemas(verbs: Verbs) -> Json:
    payloads: list[type[BaseModel]] = [*(row.payload for row in ENTITIES), EventPayload]
    # What a payload may leave out is what its model has a default for: that is the schema of the input side.
    inputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in dict.fromkeys(payloads)]
    _, definitions = models_json_schema(
        inputs,
        ref_template="#/components/schemas/{model}",
        schema_generator=_Untitled,
    )
    schemas: Json = definitions["$defs"]
    for verb in sorted(verbs):
        schemas.update(_request(verb, verbs[verb]))
    return {**schemas, "Answer": _ANSWER}


def _request(verb: str, command: Verb) -> Json:
    """The arguments of a verb beside the id, and what their schema refers to."""
    schema = command.arguments.model_json_schema(
        ref_template="#/components/schemas/{model}", schema_generator=_Untitled
    )
    definitions: Json = schema.pop("$defs", {})
    schema.pop("title", None)
    schema["properties"] = {"id": _ID, **schema.get("properties", {})}
    schema["description"] = f"{command.help}. At most {MAX_REQUEST_BYTES} bytes of JSON."
    return {**definitions, _request_name(verb): schema}


def _reference(model: type[BaseModel]) -> Json:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _camel(verb: str) -> str:
    first, *others = verb.split("-")
    return first + "".join(word.title() for word in others)


def _request_name(verb: str) -> str:
    return f"{verb.title().replace('-', '')}Request"


if __name__ == "__main__":
    from ipo_sim.runtime.commands import COMMANDS as REGISTRY

    Path(__file__).with_name(DOCUMENT).write_bytes(shipped(REGISTRY))
