"""Who may come in: pure rules over the headers of a request."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from ipo_sim.errors import CommandRejected
from ipo_sim.panel.settings import is_loopback

_BEARER = "bearer "

UNAUTHORIZED = "unauthorized"
WRONG_HOST = "wrong-host"
WRONG_ORIGIN = "wrong-origin"


def admit(headers: Mapping[str, str], token: str | None) -> None:
    """CommandRejected for a request that is not to be looked at."""
    host = headers.get("Host", "")
    if token is None:
        _require_loopback(host)
    elif not _has_token(headers.get("Authorization", ""), token):
        raise CommandRejected(UNAUTHORIZED, "a token is wanted: `Authorization: Bearer TOKEN`, as in the token_file")
    origin = headers.get("Origin")
    # Browsers name the page that asks: one of somebody else's shall not steer units on its reader's machine.
    if origin is not None and urlsplit(origin).netloc != host:
        raise CommandRejected(WRONG_ORIGIN, f"a page of {origin[:100]} has no business here")


def _require_loopback(host: str) -> None:
    """Against DNS rebinding: a page whose name has come to mean this machine still asks under its own name."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        name = ""
    if not is_loopback(name):
        raise CommandRejected(WRONG_HOST, f"without a token this is reached as localhost, not as {host[:100]!r}")


def _has_token(authorization: str, token: str) -> bool:
    if not authorization.lower().startswith(_BEARER):
        return False
    # In a time that does not tell how much of it is right.
    return hmac.compare_digest(authorization[len(_BEARER) :].strip().encode(errors="replace"), token.encode())
