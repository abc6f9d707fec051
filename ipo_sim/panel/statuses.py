"""Error codes as HTTP says them."""

from __future__ import annotations

from http import HTTPStatus

from ipo_sim.api.answers import INTERNAL_ERROR
from ipo_sim.errors import JournalError
from ipo_sim.panel.guard import UNAUTHORIZED, WRONG_HOST, WRONG_ORIGIN

_STATUSES = {
    **dict.fromkeys(("bad-arguments", "bad-id", "bad-json", "bad-request", "bad-utf8"), HTTPStatus.BAD_REQUEST),
    UNAUTHORIZED: HTTPStatus.UNAUTHORIZED,
    WRONG_ORIGIN: HTTPStatus.FORBIDDEN,
    **dict.fromkeys(("unknown-unit", "unknown-command", "unknown-entity", "unknown-path"), HTTPStatus.NOT_FOUND),
    "method-not-allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "timeout": HTTPStatus.REQUEST_TIMEOUT,
    "too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "not-json": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    WRONG_HOST: HTTPStatus.MISDIRECTED_REQUEST,
    "rate-limited": HTTPStatus.TOO_MANY_REQUESTS,
    INTERNAL_ERROR: HTTPStatus.INTERNAL_SERVER_ERROR,
    **dict.fromkeys(("busy", "interrupted", "too-many", "journal-unavailable"), HTTPStatus.SERVICE_UNAVAILABLE),
    JournalError.code: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(code: str | None) -> HTTPStatus:
    """The status for a code; 409 for all that a unit refuses, 200 for no error."""
    return HTTPStatus.OK if code is None else _STATUSES.get(code, HTTPStatus.CONFLICT)
