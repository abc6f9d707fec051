"""A connection to a daemon over HTTP: requests and their answers, and a stream for each unit that is followed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from secrets import token_hex
from typing import TYPE_CHECKING
from urllib.parse import quote

import aiohttp

from ipo_sim.api.streams import ANSWER, END, ENTITY, EVENT, SYNCHRONISED
from ipo_sim.client.connection import HttpAddress, Json, Listener
from ipo_sim.client.event_stream import EventParser, StreamedEvent
from ipo_sim.core.model import UnitName
from ipo_sim.errors import BrokerError, CommandRejected, PayloadError
from ipo_sim.mqtt.tls import tls_context

if TYPE_CHECKING:
    import ssl

# Silence after which a stream is lost: daemons say something every 15 s.
SILENCE_S = 60.0

_AVAILABILITY, _EVENTS = "availability", "events"
_LOST = (aiohttp.ClientError, TimeoutError, OSError, PayloadError)


class HttpConnection:
    """See `Connection`. A daemon over HTTP has its units online as long as it is there."""

    def __init__(self, address: HttpAddress, timeout_s: float, *, program: str = "client") -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._program = program
        self._session: aiohttp.ClientSession | None = None
        self._streams: dict[str, asyncio.Task[None]] = {}
        self._done: dict[str, asyncio.Event] = {}
        self._why_lost = ""
        self._lost = asyncio.Event()

    async def open(self, hint: str = "") -> None:
        """Look whether the daemon is there and lets us in."""
        headers = {} if self._address.token is None else {"Authorization": f"Bearer {self._address.token}"}
        # As many connections as there are units to follow.
        connector = aiohttp.TCPConnector(limit=0, ssl=self._ssl())
        self._session = aiohttp.ClientSession(connector=connector, headers=headers)
        try:
            await self._greet(hint)
        except BaseException:
            await self.close()
            raise

    async def _greet(self, hint: str) -> None:
        try:
            await self._ask("GET", "/")
        except TimeoutError:
            error = BrokerError(f"{self._address}: no answer within {self._timeout_s:g} s")
        except BrokerError as refused:
            error = refused
        else:
            return
        raise BrokerError(f"{error} ({hint})" if hint else str(error))

    async def close(self) -> None:
        """End the streams, and take leave."""
        for stream in self._streams.values():
            stream.cancel()
        await asyncio.gather(*self._streams.values(), return_exceptions=True)
        self._streams.clear()
        if self._session is not None:
            await self._session.close()
            # The transports are closed in the next turn of the loop.
            await asyncio.sleep(0)

    async def lost(self) -> None:
        """Wait until the daemon is lost, and raise BrokerError."""
        await self._lost.wait()
        raise BrokerError(self._why_lost)

    def new_id(self) -> str:
        """An id for a request."""
        return f"{self._program}-{token_hex(4)}"

    async def request(
        self, unit: UnitName, verb: str, arguments: Mapping[str, object], request_id: str | None = None
    ) -> Json:
        """See `Connection.request`."""
        request_id = request_id or self.new_id()
        done = self._done[request_id] = asyncio.Event()
        try:
            body = {"id": request_id, **arguments}
            answer = await self._ask("POST", f"/units/{quote(unit, safe='')}/commands/{quote(verb, safe='')}", body)
            if unit in self._streams and not self._lost.is_set():
                # What the command changed stands on the stream before this.
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._timeout_s):
                        await done.wait()
        except TimeoutError:
            raise CommandRejected("no-answer", f"unit {unit} does not answer within {self._timeout_s:g} s") from None
        finally:
            del self._done[request_id]
        return {name: value for name, value in answer.items() if name not in ("id", "ok")}

    async def units(self) -> dict[str, bool]:
        """All units of the daemon, which is there."""
        names: list[str] = []
        page: Json = {"next": ""}
        while page["next"] is not None:
            page = await self._ask("GET", f"/units?after={quote(page['next'], safe='')}")
            names += page["units"]
        return dict.fromkeys(sorted(names), True)

    async def follow(self, unit: UnitName, listener: Listener) -> None:
        """See `Connection.follow`."""
        synchronised = asyncio.Event()
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._response("GET", f"/units/{quote(unit, safe='')}/events", limits=_ENDLESS)
                listener(_AVAILABILITY, b"online")
                reading = self._read(response, listener, synchronised)
                self._streams[unit] = asyncio.create_task(reading, name=f"client-stream {unit}")
                await synchronised.wait()
        except TimeoutError:
            raise BrokerError(f"{self._address}: unit {unit} was not told within {self._timeout_s:g} s") from None
        if self._lost.is_set():
            raise BrokerError(self._why_lost)

    async def _read(self, response: aiohttp.ClientResponse, listener: Listener, synchronised: asyncio.Event) -> None:
        """Read a stream to its end, which is the daemon's."""
        parser = EventParser()
        why = "the daemon has ended"
        try:
            async for chunk in response.content.iter_any():
                for event in parser.feed(chunk):
                    self._take(event, listener)
                    if event.event == SYNCHRONISED:
                        synchronised.set()
        except _LOST as error:
            why = _told(error)
        finally:
            response.close()
        listener(_AVAILABILITY, b"offline")
        self._lose(why)
        synchronised.set()

    def _take(self, event: StreamedEvent, listener: Listener) -> None:
        if event.event == EVENT:
            listener(_EVENTS, event.data.encode())
        elif event.event in (ENTITY, ANSWER, END):
            data = json.loads(event.data)
            if event.event == ENTITY:
                entity = data["entity"]
                payload = b"" if entity is None else json.dumps(entity, ensure_ascii=False).encode()
                listener(data["path"], payload)
            elif event.event == ANSWER and (done := self._done.get(str(data["id"]))) is not None:
                done.set()

    async def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """The JSON of an answer; CommandRejected as it says, BrokerError when nobody is there."""
        response = await self._response(method, path, body)
        try:
            answer = json.loads(await response.text())
        except _LOST as error:
            raise self._gone(error) from error
        except ValueError:
            raise self._stranger("no JSON") from None
        finally:
            response.release()
        return answer if isinstance(answer, dict) else {}

    async def _response(
        self, method: str, path: str, body: Json | None = None, *, limits: aiohttp.ClientTimeout | None = None
    ) -> aiohttp.ClientResponse:
        """A response that is none of an error, its body yet to be read; TimeoutError when it takes its time."""
        assert self._session is not None
        limits = limits or aiohttp.ClientTimeout(total=self._timeout_s)
        try:
            # Nobody sends us elsewhere, least of all with a token.
            response = await self._session.request(
                method, f"{self._address}{path}", json=body, timeout=limits, allow_redirects=False
            )
        except TimeoutError:
            raise
        except aiohttp.ClientResponseError:
            raise self._stranger("no HTTP") from None
        except _LOST as error:
            raise self._gone(error) from error
        if response.status == HTTPStatus.OK:
            return response
        raise await self._refusal(response)

    async def _refusal(self, response: aiohttp.ClientResponse) -> CommandRejected | BrokerError:
        try:
            error = json.loads(await response.text())["error"]
            code, message = str(error["code"]), str(error["message"])
        except (*_LOST, ValueError, KeyError, TypeError):
            return self._stranger(f"{response.status} {response.reason}")
        finally:
            response.release()
        if response.status in _SHUT:
            return BrokerError(f"{self._address}: {message}")
        return CommandRejected(code, message)

    def _stranger(self, said: str) -> BrokerError:
        return BrokerError(f"{self._address}: it says {said}, which no daemon does")

    def _gone(self, error: Exception) -> BrokerError:
        self._lose(_told(error))
        return BrokerError(self._why_lost)

    def _lose(self, why: str) -> None:
        if not self._lost.is_set():
            self._why_lost = f"{self._address}: {why}"
            self._lost.set()
        for done in self._done.values():
            done.set()

    def _ssl(self) -> ssl.SSLContext | bool:
        if not self._address.url.lower().startswith("https:"):
            return True
        return tls_context(self._address.tls)


_ENDLESS = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=SILENCE_S)
# The daemon is there and wants nothing of us.
_SHUT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST)


def _told(error: Exception) -> str:
    """The cause in a few words."""
    inner = getattr(error, "os_error", None)
    if isinstance(error, TimeoutError):
        return "it says nothing any more"
    return getattr(inner, "strerror", None) or str(error) or type(error).__name__
