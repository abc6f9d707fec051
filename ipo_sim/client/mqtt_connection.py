"""One connection to the daemons of units: requests and their answers, and what units say by themselves, over MQTT."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from secrets import token_hex
from typing import Any

from ipo_sim.api.paths import UNIT
from ipo_sim.client.catch_up import CatchUp
from ipo_sim.client.connection import Json, Listener
from ipo_sim.core.model import UnitName
from ipo_sim.errors import BrokerError, CommandRejected
from ipo_sim.mqtt.client import Incoming
from ipo_sim.mqtt.session import Session, Subscribe
from ipo_sim.mqtt.settings import MqttSettings
from ipo_sim.mqtt.topics import AVAILABILITY, Topics, entity_path

# Units that are named to somebody who asks for one that is not there.
MAX_UNITS_NAMED = 10

_QOS_STATE, _QOS_ANSWER = 0, 1
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")


class MqttConnection:
    """See `Connection`; talks to units over one session."""

    def __init__(self, settings: MqttSettings, timeout_s: float, *, program: str = "client") -> None:
        self._settings = settings
        self._topics = Topics(settings.prefix)
        self._timeout_s = timeout_s
        self._program = program
        self._session: Session | None = None
        self._availability: dict[str, bytes] = {}
        self._answers: dict[str, asyncio.Future[Json]] = {}
        self._statuses: dict[str, Json] = {}
        self._listeners: dict[str, Listener] = {}
        # Those whose following begins.
        self._beginning: dict[str, CatchUp] = {}

    async def open(self, hint: str = "") -> None:
        """Connect; BrokerError says what may be wrong."""
        client_id = f"ipo-sim-{self._program}-{token_hex(4)}"
        try:
            self._session = await Session.open(self._settings, client_id, on_message=self._on_message)
        except BrokerError as error:
            raise BrokerError(f"{error} ({hint})" if hint else str(error)) from error

    async def close(self) -> None:
        """Take leave of the broker."""
        if self._session is not None:
            await self._session.close()

    async def lost(self) -> None:
        """Wait until the broker is lost, and raise BrokerError."""
        assert self._session is not None
        await self._session.lost()

    async def request(
        self, unit: UnitName, verb: str, arguments: Mapping[str, object], request_id: str | None = None
    ) -> Json:
        """The answer of the unit's daemon: its result, or CommandRejected as the daemon, or nobody, said it.

        The same `request_id` again, after a lost connection, is carried out once.
        """
        reply = self._topics.reply(unit, verb)
        await self._require_online(unit, reply)
        request_id = request_id or self.new_id()
        future = self._answers[request_id] = asyncio.get_running_loop().create_future()
        payload = json.dumps({"id": request_id, **arguments}).encode()
        assert self._session is not None
        await self._session.publish(self._topics.command(unit, verb), payload)
        try:
            answer = await self._before_timeout(future)
        except TimeoutError:
            raise CommandRejected("no-answer", await self._silence(unit)) from None
        finally:
            del self._answers[request_id]
        if not answer.get("ok"):
            error = answer.get("error", {})
            raise CommandRejected(str(error.get("code")), str(error.get("message")))
        return {name: value for name, value in answer.items() if name not in ("id", "ok")}

    def new_id(self) -> str:
        """An id for a request."""
        return f"{self._program}-{token_hex(4)}"

    async def units(self) -> dict[str, bool]:
        """All units below the prefix, and whether their daemons are online."""
        await self._subscribe(self._topics.entity(UnitName("+"), UNIT), _QOS_STATE)
        known = await self._available()
        return {name: name in known and self._is_online(name) for name in sorted(self._statuses)}

    async def follow(self, unit: UnitName, listener: Listener) -> None:
        """Call `listener` with the path of everything that the unit says, first with all that is retained.

        CommandRejected `unknown-unit`: nothing is retained of it; it is listened to all the same.
        """
        catch_up = self._beginning[unit] = CatchUp(listener)
        try:
            await self._all_retained(unit)
            catch_up.begin_again()
            await self._all_retained(unit)
            catch_up.finish()
        finally:
            del self._beginning[unit]
            self._listeners[unit] = listener
        if unit not in self._availability:
            raise await self._unknown(unit)

    async def _all_retained(self, unit: UnitName) -> None:
        """Hear all that is retained of the unit, and what comes from here on, in one round trip."""
        # At QoS 0 brokers deliver in order: behind the second answer nothing is retained any more. At QoS 1 they hold
        # back what exceeds their window, and a state would come behind the answer to the request that made it.
        filters = self._topics.entity(unit, "#"), self._topics.availability(unit)
        asked = (self._subscribe(topic, _QOS_STATE) for topic in filters)
        for failure in await asyncio.gather(*asked, return_exceptions=True):
            if failure is not None:
                raise failure

    async def _require_online(self, unit: UnitName, reply: str) -> None:
        await self._subscribe(self._topics.availability(unit), _QOS_STATE)
        # Brokers deliver in order: once this is answered, the availability has come if there is any.
        await self._subscribe(reply, _QOS_ANSWER)
        availability = self._availability.get(unit)
        if availability is None:
            raise await self._unknown(unit)
        if availability != b"online":
            raise CommandRejected("offline", f"unit {unit} is offline: its daemon does not run, or has lost the broker")

    async def _unknown(self, unit: UnitName) -> CommandRejected:
        known = sorted(await self._available())
        near = nearest_unit(unit, known)
        if near is not None:
            hint = f"did you mean {near}?"
        elif known:
            hint = f"there are {', '.join(known[:MAX_UNITS_NAMED])}{', ...' if len(known) > MAX_UNITS_NAMED else ''}"
        else:
            hint = f"no unit is known below {self._topics.prefix}/"
        return CommandRejected("unknown-unit", f"there is no unit {unit} on this broker: {hint}")

    async def _available(self) -> set[str]:
        """All that have an availability below the prefix: units, and daemons on shared connections."""
        await self._subscribe(self._topics.availability("+"), _QOS_STATE)
        # Brokers deliver in order: behind the second answer nothing is retained any more.
        await self._subscribe(self._topics.availability("+"), _QOS_STATE)
        return {name for name, said in self._availability.items() if said}

    def _is_online(self, unit: str) -> bool:
        daemon = self._statuses.get(unit, {}).get("daemon") or unit
        return self._availability.get(unit) == self._availability.get(daemon) == b"online"

    async def _silence(self, unit: UnitName) -> str:
        """Why an answer may be missing: on a shared connection the daemon has an availability of its own."""
        await self._subscribe(self._topics.entity(unit, UNIT), _QOS_STATE)
        await self._subscribe(self._topics.availability(unit), _QOS_STATE)
        daemon = self._statuses.get(unit, {}).get("daemon")
        if daemon:
            await self._subscribe(self._topics.availability(daemon), _QOS_STATE)
            await self._subscribe(self._topics.availability(unit), _QOS_STATE)
            if self._availability.get(daemon) == b"offline":
                return f"unit {unit} does not answer: its daemon {daemon} is offline"
        return f"unit {unit} does not answer within {self._timeout_s:g} s"

    async def _subscribe(self, topic: str, qos: int) -> None:
        assert self._session is not None
        (granted,) = await self._session.subscribe([Subscribe(topic, qos)])
        if not granted:
            raise BrokerError(f"the broker does not let us listen to {topic}")

    async def _before_timeout(self, future: asyncio.Future[Json]) -> Json:
        """The answer, unless the broker is lost or the time is over first."""
        lost = asyncio.create_task(self.lost(), name="client-lost")
        try:
            async with asyncio.timeout(self._timeout_s):
                ends: set[asyncio.Future[Any]] = {future, lost}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if lost.done():
                await lost
            return future.result()
        finally:
            lost.cancel()
            await asyncio.gather(lost, return_exceptions=True)

    def _on_message(self, message: Incoming) -> None:
        address = self._topics.parse(message.topic)
        if address is None:
            return
        owner, rest = address
        if rest == AVAILABILITY:
            self._availability[owner] = message.payload
        elif rest.endswith("/reply"):
            self._take_answer(message.payload)
        elif rest == UNIT:
            self._statuses[owner] = _object(message.payload)
        if (catch_up := self._beginning.get(owner)) is not None:
            catch_up.take(entity_path(rest), message.payload, retained=message.retained)
        elif (listener := self._listeners.get(owner)) is not None:
            listener(entity_path(rest), message.payload)

    def _take_answer(self, payload: bytes) -> None:
        answer = _object(payload)
        future = self._answers.get(str(answer.get("id")))
        if future is not None and not future.done():
            future.set_result(answer)


def nearest_unit(name: str, known: Sequence[str]) -> str | None:
    """The unit that is probably meant: the one with the same number, else the one written most alike."""
    bare = _LEADING_ZEROS.sub("", name)
    same = next((other for other in known if _LEADING_ZEROS.sub("", other) == bare), None)
    return same or next(iter(get_close_matches(name, known, n=1)), None)


def _object(payload: bytes) -> Json:
    """The JSON object in a payload; an empty one for anything else."""
    try:
        value = json.loads(payload)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
