"""What a unit says of itself, taken in: how each of its entities stands."""

from __future__ import annotations

import asyncio
import json
from argparse import Namespace
from typing import Any

from ipo_sim.cli.discovery import Target, find_broker
from ipo_sim.cli.remote import connected
from ipo_sim.client.connection import Listener
from ipo_sim.core.model import UnitName
from ipo_sim.mqtt.topics import AVAILABILITY, COMMANDS, EVENTS, SCHEMA

# Not entities: what happens, what is asked, what topics look like.
_OTHERS = (EVENTS, SCHEMA)


class Heard:
    """What a unit has said last of each of its entities."""

    def __init__(self) -> None:
        self.entities: dict[str, Any] = {}

    def take(self, path: str, payload: bytes) -> None:
        """One message."""
        if path.startswith(f"{COMMANDS}/") or path in _OTHERS:
            return
        before, after = self.entities.get(path), _value(path, payload)
        if after is None:
            self.entities.pop(path, None)
        else:
            self.entities[path] = after
        self.heard(path, before, after)

    def heard(self, path: str, before: Any, after: Any) -> None:  # noqa: ANN401 - a JSON value
        """What became of an entity; nothing is done about it here."""


def retained(arguments: Namespace) -> dict[str, Any]:
    """How the unit stands, by what its broker retains; CommandRejected when no such unit is known, BrokerError."""
    heard = Heard()
    asyncio.run(_listen(find_broker(arguments), UnitName(arguments.unit), heard.take))
    return heard.entities


async def _listen(target: Target, unit: UnitName, listener: Listener) -> None:
    async with connected(target) as remote:
        await remote.follow(unit, listener)


def _value(path: str, payload: bytes) -> Any:  # noqa: ANN401 - a JSON value
    """What a payload says; None: the entity is withdrawn."""
    if not payload:
        return None
    if path == AVAILABILITY:
        return payload.decode(errors="replace")
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode(errors="replace")
