"""What the documents of all interfaces share, from payload models and command registry. Not loaded at run time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from ipo_sim.api.payloads import (
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
    PortPayload,
    ReaderPayload,
    UnitPayload,
    UserPayload,
)
from ipo_sim.api.requests import MAX_ID_CHARACTERS, MAX_REQUEST_BYTES

# Version of topics, resources and payloads as a whole; its first number is the `v` of every payload.
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


class Row(NamedTuple):
    """One kind of entity: where it stands below its unit, and what it says."""

    name: str
    rest: str
    payload: type[BaseModel]
    text: str


ENTITIES = (
    Row("featureKey", "feature-key", FeatureKeyPayload, "The feature key as the unit sees it."),
    Row("reader", "reader", ReaderPayload, "The reader of the feature key."),
    Row("licence", "licences/{number}", LicencePayload, "A licence string; cleared when it is deleted."),
    Row("feature", "features/{feature}", FeaturePayload, "The instance pool of a licensed feature."),
    Row("user", "users/{user}", UserPayload, "A configured user; cleared when he is deleted."),
    Row("extension", "extensions/{extension}", ExtensionPayload, "An IP extension; cleared when it is deleted."),
    Row("baseStation", "dect/bases/{mac}", BaseStationPayload, "A base station; cleared when it is deleted."),
    Row("dect", "dect", DectPayload, "The IP DECT system, if the unit has one."),
    Row("slot", "slots/{slot}", PartPayload, "A slot and its base card, or the trunk or VCM card of an IP400 unit."),
    Row("daughter", "slots/{slot}/daughter", PartPayload, "A trunk daughter card on a base card."),
    Row("carriedTrunk", "slots/{slot}/trunk", PartPayload, "An IP400 trunk card on a legacy card carrier."),
    Row("carriedVcm", "slots/{slot}/vcm", PartPayload, "An IP400 VCM card on a legacy card carrier."),
    Row("expansion", "expansion/{port}", PartPayload, "An expansion module and its port."),
    Row("port", "ports/{name}", PortPayload, "A port with a phone or a call; cleared when neither is left."),
    Row("led", "leds/{led}", LedPayload, "One LED; cleared when its part is pulled."),
    Row("alarm", "alarms/{alarm}", AlarmPayload, "An active alarm; cleared when it ends."),
    Row("fault", "faults/{fault}", FaultPayload, "An injected fault; cleared when it is over."),
    Row("unit", "unit", UnitPayload, "The unit in one line, the last to change in a cascade."),
)

PARAMETERS = {
    "number": "Number of a licence string; never used again.",
    "feature": "Name of the feature.",
    "user": "Name of the user.",
    "extension": "Number of the IP extension.",
    "mac": "MAC address of the base station.",
    "slot": "Slot, from 1.",
    "port": "Expansion port, from 1.",
    "name": "Place and number of the port, such as slots-1-port-3.",
    "led": "Name of the LED.",
    "fault": "Name of the fault, and where it is if that is not clear.",
    "alarm": "Event number and place of the alarm.",
}

ID: Json = {
    "description": "Echoed in the answer; the same request with the same id is executed once.",
    "oneOf": [{"type": "string", "maxLength": MAX_ID_CHARACTERS}, {"type": "integer"}],
}

ANSWER: Json = {
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


class _Untitled(GenerateJsonSchema):
    """Leaves out titles, which only repeat the names and double the size."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 - pydantic's signature
        return False


def schemas(verbs: Verbs) -> Json:
    """Every payload, request and answer by its name, for `components/schemas` of a document."""
    payloads: list[type[BaseModel]] = [*(row.payload for row in ENTITIES), EventPayload]
    # What a payload may leave out is what its model has a default for: that is the schema of the input side.
    inputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in dict.fromkeys(payloads)]
    _, definitions = models_json_schema(
        inputs,
        ref_template="#/components/schemas/{model}",
        schema_generator=_Untitled,
    )
    made: Json = definitions["$defs"]
    for verb in sorted(verbs):
        made.update(_request(verb, verbs[verb]))
    return {**made, "Answer": ANSWER}


def _request(verb: str, command: Verb) -> Json:
    """The arguments of a verb beside the id, and what their schema refers to."""
    schema = command.arguments.model_json_schema(
        ref_template="#/components/schemas/{model}", schema_generator=_Untitled
    )
    definitions: Json = schema.pop("$defs", {})
    schema.pop("title", None)
    schema["properties"] = {"id": ID, **schema.get("properties", {})}
    schema["description"] = f"{command.help}. At most {MAX_REQUEST_BYTES} bytes of JSON."
    return {**definitions, request_name(verb): schema}


def reference(model: type[BaseModel]) -> Json:
    """A reference to the schema of a payload."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def request_name(verb: str) -> str:
    """Name of the schema of a command's requests."""
    return f"{verb.title().replace('-', '')}Request"
