"""`ipo-sim key-server status`, `insert`, `remove` and `delay`: one request to a server that runs."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from ipo_sim.cli.failure import EXIT_FAILED, EXIT_OK, UsageError
from ipo_sim.cli.key_server.options import DEFAULT_PORT
from ipo_sim.cli.key_server.secret import read_secret
from ipo_sim.cli.key_server.text import state_facts, state_lines
from ipo_sim.cli.terminal import print_json
from ipo_sim.errors import KeyServerError
from ipo_sim.licensing.key_server_messages import Delay, Insert, Refused, Remove, State, Status
from ipo_sim.readers.key_server_session import Ask, Query, Session, search
from ipo_sim.readers.key_server_wire import Transport, is_broadcast, open_wire

# Servers of one network answer a broadcast well within this time.
SEARCH_S = 1.0
SERIAL_DIGITS = 10
_MAX_PORT = 65_535


class Place(NamedTuple):
    """Where a server is, or where to look for servers."""

    host: str
    port: int


def main(arguments: Namespace) -> int:
    """Ask, and print the answer."""
    place = _place(arguments.server)
    secret = read_secret(arguments.secret_file)
    ask = _ASKS[arguments.key_server_command](arguments)
    if is_broadcast(place.host):
        if arguments.key_server_command != "status":
            raise UsageError(f"{place.host} may be many servers: name one")
        return asyncio.run(_show_all(arguments, Query(place.host, place.port, secret), ask))
    state = asyncio.run(_asked(place, secret, ask, arguments))
    if arguments.json:
        print_json(state_facts(*place, state))
    else:
        print("\n".join(state_lines(*place, state)))
    return EXIT_OK


async def _show_all(arguments: Namespace, query: Query, ask: Ask) -> int:
    found = await search(query, min(SEARCH_S, arguments.timeout))
    # A server on several networks answers on each.
    places = {server.offer.boot: Place(server.host, server.offer.port) for server in found}
    states = [(place, await _asked(place, query.secret, ask, arguments)) for place in places.values()]
    if arguments.json:
        print_json([state_facts(*place, state) for place, state in states])
    elif states:
        print("\n".join(line for place, state in states for line in state_lines(*place, state)))
    else:
        raise KeyServerError(f"no key server answers at {query.address} port {query.port}")
    return EXIT_OK if states else EXIT_FAILED


async def _asked(place: Place, secret: bytes | None, ask: Ask, arguments: Namespace) -> State:
    transport: Transport = "udp" if arguments.udp else "tcp"
    timeout_s: float = arguments.timeout
    session: Session | None = None
    try:
        async with asyncio.timeout(timeout_s):
            session = Session(await open_wire(place.host, place.port, transport), secret)
            answer = await session.begin() or await session.ask(ask)
    except TimeoutError:
        doubt = session.doubt if session is not None else ""
        why = doubt or f"no answer within {timeout_s:g} s"
        raise KeyServerError(f"{place.host} port {place.port}: {why}") from None
    finally:
        if session is not None:
            await session.close()
    if isinstance(answer, Refused):
        raise KeyServerError(f"refused: {answer.text}")
    if not isinstance(answer, State):
        raise KeyServerError(f"{place.host} port {place.port}: an answer to something else")
    return answer


def _place(text: str) -> Place:
    host, colon, port = text.partition(":")
    if not host or (colon and not (port.isascii() and port.isdecimal() and 0 < int(port) <= _MAX_PORT)):
        raise UsageError(f"{text}: a server is HOST or HOST:PORT, such as 192.168.42.10:{DEFAULT_PORT}")
    return Place(host, int(port) if colon else DEFAULT_PORT)


def _status(_: Namespace) -> Ask:
    return Status


def _insert(arguments: Namespace) -> Ask:
    serial: str | None = arguments.serial
    if serial is not None and (len(serial) != SERIAL_DIGITS or not (serial.isascii() and serial.isdecimal())):
        raise UsageError(f"--serial: a dongle has {SERIAL_DIGITS} decimal digits, not {serial!r}")
    return partial(Insert, serial=serial)


def _remove(_: Namespace) -> Ask:
    return Remove


def _delay(arguments: Namespace) -> Ask:
    return partial(Delay, milliseconds=arguments.milliseconds)


_ASKS: Mapping[str, Callable[[Namespace], Ask]] = {
    "status": _status,
    "insert": _insert,
    "remove": _remove,
    "delay": _delay,
}
