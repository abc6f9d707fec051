"""Injected faults of messages: late, twice, not at all, or cut short, by a chance that can be repeated."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

from ipo_sim.api.answers import Execute
from ipo_sim.core.chance import happens
from ipo_sim.core.model import SECOND_NS, Entity, InjectedFault, UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.mqtt.session import Session

FAULTS = "faults/"
TARGET = "mqtt"
# Messages that are held back at once: some minutes of a full unit's cascades.
MAX_LATE = 10_000

# When it is due, by the event loop's clock, a number that keeps the order, then the message.
_Late = tuple[float, int, str, bytes, bool]


class Tampering:
    """Stands between a link and its session. Messages of the faults themselves, births and answers are left alone."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._faults: dict[UnitName, dict[str, InjectedFault]] = {}
        self._struck: Counter[tuple[UnitName, str, int]] = Counter()
        self._late: list[_Late] = []
        self._number = 0
        self._wake = asyncio.Event()

    def look(self, unit: UnitName, path: str, value: Entity | None) -> bool:
        """Take notice of an entity; True: a fault of messages is over, and what it did can be put right."""
        if not path.startswith(FAULTS):
            return False
        known = self._faults.setdefault(unit, {})
        if isinstance(value, InjectedFault):
            if value.target == TARGET and value.begun:
                known[value.id] = value
            return False
        was = known.pop(path.removeprefix(FAULTS), None)
        if not known:
            del self._faults[unit]
        return was is not None

    async def publish(
        self, session: Session, unit: UnitName, topic: str, payload: bytes, seq: int, *, retain: bool = False
    ) -> None:
        """Publish a message of event `seq`, or what the unit's faults leave of it."""
        copies = 1
        # A copy: whoever clears a fault that has struck often enough changes the original.
        for fault in tuple(self._faults.get(unit, {}).values()):
            if not self._strikes(unit, fault, topic, seq):
                continue
            if fault.fault == "mqtt-malformed":
                payload = payload[: len(payload) // 2]
            elif fault.fault == "mqtt-duplicated":
                copies += 1
            else:
                copies = 0
            if fault.fault == "mqtt-late":
                self._hold_back(fault, topic, payload, retain=retain)
            await self._clear_if_spent(unit, fault)
        for _ in range(copies):
            await session.publish(topic, payload, retain=retain)

    async def run(self, session: Session) -> None:
        """Publish what was held back, each message at its time; what is held back when the session ends is lost."""
        self._late.clear()
        loop = asyncio.get_running_loop()
        while True:
            wait_s = self._late[0][0] - loop.time() if self._late else None
            if wait_s is not None and wait_s <= 0:
                _, _, topic, payload, retain = heapq.heappop(self._late)
                await session.publish(topic, payload, retain=retain)
                continue
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    def _strikes(self, unit: UnitName, fault: InjectedFault, topic: str, seq: int) -> bool:
        """By topic and event: however messages are gathered on their way, the same ones are struck."""
        key = (unit, fault.id, fault.seq)
        if fault.clear_after is not None and self._struck[key] >= fault.clear_after:
            return False
        if not happens(fault.seed, f"{fault.id} {topic}", seq, fault.probability):
            return False
        self._struck[key] += 1
        return True

    def _hold_back(self, fault: InjectedFault, topic: str, payload: bytes, *, retain: bool) -> None:
        if len(self._late) >= MAX_LATE:
            return
        due = asyncio.get_running_loop().time() + fault.number("delay") / SECOND_NS
        self._number += 1
        heapq.heappush(self._late, (due, self._number, topic, payload, retain))
        self._wake.set()

    async def _clear_if_spent(self, unit: UnitName, fault: InjectedFault) -> None:
        if fault.clear_after is not None and self._struck[unit, fault.id, fault.seq] >= fault.clear_after:
            with suppress(CommandRejected):  # somebody else was quicker, or the daemon is stopping
                await self._execute(unit, "clear-fault", {"fault": fault.id})


# The words of the AsyncAPI document for what each fault does.
FLAGS: Mapping[str, str] = {
    "mqtt-late": "late",
    "mqtt-duplicated": "duplicated",
    "mqtt-lost": "lost",
    "mqtt-malformed": "malformed",
}
