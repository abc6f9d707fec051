"""A service of the daemon out of a function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple


class Named(NamedTuple):
    """A service out of a name and a function that serves."""

    name: str
    serve: Callable[[], Awaitable[None]]

    async def run(self) -> None:
        """Serve until cancelled."""
        await self.serve()
