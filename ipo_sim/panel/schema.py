"""The OpenAPI 3.1 document, generated from the payload models and the command registry. Not loaded at run time.

`python -m ipo_sim.panel.schema` writes the document that ships with the package anew.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from pathlib import Path

from ipo_sim.api.payloads import UnitPayload
from ipo_sim.api.schema import API_VERSION, ENTITIES, PARAMETERS, Json, Row, Verbs, reference, request_name, schemas
from ipo_sim.api.streams import ANSWER, END, ENTITY, EVENT, MEDIA_TYPE, MISSED, SYNCHRONISED
from ipo_sim.panel.documents import MAX_PAGE

DOCUMENT = "openapi.json"

_UNIT = {"name": "unit", "in": "path", "required": True, "schema": {"type": "string"}, "description": "Name of a unit."}

_ERRORS = {
    HTTPStatus.BAD_REQUEST: "What was sent is no request, or its arguments are wrong.",
    HTTPStatus.UNAUTHORIZED: "The token is missing or wrong.",
    HTTPStatus.FORBIDDEN: "A web page of another origin asks.",
    HTTPStatus.NOT_FOUND: "There is no such unit, entity or command; the nearest one is named.",
    HTTPStatus.REQUEST_TIMEOUT: "The body did not come in time.",
    HTTPStatus.CONFLICT: "The unit refuses: nothing has changed.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not said to be application/json.",
    HTTPStatus.MISDIRECTED_REQUEST: "Without a token the server is asked as localhost only.",
    HTTPStatus.TOO_MANY_REQUESTS: "More requests than this unit takes; try again later.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "A defect; the log says which.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Busy, or the journal cannot be written; try again later.",
}
_OF_ALL = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST)
_OF_STREAMS = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)

_STREAM = f"""\
Server-sent events. First all entities, then `{SYNCHRONISED}` with their paths, then what happens:

- `{ENTITY}`: `{{"unit", "path", "entity"}}`; `entity` is the payload, or null once there is no such entity.
- `{EVENT}`: an accepted event, schema `EventPayload`; on the stream of one unit its `id` is its `seq`.
- `{ANSWER}`: `{{"unit", "verb", "id", "ok"}}`; the command with that id is done, and what it changed stands before.
- `{MISSED}`: `{{"unit", "from", "to"}}`; events that are not told here, because too many came at once, or too many
  since `since`: then with the first and last number, which the journal has.
- `{SYNCHRONISED}`: `{{"unit", "seq", "paths"}}`; all of the unit has been said.
- `{END}`: the daemon ends."""


def openapi(verbs: Verbs) -> Json:
    """The document; `verbs` is the command registry."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ipo-sim",
            "version": API_VERSION,
            "description": "The control API of simulated IP Office control units: state, events, commands.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "tags": [
            {"name": "state", "description": "What units are."},
            {"name": "events", "description": "What happens to them."},
            {"name": "commands", "description": "What they are told."},
        ],
        "paths": {**_state(), **_entities(), **_streams(), **_commands(verbs)},
        "components": {
            "schemas": {**schemas(verbs), **_own_schemas()},
            "responses": {_response(status): _error(text) for status, text in _ERRORS.items()},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of `http.token_file`; none is wanted where none is configured.",
                }
            },
        },
    }


def shipped(verbs: Verbs) -> bytes:
    """The document as the package ships it."""
    return json.dumps(openapi(verbs), separators=(",", ":"), ensure_ascii=False).encode()


def _state() -> Json:
    after = {
        "name": "after",
        "in": "query",
        "schema": {"type": "string"},
        "description": f"`next` of the page before; a page has {MAX_PAGE} units at most.",
    }
    own = {"type": "object"}
    return {
        "/openapi.json": {"get": _get("getDocument", "This document.", own, tag="state")},
        "/units": {
            "get": _get("listUnits", "All units, each in one line.", _named("Units"), tag="state", parameters=[after])
        },
        "/units/{unit}": {
            "parameters": [_UNIT],
            "get": _get("getSnapshot", "All entities of a unit by path.", _named("Unit"), tag="state"),
        },
    }


def _entities() -> Json:
    return {f"/units/{{unit}}/{row.rest}": _entity(row) for row in ENTITIES}


def _entity(row: Row) -> Json:
    names = re.findall(r"\{(\w+)\}", row.rest)
    own = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            "description": PARAMETERS[name],
        }
        for name in names
    ]
    text = row.text.replace("; cleared when", "; not found once")
    operation = f"get{row.name[0].upper()}{row.name[1:]}"
    return {"parameters": [_UNIT, *own], "get": _get(operation, text, reference(row.payload), tag="state")}


def _streams() -> Json:
    only = {
        "name": "only",
        "in": "query",
        "schema": {"type": "string", "enum": ["entities", "events"]},
        "description": "Leave the other kind out.",
    }
    since = {
        "name": "since",
        "in": "query",
        "schema": {"type": "integer", "minimum": 0},
        "description": "Begin with the events behind this number, as far as they are at hand; the header "
        "`Last-Event-ID` says the same.",
    }
    return {
        "/events": {"get": _stream("streamAll", "What happens to all units.", [only])},
        "/units/{unit}/events": {
            "parameters": [_UNIT],
            "get": _stream("streamUnit", "What happens to a unit.", [only, since]),
        },
    }


def _stream(operation: str, text: str, parameters: list[Json]) -> Json:
    content = {MEDIA_TYPE: {"schema": {"type": "string"}}}
    return {
        "operationId": operation,
        "tags": ["events"],
        "summary": text,
        "description": _STREAM,
        "parameters": parameters,
        "responses": {"200": {"description": "The stream.", "content": content}, **_refusals(*_OF_STREAMS)},
    }


def _commands(verbs: Verbs) -> Json:
    return {f"/units/{{unit}}/commands/{verb}": _command(verb, verbs[verb].help) for verb in sorted(verbs)}


def _command(verb: str, text: str) -> Json:
    body = {"application/json": {"schema": _named(request_name(verb))}}
    done = {"description": "It is done.", "content": {"application/json": {"schema": _named("Answer")}}}
    first, *others = verb.split("-")
    return {
        "parameters": [_UNIT],
        "post": {
            "operationId": first + "".join(word.title() for word in others),
            "tags": ["commands"],
            "summary": f"{text}.",
            "requestBody": {"content": body, "description": "May be missing where nothing has to be said."},
            "responses": {"200": done, **_refusals(*_ERRORS)},
        },
    }


def _get(operation: str, text: str, schema: Json, *, tag: str, parameters: list[Json] | None = None) -> Json:
    return {
        "operationId": operation,
        "tags": [tag],
        "summary": text,
        **({"parameters": parameters} if parameters else {}),
        "responses": {
            "200": {"description": text, "content": {"application/json": {"schema": schema}}},
            **_refusals(HTTPStatus.NOT_FOUND),
        },
    }


def _refusals(*statuses: HTTPStatus) -> Json:
    wanted = sorted({*statuses, *_OF_ALL})
    return {str(status.value): {"$ref": f"#/components/responses/{_response(status)}"} for status in wanted}


def _response(status: HTTPStatus) -> str:
    return status.name.title().replace("_", "")


def _error(text: str) -> Json:
    return {"description": text, "content": {"application/json": {"schema": _named("Answer")}}}


def _own_schemas() -> Json:
    """Bodies that only HTTP has."""
    rows = {"anyOf": [{"$ref": ref} for ref in dict.fromkeys(reference(row.payload)["$ref"] for row in ENTITIES)]}
    return {
        "Units": {
            "type": "object",
            "required": ["units", "next"],
            "properties": {
                "units": {"type": "object", "additionalProperties": reference(UnitPayload)},
                "next": {"type": ["string", "null"], "description": "What `after` asks for the next page; null: none."},
            },
        },
        "Unit": {
            "type": "object",
            "required": ["unit", "seq", "entities"],
            "properties": {
                "unit": {"type": "string"},
                "seq": {"type": "integer", "description": "The last event of the unit."},
                "entities": {"type": "object", "additionalProperties": rows},
            },
        },
    }


def _named(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


if __name__ == "__main__":
    from ipo_sim.runtime.commands import COMMANDS

    Path(__file__).with_name(DOCUMENT).write_bytes(shipped(COMMANDS))
