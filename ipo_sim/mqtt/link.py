"""The way of some units to their broker: birth and last will, the latest values, events, commands, and back again."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass

import structlog

from ipo_sim.api.changes import changed
from ipo_sim.api.encoder import Encoder
from ipo_sim.api.paths import cascade_rank
from ipo_sim.core.model import UnitName
from ipo_sim.errors import BrokerError, ConfigError
from ipo_sim.mqtt.backoff import Backoff
from ipo_sim.mqtt.client import Incoming, Will
from ipo_sim.mqtt.commands import Answer, CommandDesk
from ipo_sim.mqtt.readback import Readback
from ipo_sim.mqtt.session import Session, Subscribe
from ipo_sim.mqtt.settings import MqttSettings
from ipo_sim.mqtt.tampering import FAULTS, Tampering
from ipo_sim.mqtt.tls import broker_context
from ipo_sim.mqtt.topics import AVAILABILITY, COMMANDS, Topics, entity_path
from ipo_sim.mqtt.unit_document import unit_document
from ipo_sim.runtime.bus import PIECE, Batch, Bus, Subscription
from ipo_sim.runtime.store import Entry

ONLINE = b"online"
OFFLINE = b"offline"

# Units whose retained set is read back at a time: what they hold is all that piles up here.
UNITS_AT_A_TIME = 16

# A clean stop waits this long for a broker that may have gone too.
FAREWELL_S = 2.0

# A broker that has just started may still be reading its store: where it retained less than there is, it is asked again
# after so long. (The embedded one loads some 10,000 messages a second.)
RECHECK_S = 5.0

# A connection that lasted this long was a good one: the next loss starts with short waits again.
STABLE_S = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a connection is: its client id, the units it serves, and whose availability its last will takes back.

    `owner` is the unit itself on a connection of its own, else the client id.
    """

    client_id: str
    owner: str
    units: tuple[UnitName, ...]


class Link:
    """Keeps the broker in step with the bus for one identity; a broker that is away costs nothing but its absence.

    `synchronised` is set while the broker holds all that the bus does. Nothing queues while the broker is away: of
    each entity the latest value counts, and events are the journal's to tell; `counters` says how many were missed.
    """

    def __init__(
        self,
        identity: Identity,
        settings: MqttSettings,
        bus: Bus,
        encoder: Encoder,
        desk: CommandDesk,
        tampering: Tampering,
        *,
        backoff: Backoff | None = None,
    ) -> None:
        self.identity = identity
        self.synchronised = asyncio.Event()
        self.last_error: str | None = None
        self._settings = settings
        self._topics = Topics(settings.prefix)
        self._units = frozenset(identity.units)
        self._bus = bus
        self._encoder = encoder
        self._desk = desk
        self._tampering = tampering
        self._backoff = backoff or Backoff(identity.client_id)
        self._session: Session | None = None
        self._readback: Readback | None = None
        # Whoever reads back: a fleet is not through when its first units are looked at again.
        self._reading = asyncio.Lock()
        self._doubtful: list[UnitName] = []
        self._doubt = asyncio.Event()
        self._denied: set[UnitName | str] = set()
        self._denial = asyncio.Event()
        self._connects = 0
        self._published = 0
        self._missed = 0
        self._subscription: Subscription | None = None
        # Whoever publishes state; first come, first served.
        self._turn = asyncio.Lock()
        self._log = log.bind(client=identity.client_id)

    def counters(self) -> Mapping[str, int]:
        """What happened on this link since it was made."""
        subscription = self._subscription
        return {
            "connects": self._connects,
            "published": self._published,
            "coalesced": subscription.coalesced if subscription else 0,
            "missed_events": self._missed + (subscription.dropped if subscription else 0),
            "requests": self._desk.received,
            "refused": self._desk.refused,
            "overflowed": self._desk.overflowed,
        }

    async def settle(self) -> None:
        """Publish what waits, and return when the broker has acknowledged all; BrokerError: it is away."""
        session, subscription = self._session, self._subscription
        if session is None or subscription is None:
            raise BrokerError(self.last_error or f"{self.identity.client_id} is not connected")
        await self._publish_waiting(session, subscription)
        await session.drain()

    async def run(self) -> None:
        """Stay connected until cancelled, then say `offline`; ConfigError at once for files that cannot be used."""
        broker_context(self._settings)
        name = self.identity.client_id
        self._subscription = self._bus.subscribe(f"mqtt {name}", units=self._units)
        self._subscription.pause()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._desk.run(self._answer), name=f"mqtt-commands {name}")
                group.create_task(self._stay_connected(self._subscription), name=f"mqtt-connection {name}")
        finally:
            self._subscription.close()

    async def _stay_connected(self, subscription: Subscription) -> None:
        while True:
            try:
                await self._connection(subscription)
            except (BrokerError, ConfigError) as error:
                self._note_loss(error)
            await asyncio.sleep(self._backoff.next())

    def _note_loss(self, error: BaseException) -> None:
        """The first failure is news, its repetitions are not."""
        text = str(error)
        note = self._log.debug if text == self.last_error else self._log.warning
        note("mqtt_unavailable", error=text)
        self.last_error = text

    async def _connection(self, subscription: Subscription) -> None:
        """One connection from beginning to end; BrokerError when it is lost."""
        owner = self.identity.owner
        session = await Session.open(
            self._settings,
            self.identity.client_id,
            on_message=self._on_message,
            will=Will(self._topics.availability(owner), OFFLINE),
        )
        loop = asyncio.get_running_loop()
        since = loop.time()
        try:
            await _until_one_fails(
                loss=session.lost(),
                contradict=self._contradict(session),
                recheck=self._recheck(session),
                serve=self._serve(session, subscription),
                late=self._tampering.run(session),
            )
        except asyncio.CancelledError:
            await self._say_goodbye(session, subscription)
            raise
        finally:
            self._session = None
            subscription.pause()
            self.synchronised.clear()
            if loop.time() - since > STABLE_S:
                self._backoff.reset()
            await session.close()

    async def _serve(self, session: Session, subscription: Subscription) -> None:
        self._connects += 1
        self._doubtful.clear()
        units = self.identity.units
        async with self._turn:
            # In turn already: what others have to say over this session goes behind the whole store.
            self._session = session
            await self._listen(session)
            if self.identity.owner not in self._units:
                await session.publish(self._topics.availability(self.identity.owner), ONLINE, retain=True)
            for start in range(0, len(units), UNITS_AT_A_TIME):
                some = units[start : start + UNITS_AT_A_TIME]
                subscription.resume(some)
                await self._resynchronise(session, some)
        for unit in units:
            # No name for it: what this frame names would stay as long as the connection.
            await session.publish(self._topics.schema(unit), unit_document(self._settings.prefix, unit), retain=True)
        await session.drain()
        self._log.info("mqtt_connected", broker=str(self._settings.endpoint()), units=len(units))
        self.last_error = None
        self.synchronised.set()
        while True:
            await subscription.waiting()
            async with self._turn:
                await self._publish_batch(session, subscription.take(PIECE))

    async def _listen(self, session: Session) -> None:
        """Commands, and what others may say about our availability."""
        owners = list(self.identity.units) if self.identity.owner in self._units else ["+"]
        filters = [Subscribe(self._topics.command(owner, "+"), 1) for owner in owners]
        filters += [Subscribe(self._topics.availability(owner), 0) for owner in owners]
        for wanted, granted in zip(filters, await session.subscribe(filters), strict=True):
            if not granted:
                self._log.warning("mqtt_subscription_refused", topic=wanted.topic)

    async def _resynchronise(self, session: Session, units: Sequence[UnitName]) -> None:
        """Birth, the whole latest store, and nothing retained that exists no longer."""
        readback = await self._read_back(session, units)
        for unit in units:
            await self._publish_store(session, unit)
        await self._clear(session, readback)
        if not readback.covers(units):
            self._doubtful += units
            self._doubt.set()

    async def _recheck(self, session: Session) -> None:
        """Clear what a broker only remembers later, until it remembers nothing more."""
        while True:
            await self._doubt.wait()
            await asyncio.sleep(RECHECK_S)
            self._doubt.clear()
            units, self._doubtful = self._doubtful, []
            for start in range(0, len(units), UNITS_AT_A_TIME):
                part = units[start : start + UNITS_AT_A_TIME]
                readback = await self._read_back(session, part)
                await self._clear(session, readback)
                if readback.stale:
                    self._doubtful += part
                    self._doubt.set()

    async def _read_back(self, session: Session, units: Sequence[UnitName]) -> Readback:
        """What is retained of these units. Their births mark its end, so they are said."""
        groups = [topic for unit in units for topic in self._topics.groups(unit)]
        async with self._reading:
            readback = self._readback = Readback(self._bus, units[-1])
            await session.subscribe([Subscribe(topic, 0) for topic in groups])
            for unit in units:
                await session.publish(self._topics.availability(unit), ONLINE, retain=True)
            if not await readback.wait():
                self._log.warning("mqtt_readback_incomplete", units=len(units))
            self._readback = None
        session.unsubscribe(groups)
        return readback

    async def _clear(self, session: Session, readback: Readback) -> None:
        for unit, path in readback.stale:
            if path not in self._bus.latest(unit):
                await session.publish(self._topics.entity(unit, path), b"", retain=True)
                self._published += 1

    async def _publish_store(self, session: Session, unit: UnitName) -> None:
        latest = self._bus.latest(unit)
        for path, known in latest.items():
            self._tampering.look(unit, path, known.value)
        for path in sorted(latest, key=cascade_rank):
            if (entry := latest.get(path)) is not None:
                await self._publish_entity(session, unit, path, entry)

    async def _publish_entity(self, session: Session, unit: UnitName, path: str, entry: Entry) -> None:
        topic, payload = self._topics.entity(unit, path), self._encoder.entity(unit, entry)
        if path.startswith(FAULTS):
            await session.publish(topic, payload, retain=True)
        else:
            await self._tampering.publish(session, unit, topic, payload, entry.seq, retain=True)
        self._published += 1

    async def _publish_waiting(self, session: Session, subscription: Subscription) -> None:
        """Returns when all that waits is on its way, whoever has taken it: nobody takes but in turn."""
        pieces = subscription.pieces()
        while True:
            async with self._turn:
                if (batch := next(pieces, None)) is None:
                    return
                await self._publish_batch(session, batch)

    async def _publish_batch(self, session: Session, batch: Batch) -> None:
        """Entities in the order of their last change, then what happened."""
        unsaid = len(batch.records)
        mended: set[UnitName] = set()
        try:
            for (unit, path), entry in changed(self._bus, batch).items():
                if self._tampering.look(unit, path, entry.value):
                    mended.add(unit)
                await self._publish_entity(session, unit, path, entry)
            for record in batch.records:
                topic, payload = self._topics.events(record.unit), self._encoder.event(record)
                await self._tampering.publish(session, record.unit, topic, payload, record.effects.seq)
                self._published += 1
                unsaid -= 1
            for unit in mended:
                await self._publish_store(session, unit)
        finally:
            self._missed += unsaid

    async def _contradict(self, session: Session) -> None:
        """Take back an `offline` that is not ours: the late last will of a connection that was lost before."""
        while True:
            await self._denial.wait()
            self._denial.clear()
            while self._denied:
                await session.publish(self._topics.availability(self._denied.pop()), ONLINE, retain=True)

    async def _say_goodbye(self, session: Session, subscription: Subscription) -> None:
        try:
            async with asyncio.timeout(FAREWELL_S):
                await self._publish_waiting(session, subscription)
                for owner in dict.fromkeys((*self.identity.units, self.identity.owner)):
                    await session.publish(self._topics.availability(owner), OFFLINE, retain=True)
                await session.drain()
        except (BrokerError, TimeoutError) as error:
            self._log.warning("mqtt_farewell_failed", error=str(error) or "timeout")

    async def _answer(self, answer: Answer) -> None:
        """An answer goes behind the state that its request changed: who has it finds that in place.

        One that finds no connection is lost; the sender that repeats its id gets it then.
        """
        session, subscription = self._session, self._subscription
        if session is None or subscription is None:
            return
        try:
            await self._publish_waiting(session, subscription)
            await session.publish(answer.topic, answer.payload, correlation=answer.correlation)
        except BrokerError as error:
            self._log.debug("mqtt_answer_lost", topic=answer.topic, error=str(error))

    def _on_message(self, message: Incoming) -> None:
        address = self._topics.parse(message.topic)
        if address is None:
            return
        owner, rest = address
        if rest == AVAILABILITY:
            self._on_availability(owner, message)
        elif owner not in self._units:
            return
        elif rest.startswith(f"{COMMANDS}/"):
            self._desk.receive(owner, rest, message)
        elif message.retained and self._readback is not None:
            self._readback.retained(owner, entity_path(rest))

    def _on_availability(self, owner: UnitName, message: Incoming) -> None:
        if message.retained or (owner not in self._units and owner != self.identity.owner):
            return
        if message.payload == ONLINE and self._readback is not None:
            self._readback.birth(owner)
        elif message.payload == OFFLINE:
            self._denied.add(owner)
            self._denial.set()


async def _until_one_fails(**jobs: Coroutine[object, object, None]) -> None:
    """Run the jobs side by side; the first that ends ends all, and its error is raised.

    Not a task group: up to Python 3.12 one that fails while it is cancelled forgets the cancellation.
    """
    tasks = [asyncio.create_task(job, name=f"mqtt-{name}") for name, job in jobs.items()]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
