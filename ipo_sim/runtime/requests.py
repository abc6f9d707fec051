"""Requests with an id: the same one twice is carried out once and answered alike."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, NamedTuple

from ipo_sim.core.model import UnitName
from ipo_sim.errors import CommandRejected

# Answers of changing commands are some hundred bytes each; a client that repeats does so within its last few requests.
MAX_ANSWERS = 1_000
MAX_ID_CHARACTERS = 128
MAX_REQUEST_CHARACTERS = 1_000

Answer = dict[str, Any]


class _Known(NamedTuple):
    request: str
    outcome: asyncio.Future[Answer | CommandRejected]


class Requests:
    """Remembers the last MAX_ANSWERS answers by unit and id; a refusal that is only temporary is not remembered."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[UnitName, str], _Known] = OrderedDict()

    async def once(self, unit: UnitName, request_id: str, request: str, run: Callable[[], Awaitable[Answer]]) -> Answer:
        """What `run` answers, or answered the first time; `request` tells what is asked for.

        CommandRejected of `run`, or `stale-id` when that id stood for another request.
        """
        if not 0 < len(request_id) <= MAX_ID_CHARACTERS or not request_id.isprintable():
            raise CommandRejected("bad-id", f"an id has 1 to {MAX_ID_CHARACTERS} printable characters")
        key = (unit, request_id)
        # Of a long one, such as 5,000 licence keys, it is enough to know it again.
        if len(request) > MAX_REQUEST_CHARACTERS:
            digest = sha256(request.encode(errors="replace")).hexdigest()
            request = f"{request[:MAX_REQUEST_CHARACTERS]}... (sha256 {digest})"
        known = self._known.get(key)
        if known is None:
            outcome = await self._run(key, request, run)
        elif known.request == request:
            outcome = await asyncio.shield(known.outcome)
        else:
            raise CommandRejected("stale-id", f"id {request_id} stands for another request: {known.request}")
        if isinstance(outcome, CommandRejected):
            raise outcome
        return outcome

    async def _run(
        self, key: tuple[UnitName, str], request: str, run: Callable[[], Awaitable[Answer]]
    ) -> Answer | CommandRejected:
        future: asyncio.Future[Answer | CommandRejected] = asyncio.get_running_loop().create_future()
        self._known[key] = _Known(request, future)
        if len(self._known) > MAX_ANSWERS:
            self._known.popitem(last=False)
        outcome: Answer | CommandRejected = CommandRejected("interrupted", "the request was given up", temporary=True)
        try:
            outcome = await run()
        except CommandRejected as error:
            outcome = error
        finally:
            if isinstance(outcome, CommandRejected) and outcome.temporary:
                self._known.pop(key, None)
            future.set_result(outcome)
        return outcome
