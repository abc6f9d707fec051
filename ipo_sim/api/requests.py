"""Requests as they come from strangers: checked for size and shape before anything is done with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from ipo_sim.errors import CommandRejected

# The longest sensible request imports licences: 5,000 keys of some 40 bytes.
MAX_REQUEST_BYTES = 256 * 1024

# An id is remembered and echoed; a UUID has 36 characters.
MAX_ID_CHARACTERS = 128

# What every JSON reader keeps exact.
MAX_ID_NUMBER = 2**53

RequestId = str | int | None


class Request(NamedTuple):
    """A request for one verb: the sender's own id, if it gave one, and the arguments."""

    id: RequestId
    arguments: Mapping[str, object]


def parse_request(payload: bytes) -> Request:
    """The request in a payload; nothing at all asks without arguments. CommandRejected says what is wrong."""
    if len(payload) > MAX_REQUEST_BYTES:
        raise CommandRejected("too-large", f"a request has at most {MAX_REQUEST_BYTES} bytes, this one {len(payload)}")
    if not payload.strip():
        return Request(None, {})
    arguments = _json_object(payload)
    request_id = _request_id(arguments.pop("id", None))
    return Request(request_id, arguments)


def _json_object(payload: bytes) -> dict[str, object]:
    try:
        value = json.loads(payload.decode("utf-8"), parse_constant=_refuse_constant)
        if b"\\u" in payload:
            _encodable(value)
    except UnicodeDecodeError as error:
        raise CommandRejected("bad-utf8", f"a request is UTF-8 text: {error.reason} at byte {error.start}") from None
    except RecursionError:
        raise CommandRejected("bad-json", "the request is nested too deep") from None
    except ValueError as error:
        raise CommandRejected("bad-json", f"the request is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise CommandRejected("bad-request", 'a request is a JSON object, such as {"id": "1", "minutes": 5}')
    return value


def _encodable(value: object) -> None:
    """ValueError for half a surrogate pair, which no answer and no journal could hold."""
    json.dumps(value, ensure_ascii=False).encode("utf-8")


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is no JSON number"
    raise ValueError(message)


def _request_id(value: object) -> RequestId:
    if value is None:
        return None
    if isinstance(value, str) and len(value) <= MAX_ID_CHARACTERS:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_ID_NUMBER:
        return value
    raise CommandRejected("bad-id", f"an id is a string of at most {MAX_ID_CHARACTERS} characters or a whole number")
