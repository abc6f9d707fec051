"""The client library: `AsyncClient` and `Client`, for tests that talk to a daemon; loaded when they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipo_sim.client.asynchronous import AsyncClient, AsyncUnit
    from ipo_sim.client.synchronous import Client, Unit

__all__ = ["AsyncClient", "AsyncUnit", "Client", "Unit"]

_HOMES = {
    "AsyncClient": "ipo_sim.client.asynchronous",
    "AsyncUnit": "ipo_sim.client.asynchronous",
    "Client": "ipo_sim.client.synchronous",
    "Unit": "ipo_sim.client.synchronous",
}


def __getattr__(name: str) -> object:
    """Other modules of this room are for who needs one connection and no entities."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - with what it is for

    return getattr(import_module(_HOMES[name]), name)
