"""The AsyncAPI 3 document, generated from the payload models and the command registry. Not loaded at run time.

`python -m ipo_sim.mqtt.schema` writes the document that ships with the package anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ipo_sim.api.payloads import EventPayload
from ipo_sim.api.schema import API_VERSION, ENTITIES, PARAMETERS, Json, Verbs, reference, request_name, schemas
from ipo_sim.mqtt.tampering import FLAGS
from ipo_sim.mqtt.topics import AVAILABILITY, COMMANDS, EVENTS, REPLY, SCHEMA
from ipo_sim.mqtt.unit_document import DOCUMENT, PREFIX_MARK, UNIT_MARK

_PARAMETERS = {**PARAMETERS, "verb": "The command that is answered."}

# Messages that injected faults may spoil on purpose, and how: an extension of the document, as AsyncAPI allows.
FAULTS_FLAG = "x-ipo-sim-faults"
_TAMPERED = frozenset({row.name for row in ENTITIES if row.name != "fault"} | {"event"})


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
        "components": {"schemas": schemas(verbs), "parameters": _parameters(prefix, unit)},
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
        yield _send(row.name, row.rest, {"payload": reference(row.payload)}, row.text, retain=True)
    yield _send("schema", SCHEMA, {"payload": {"type": "object"}}, "This document.", retain=True)
    yield _send("event", EVENTS, {"payload": reference(EventPayload)}, "Every accepted event.", retain=False)
    reply = {"payload": {"$ref": "#/components/schemas/Answer"}}
    text = "Answers to requests that name no MQTT 5 response topic."
    yield _send("answer", f"{COMMANDS}/{{verb}}/{REPLY}", reply, text, retain=False)


def _received(verbs: Verbs) -> Iterable[tuple[str, Json, Json]]:
    for verb in sorted(verbs):
        name = _camel(verb)
        message = {"payload": {"$ref": f"#/components/schemas/{request_name(verb)}"}}
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


def _camel(verb: str) -> str:
    first, *others = verb.split("-")
    return first + "".join(word.title() for word in others)


if __name__ == "__main__":
    from ipo_sim.runtime.commands import COMMANDS as REGISTRY

    Path(__file__).with_name(DOCUMENT).write_bytes(shipped(REGISTRY))
