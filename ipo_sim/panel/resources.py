"""The resources of the control API: requests of HTTP into questions and commands, and what comes of them back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus

import structlog
from aiohttp import web

from ipo_sim.api import answers
from ipo_sim.api.allowance import Allowance
from ipo_sim.api.answers import Answer, Execute
from ipo_sim.api.requests import MAX_REQUEST_BYTES
from ipo_sim.api.streams import MEDIA_TYPE
from ipo_sim.core.model import UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.package_data import package_data
from ipo_sim.panel.documents import Documents, SeqOf
from ipo_sim.panel.events import EventStream, Source, Wanted
from ipo_sim.panel.guard import admit
from ipo_sim.panel.statuses import status_of

# A request on a slow line: 256 KiB in this time is 26 KiB a second.
BODY_S = 10.0
# Streams hold a backlog each; tests and panels of one bench need a handful.
MAX_STREAMS = 50
# A reader that takes nothing for so long has gone, or may as well.
STALL_S = 30.0

DOCUMENT = "openapi.json"
JSON = "application/json"

_ONLY = ("entities", "events")
# Nothing here may be kept, nor taken for anything else than it says it is.
_HEADERS = {"Cache-Control": "no-store", "Server": "ipo-sim", "X-Content-Type-Options": "nosniff"}

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Resources:
    """The handlers, and what they share. `end_streams` before the server goes, `finish` what is being carried out."""

    def __init__(self, source: Source, execute: Execute, seq_of: SeqOf, token: str | None) -> None:
        self._source = source
        self._execute = execute
        self._seq_of = seq_of
        self._token = token
        self._documents = Documents(source.bus, source.encoder, seq_of)
        self._allowance = Allowance()
        self._streams: set[EventStream] = set()
        self._running: set[asyncio.Task[Answer]] = set()
        self._ending = False

    def application(self) -> web.Application:
        """The application that serves them."""
        app = web.Application(middlewares=[self._outermost], client_max_size=MAX_REQUEST_BYTES)
        app.router.add_get("/", self._index)
        app.router.add_get(f"/{DOCUMENT}", self._document)
        app.router.add_get("/units", self._units)
        app.router.add_get("/events", self._all_events, allow_head=False)
        app.router.add_get("/units/{unit}", self._unit)
        app.router.add_get("/units/{unit}/events", self._events, allow_head=False)
        app.router.add_post("/units/{unit}/commands/{verb}", self._command)
        app.router.add_get("/units/{unit}/{path:.+}", self._entity)
        app.on_response_prepare.append(_add_headers)
        return app

    def end_streams(self) -> None:
        """Let every stream say its last word, and begin no more."""
        self._ending = True
        for stream in self._streams:
            stream.end()

    async def finish(self) -> None:
        """Wait for the commands that are being carried out: one that began is not cut in half."""
        if self._running:
            await asyncio.wait(self._running)

    @web.middleware
    async def _outermost(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Who may not come in stays outside; every error is told as JSON."""
        try:
            admit(request.headers, self._token)
            return await handler(request)
        except CommandRejected as error:
            return _refusal(error)
        except web.HTTPRequestEntityTooLarge:
            return _refusal(CommandRejected("too-large", f"a request has at most {MAX_REQUEST_BYTES} bytes"))
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            refusal = CommandRejected("method-not-allowed", f"{request.method[:20]} is not allowed here, {allowed} is")
            return _refusal(refusal, {"Allow": allowed})
        except web.HTTPNotFound:
            return _refusal(CommandRejected("unknown-path", f"there is no {request.path[:100]}: see /{DOCUMENT}"))
        except web.HTTPException:
            raise
        except ConnectionError:
            raise
        except Exception as error:  # a boundary: a defect in one answer must not be told to strangers
            log.exception("http_request_broke", path=request.path[:100])
            return _json(answers.failure(None, error))

    async def _index(self, _: web.Request) -> web.Response:
        return web.json_response({"name": "ipo-sim", "units": "/units", "events": "/events", "openapi": f"/{DOCUMENT}"})

    async def _document(self, _: web.Request) -> web.Response:
        return web.Response(body=package_data("ipo_sim.panel", DOCUMENT), content_type=JSON)

    async def _units(self, request: web.Request) -> web.Response:
        return web.Response(body=self._documents.units(request.query.get("after", "")), content_type=JSON)

    async def _unit(self, request: web.Request) -> web.Response:
        return web.Response(body=self._documents.unit(self._named(request)), content_type=JSON)

    async def _entity(self, request: web.Request) -> web.Response:
        body = self._documents.entity(self._named(request), request.match_info["path"])
        return web.Response(body=body, content_type=JSON)

    async def _command(self, request: web.Request) -> web.Response:
        unit, verb = self._named(request), request.match_info["verb"]
        payload = await _body(request)
        if not self._allowance.take(unit, asyncio.get_running_loop().time()):
            refusal = CommandRejected("rate-limited", "too many requests for this unit, try again later")
            return _json(answers.failure(answers.id_in(payload), refusal), {"Retry-After": "1"})
        running = asyncio.create_task(self._carry_out(unit, verb, payload), name=f"http-command {verb[:20]}")
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        # Whoever goes away does not take the command along.
        return _json(await asyncio.shield(running))

    async def _carry_out(self, unit: UnitName, verb: str, payload: bytes) -> Answer:
        answer = await answers.answer(self._execute, unit, verb, payload, interface="http")
        if answer.request_id is not None:
            said = {"unit": unit, "verb": verb, "id": answer.request_id, "ok": answer.code is None}
            for stream in self._streams:
                stream.answered(unit, said)
        return answer

    async def _events(self, request: web.Request) -> web.StreamResponse:
        unit = self._named(request)
        since = request.query.get("since", request.headers.get("Last-Event-ID"))
        return await self._stream(request, _wanted(request, (unit,), None if since is None else _whole(since)))

    async def _all_events(self, request: web.Request) -> web.StreamResponse:
        if "since" in request.query:
            raise CommandRejected("bad-arguments", "since: numbers are a unit's own, ask /units/NAME/events")
        return await self._stream(request, _wanted(request, tuple(self._source.bus.units()), None))

    async def _stream(self, request: web.Request, wanted: Wanted) -> web.StreamResponse:
        if len(self._streams) >= MAX_STREAMS or self._ending:
            raise CommandRejected("too-many", f"{MAX_STREAMS} streams are open, which is enough")
        stream = EventStream(self._source, wanted, {unit: self._seq_of(unit) for unit in wanted.units})
        self._streams.add(stream)
        try:
            response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE, "X-Accel-Buffering": "no"})
            await response.prepare(request)
            async with aclosing(stream.pieces()) as pieces:
                async for piece in pieces:
                    await _write(request, response, piece)
            await response.write_eof()
        finally:
            self._streams.discard(stream)
            stream.close()
        return response

    def _named(self, request: web.Request) -> UnitName:
        return self._documents.unit_name(request.match_info["unit"])


async def _write(request: web.Request, response: web.StreamResponse, piece: bytes) -> None:
    try:
        async with asyncio.timeout(STALL_S):
            await response.write(piece)
    except TimeoutError:
        log.debug("http_reader_stalled", path=request.path[:100])
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the reader takes nothing") from None


async def _body(request: web.Request) -> bytes:
    """The body of a command, read in good time; CommandRejected."""
    if (request.content_length or 0) > MAX_REQUEST_BYTES:
        raise CommandRejected("too-large", f"a request has at most {MAX_REQUEST_BYTES} bytes")
    # A page of somebody else's can send any other kind without asking its reader's browser for leave.
    if request.body_exists and (request.content_type != JSON or "Content-Encoding" in request.headers):
        raise CommandRejected("not-json", f"a body is plain JSON: Content-Type: {JSON}")
    try:
        async with asyncio.timeout(BODY_S):
            return await request.read()
    except TimeoutError:
        raise CommandRejected("timeout", f"the body did not come within {BODY_S:g} s") from None


def _wanted(request: web.Request, units: tuple[UnitName, ...], since: int | None) -> Wanted:
    only = request.query.get("only")
    if only is not None and only not in _ONLY:
        raise CommandRejected("bad-arguments", f"only: {only[:100]!r} is neither entities nor events")
    return Wanted(units, entities=only != "events", events=only != "entities", since=since)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20):  # noqa: PLR2004 - what 64 bits hold
        raise CommandRejected("bad-arguments", f"since: {text[:100]!r} is not the number of an event")
    return int(text)


def _refusal(error: CommandRejected, headers: dict[str, str] | None = None) -> web.Response:
    return _json(answers.failure(None, error), headers)


def _json(answer: Answer, headers: dict[str, str] | None = None) -> web.Response:
    status = status_of(answer.code)
    response = web.Response(body=answer.payload, status=status, content_type=JSON, headers=headers)
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="ipo-sim"'
    if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
        response.force_close()
    return response


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
