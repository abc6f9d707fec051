"""`ipo-sim key-server run`: a reader, a dongle in it, and a server that tells units of it."""

from __future__ import annotations

import asyncio
import shlex
import sys
from argparse import Namespace
from contextlib import suppress
from functools import partial

from ipo_sim.cli.failure import EXIT_OK, UsageError
from ipo_sim.cli.key_server.options import DEFAULT_ADDRESS, DEFAULT_PORT
from ipo_sim.cli.key_server.secret import read_secret
from ipo_sim.cli.key_server.text import held_words, unit_words
from ipo_sim.cli.named_service import Named
from ipo_sim.cli.program import program
from ipo_sim.cli.terminal import print_json
from ipo_sim.cli.termination import termination_as_interrupt
from ipo_sim.cli.version import version
from ipo_sim.core.definition import Card
from ipo_sim.core.events import Fact, ReaderAttached
from ipo_sim.errors import ReaderError
from ipo_sim.key_server.datagrams import ANY_ADDRESS
from ipo_sim.key_server.server import Server
from ipo_sim.key_server.service import Sockets
from ipo_sim.licensing.key_server_rules import KeyServer
from ipo_sim.readers.reader import Reader
from ipo_sim.readers.serial_line import HELLO_S, SerialReader
from ipo_sim.readers.virtual import VirtualReader
from ipo_sim.runtime.log import configure
from ipo_sim.runtime.supervisor import run_daemon

SERIAL_DIGITS = 10
# A real reader says what it holds soon after it was opened; units that poll before would hear of no dongle.
PATIENCE_S = HELLO_S + 1.0


class Slot:
    """The virtual reader's opening: a dongle that was pulled is at hand to be put in again."""

    def __init__(self, reader: VirtualReader, dongle: Card) -> None:
        self._reader = reader
        self._dongle = dongle

    def insert(self, serial: str | None) -> None:
        """See `DongleSlot`."""
        if serial is not None:
            self._dongle = Card(serial, self._dongle.law, self._dongle.kind)
        self._reader.insert(self._dongle)

    def remove(self) -> None:
        """See `DongleSlot`."""
        self._reader.remove()


def main(arguments: Namespace) -> int:
    """Run the server until it is told to end; the exit code of the process."""
    try:
        with termination_as_interrupt():
            return _run(arguments)
    except KeyboardInterrupt:
        # While it starts; later the supervisor takes the signals.
        return EXIT_OK


def _run(arguments: Namespace) -> int:
    secret = read_secret(arguments.secret_file)
    kind = f"dongle-{arguments.dongle}"
    reader, slot = _reader(arguments, kind)
    configure(arguments.log, arguments.log_level or ("warning" if sys.stderr.isatty() else "info"))
    server = Server(kind, secret=secret, version=f"ipo-sim {version()}", slot=slot, delay_ms=arguments.delay)
    return asyncio.run(_serve(arguments, server, reader))


def _reader(arguments: Namespace, kind: str) -> tuple[Reader, Slot | None]:
    if arguments.device is not None:
        try:
            return SerialReader(arguments.device), None
        except ReaderError as error:
            raise UsageError(f"--device: {error}") from None
    serial: str = arguments.serial
    if len(serial) != SERIAL_DIGITS or not (serial.isascii() and serial.isdecimal()):
        raise UsageError(f"--serial: a dongle has {SERIAL_DIGITS} decimal digits, not {serial!r}")
    dongle = Card(serial, kind=kind)
    virtual = VirtualReader(dongle)
    return virtual, Slot(virtual, dongle)


async def _serve(arguments: Namespace, server: Server, reader: Reader) -> int:
    known = asyncio.Event()

    def take(fact: Fact) -> None:
        server.take(fact)
        if not isinstance(fact, ReaderAttached):
            known.set()

    reading = asyncio.create_task(reader.run(take), name="reader")
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await known.wait()
        async with Sockets(server, arguments.bind, arguments.port) as sockets:
            services = [Named("reader", partial(_join, reading)), Named("standing", partial(_show, arguments, sockets))]
            return await run_daemon(services, lambda: None)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _join(task: asyncio.Task[None]) -> None:
    await task


async def _show(arguments: Namespace, sockets: Sockets) -> None:
    """Say on standard output how things stand, and again whenever that has changed."""
    say = _say_json if arguments.json else _say
    if not arguments.json:
        _introduce(arguments, sockets)
    async for state in sockets.server.changes():
        say(sockets, state)


def _introduce(arguments: Namespace, sockets: Sockets) -> None:
    where = f"{sockets.address} port {sockets.port}"
    print(f"key server: {where}, TCP and UDP, {'with a' if arguments.secret_file else 'without'} secret")
    host = DEFAULT_ADDRESS if sockets.address == ANY_ADDRESS else sockets.address
    is_default = (host, sockets.port) == (DEFAULT_ADDRESS, DEFAULT_PORT)
    place = "" if is_default else f" {host}:{sockets.port}"
    secret = f" --secret-file {shlex.quote(str(arguments.secret_file))}" if arguments.secret_file else ""
    for title, verb in (("pull the dongle", "remove"), ("put it back", "insert"), ("how it stands", "status")):
        if arguments.device is None or verb == "status":
            print(f"{title}: {program()} key-server {verb}{place}{secret}")


def _say(_: Sockets, state: KeyServer) -> None:
    print(f"{held_words(state.dongle)}; {unit_words(state.first)}", flush=True)


def _say_json(sockets: Sockets, state: KeyServer) -> None:
    held = state.dongle
    print_json(
        {
            "address": sockets.address,
            "port": sockets.port,
            "boot": state.boot,
            "dongle": {**held._asdict(), "state": str(held.state)},
            "unit": state.first,
        }
    )
    sys.stdout.flush()
