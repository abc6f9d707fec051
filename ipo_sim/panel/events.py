"""What a stream of server-sent events says: a unit as it is, then all that happens to it, as MQTT would tell it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic_core import to_json

from ipo_sim.api.changes import changed
from ipo_sim.api.encoder import Encoder
from ipo_sim.api.paths import cascade_rank
from ipo_sim.api.streams import ANSWER, END, ENTITY, EVENT, MISSED, SYNCHRONISED
from ipo_sim.core.model import UnitName
from ipo_sim.panel.frames import STILL_HERE, frame
from ipo_sim.panel.history import History, Missed
from ipo_sim.runtime.bus import Batch, Bus, Record
from ipo_sim.runtime.store import Entry

# Silence after which a stream says that it is still here: proxies give a connection up after 30 s and more.
HEARTBEAT_S = 15.0
# Answers that a reader who does not read may be told later; beyond them the first are forgotten.
MAX_ANSWERS = 100


class Wanted(NamedTuple):
    """What a stream is to tell: of which units, entities, events, or both, and events from `since` on (one unit)."""

    units: Sequence[UnitName]
    entities: bool = True
    events: bool = True
    since: int | None = None


class Source(NamedTuple):
    """What streams are made of; `seq_of` tells a unit's last event."""

    bus: Bus
    encoder: Encoder
    history: History


class EventStream:
    """One reader's stream, from now until `end` or until nobody reads on; `close` it in any case."""

    def __init__(self, source: Source, wanted: Wanted, seqs: dict[UnitName, int]) -> None:
        self._source = source
        self._wanted = wanted
        self._seqs = seqs
        self._units = frozenset(wanted.units)
        self._numbered = len(wanted.units) == 1
        self._subscription = source.bus.subscribe("http stream", units=self._units)
        self._dropped = 0
        self._answers: list[bytes] = []
        self._ended = False

    def answered(self, unit: UnitName, answer: object) -> None:
        """Tell of an answer, behind all that happened before it."""
        if unit in self._units and len(self._answers) < MAX_ANSWERS:
            self._answers.append(frame(ANSWER, to_json(answer)))
            self._subscription.wake()

    def end(self) -> None:
        """Say the last word after what waits."""
        self._ended = True
        self._subscription.wake()

    def close(self) -> None:
        """Leave the bus."""
        self._subscription.close()

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Pieces of the stream, each whole events; of a unit all that is there, then the changes as they come."""
        async for piece in self._beginning():
            yield piece
        while not self._ended:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    batch = await self._subscription.next()
            except TimeoutError:
                yield STILL_HERE
                continue
            answers, self._answers = self._answers, []
            piece = b"".join((*self._told(batch), *answers))
            if piece:
                yield piece
        yield frame(END, b"{}")

    async def _beginning(self) -> AsyncGenerator[bytes, None]:
        wanted, (bus, _, history) = self._wanted, self._source
        for unit, seq in self._seqs.items():
            pieces = []
            latest = bus.latest(unit)
            if wanted.entities:
                pieces = [self._entity(unit, path, latest[path]) for path in sorted(latest, key=cascade_rank)]
            if wanted.events and wanted.since is not None:
                pieces += self._missed(unit, history.since(unit, wanted.since, seq))
            paths = {"paths": list(latest)} if wanted.entities else {}
            number = seq if self._numbered else None
            pieces.append(frame(SYNCHRONISED, to_json({"unit": unit, "seq": seq, **paths}), number))
            yield b"".join(pieces)
            # Between two units of a fleet others have their turn.
            await asyncio.sleep(0)

    def _missed(self, unit: UnitName, missed: Missed) -> Iterator[bytes]:
        if not missed.complete:
            yield self._gap(unit, {} if missed.first is None else {"from": missed.first, "to": missed.last})
        for record in missed.records:
            yield self._event(record)

    def _told(self, batch: Batch) -> Iterator[bytes]:
        if self._wanted.entities:
            for (unit, path), entry in changed(self._source.bus, batch).items():
                yield self._entity(unit, path, entry)
        if self._wanted.events:
            if self._subscription.dropped > self._dropped:
                self._dropped = self._subscription.dropped
                yield self._gap(self._wanted.units[0] if self._numbered else None)
            for record in batch.records:
                yield self._event(record)

    def _gap(self, unit: UnitName | None, numbers: Mapping[str, int | None] | None = None) -> bytes:
        return frame(MISSED, to_json({} if unit is None else {"unit": unit, **(numbers or {})}))

    def _entity(self, unit: UnitName, path: str, entry: Entry) -> bytes:
        payload = self._source.encoder.entity(unit, entry) or b"null"
        return frame(ENTITY, b'{"unit":%s,"path":%s,"entity":%s}' % (to_json(unit), to_json(path), payload))

    def _event(self, record: Record) -> bytes:
        return frame(EVENT, self._source.encoder.event(record), record.effects.seq if self._numbered else None)
