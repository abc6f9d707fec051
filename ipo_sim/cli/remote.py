"""A command's connection to the daemon of a unit: requests and their answers, over MQTT."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from difflib import get_close_matches
from secrets import token_hex
from typing import Any

from ipo_sim.cli.discovery import Target
from ipo_sim.core.model import UnitName
from ipo_sim.errors import BrokerError, CommandRejected
from ipo_sim.mqtt.client import Incoming
from ipo_sim.mqtt.session import Session, Subscribe
from ipo_sim.mqtt.topics import AVAILABILITY, UNIT, Topics, entity_path

Json = dict[str, Any]

# Units that are named to somebody who asks for one that is not there.
MAX_UNITS_NAMED = 10

_QOS_STATE, _QOS_ANSWER = 0, 1
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")


class Remote:
    """Talks to units over one session. BrokerError once the broker is lost."""

    def __init__(self, target: Target) -> None:
        self._topics = Topics(target.settings.prefix)
        self._timeout_s = target.timeout_s
        self._session: Session | None = None
        self._availability: dict[str, bytes] = {}
        self._answers: dict[str, asyncio.Future[Json]] = {}
        self._statuses: dict[str, Json] = {}
        self.listener: Callable[[str, Incoming], None] | None = None

    async def open(self, target: Target) -> None:
        """Connect; BrokerError says what may be wrong."""
        client_id = f"ipo-sim-ctl-{token_hex(4)}"
        try:
            self._session = await Session.open(target.settings, client_id, on_message=self._on_message)
        except BrokerError as error:
            raise BrokerError(f"{error} ({target.hint})") from error

    async def close(self) -> None:
        """Take leave of the broker."""
        if self._session is not None:
            await self._session.close()

    async def lost(self) -> None:
        """Wait until the broker is lost, and raise BrokerError."""
        assert self._session is not None
        await self._session.lost()

    async def request(self, unit: UnitName, verb: str, arguments: Mapping[str, object]) -> Json:
        """The answer of the unit's daemon: its result, or CommandRejected as the daemon, or nobody, said it."""
        reply = self._topics.reply(unit, verb)
        await self._require_online(unit, reply)
        request_id = f"ctl-{token_hex(4)}"
        future = self._answers[request_id] = asyncio.get_running_loop().create_future()
        payload = json.dumps({"id": request_id, **arguments}).encode()
        assert self._session is not None
        await self._session.publish(self._topics.command(unit, verb), payload)
        try:
            answer = await self._before_timeout(future)
        except TimeoutError:
            raise CommandRejected("no-answer", await self._silence(unit)) from None
        if not answer.get("ok"):
            error = answer.get("error", {})
            raise CommandRejected(str(error.get("code")), str(error.get("message")))
        return {name: value for name, value in answer.items() if name not in ("id", "ok")}

    async def follow(self, unit: UnitName, listener: Callable[[str, Incoming], None]) -> None:
        """Call `listener` with the path of everything that the unit says, first with all that is retained."""
        assert self._session is not None
        self.listener = listener
        await self._subscribe(self._topics.entity(unit, "#"), _QOS_ANSWER)
        # Brokers deliver in order: behind the second answer nothing is retained any more.
        await self._subscribe(self._topics.availability(unit), _QOS_STATE)
        if unit not in self._availability:
            raise await self._unknown(unit)

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
        await self._subscribe(self._topics.availability("+"), _QOS_STATE)
        await self._subscribe(self._topics.availability(unit), _QOS_STATE)
        known = sorted(self._availability)
        near = nearest_unit(unit, known)
        if near is not None:
            hint = f"did you mean {near}?"
        elif known:
            hint = f"there are {', '.join(known[:MAX_UNITS_NAMED])}{', ...' if len(known) > MAX_UNITS_NAMED else ''}"
        else:
            hint = f"no unit is known below {self._topics.prefix}/"
        return CommandRejected("unknown-unit", f"there is no unit {unit} on this broker: {hint}")

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
        lost = asyncio.create_task(self.lost(), name="ctl-lost")
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
        if self.listener is not None:
            self.listener(entity_path(rest), message)

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


@asynccontextmanager
async def connected(target: Target) -> AsyncIterator[Remote]:
    """A connection for the time of the block."""
    remote = Remote(target)
    await remote.open(target)
    try:
        yield remote
    finally:
        await remote.close()


def _object(payload: bytes) -> Json:
    """The JSON object in a payload; an empty one for anything else."""
    try:
        value = json.loads(payload)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
