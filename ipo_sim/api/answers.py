"""Requests carried out and answered: each gets one answer, whichever way it came, and can break nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import NamedTuple, Protocol

import structlog
from pydantic_core import to_json

from ipo_sim.api.requests import RequestId, parse_request
from ipo_sim.core.model import UnitName
from ipo_sim.errors import CommandRejected, IpoSimError

INTERNAL_ERROR = "internal-error"

log = structlog.get_logger()


class Execute(Protocol):
    """The command registry with its context bound; it carries the same request with the same id out once."""

    def __call__(
        self, unit: UnitName, verb: str, arguments: Mapping[str, object], request_id: str | None = None
    ) -> Awaitable[Mapping[str, object]]:
        """The result of the verb; CommandRejected, or another IpoSimError when it could not be carried out."""


class Answer(NamedTuple):
    """The answer as JSON; `code` is that of its error, None when all went well."""

    payload: bytes
    request_id: RequestId = None
    code: str | None = None
    rejected: bool = False


async def answer(execute: Execute, unit: UnitName, verb: str, payload: bytes, *, interface: str) -> Answer:
    """Carry the request in a payload out and say what came of it; `interface` is where it came from, for the log."""
    request_id: RequestId = None
    noted = log.bind(interface=interface, unit=unit, verb=verb)
    try:
        request_id, arguments = parse_request(payload)
        named = None if request_id is None else str(request_id)
        result = await execute(unit, verb, arguments, request_id=named)
        done = Answer(to_json({"id": request_id, "ok": True, **result}), request_id)
    except CommandRejected as error:
        noted.debug("request_refused", id=request_id, reason=error.reason)
        return failure(request_id, error)
    except IpoSimError as error:
        noted.warning("request_failed", id=request_id, error=str(error))
        return failure(request_id, error)
    except Exception as error:  # a boundary: one defective command must not end the interface of every unit
        log.exception("request_broke", interface=interface, unit=unit, verb=verb, id=request_id)
        return failure(request_id, error)
    noted.debug("request_done", id=request_id)
    return done


def failure(request_id: RequestId, error: Exception) -> Answer:
    """The answer that an error is; one that is none of ours stays in the log."""
    match error:
        case CommandRejected():
            code, message = error.reason, str(error)
        case IpoSimError():
            code, message = error.code, str(error)
        case _:
            code, message = INTERNAL_ERROR, "the command failed, the log says why"
    payload = to_json({"id": request_id, "ok": False, "error": {"code": code, "message": message}})
    return Answer(payload, request_id, code, rejected=isinstance(error, CommandRejected))


def id_in(payload: bytes) -> RequestId:
    """The id of a request that is refused unread; None when it has none that can be echoed."""
    try:
        return parse_request(payload).id
    except CommandRejected:
        return None
