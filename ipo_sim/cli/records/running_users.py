"""Users of a unit that runs: told, and configured one by one, so that each is licensed or refused by itself."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Sequence
from typing import NamedTuple

from ipo_sim.cli.csv_file import CSV_TIMEOUT_S, Progress
from ipo_sim.cli.discovery import find_broker
from ipo_sim.cli.remote import connected
from ipo_sim.core.model import UnitName, UserDefinition
from ipo_sim.errors import BrokerError, CommandRejected
from ipo_sim.licensing.rows import RowProblem


class Configured(NamedTuple):
    """How many users are in now, those that the unit refused, and why not all have been tried; None: all have."""

    entered: int
    refused: tuple[RowProblem, ...]
    error: BrokerError | None


def running_users(arguments: Namespace) -> tuple[UserDefinition, ...]:
    """The users that the unit has now, in the order in which they came."""
    return asyncio.run(_users(arguments))


def configure_users(arguments: Namespace, users: Sequence[tuple[int, UserDefinition]]) -> Configured:
    """Let the unit have these users, each with the line that it comes from."""
    return asyncio.run(_configure(arguments, users))


async def _users(arguments: Namespace) -> tuple[UserDefinition, ...]:
    arguments.timeout = arguments.timeout or CSV_TIMEOUT_S
    async with connected(find_broker(arguments)) as remote:
        answer = await remote.request(UnitName(arguments.unit), "status", {})
    found = (entity for path, entity in answer["entities"].items() if path.startswith("users/"))
    return tuple(
        UserDefinition(user["name"], user["full_name"], user["extension"], user["profile"], tuple(user["features"]))
        for user in found
    )


async def _configure(arguments: Namespace, users: Sequence[tuple[int, UserDefinition]]) -> Configured:
    """A user that the unit refuses, for want of a licence as a rule, keeps no other one out."""
    unit, progress = UnitName(arguments.unit), Progress(len(users), "users")
    entered, error = 0, None
    refused: list[RowProblem] = []
    try:
        async with connected(find_broker(arguments)) as remote:
            for line, user in users:
                progress.show(entered + len(refused))
                values = {
                    "name": user.name,
                    "full_name": user.full_name,
                    "extension": user.extension,
                    "profile": user.profile,
                    "features": list(user.features),
                }
                try:
                    await remote.request(unit, "configure-user", values)
                except CommandRejected as rejected:
                    refused.append(RowProblem(line, f"{user.name}: {rejected}"))
                else:
                    entered += 1
    except BrokerError as broken:
        error = broken
    finally:
        progress.end()
    return Configured(entered, tuple(refused), error)
