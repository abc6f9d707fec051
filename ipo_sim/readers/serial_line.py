"""The reader on a serial line that speaks FKC/1: a device of this machine, or `socket://host:port`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from ipo_sim.card.line_decoder import Decoder
from ipo_sim.card.line_protocol import PROTOCOL, Ack, AskHello, AskStatus, Beat, Command, Frame, Hello, Nak
from ipo_sim.errors import ReaderError
from ipo_sim.readers.card_tracker import DEFAULT_LAW, CardTracker
from ipo_sim.readers.device_watch import watch_devices
from ipo_sim.readers.host_commands import ANSWER_S, ATTEMPTS, Commands
from ipo_sim.readers.open_port import open_port
from ipo_sim.readers.port import Opener, Port, TtyAddress, parse_address
from ipo_sim.readers.reader import Emit
from ipo_sim.readers.supervisor import Retries, Supervisor

DEFAULT_BAUD = 115_200
# From the start of the open to HELLO: opening resets many boards, and a boot loader may wait 2 s before it goes on.
HELLO_S = 3.0
# A reader beats once a second; without three beats it is lost, however open the line.
HEARTBEAT_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing(Retries):
    """How patient the link is, in seconds; `attempts` is how often a command is sent in all."""

    hello_s: float = HELLO_S
    heartbeat_s: float = HEARTBEAT_S
    answer_s: float = ANSWER_S
    attempts: int = ATTEMPTS


DEFAULT_TIMING = Timing()


class SerialReader:
    """Keeps one reader open and says what happens at it.

    `address` as in `parse_address`, which raises ReaderError. `law` is that of cards that do not say theirs. `opener`
    replaces the way to the bytes. Counters are those of `Decoder`, `Supervisor` and `Commands`, and
    `missed_insertions`.
    """

    kind = "serial"

    def __init__(
        self,
        address: str,
        *,
        name: str | None = None,
        baud: int = DEFAULT_BAUD,
        law: str = DEFAULT_LAW,
        timing: Timing = DEFAULT_TIMING,
        opener: Opener | None = None,
    ) -> None:
        where = parse_address(address)
        self.name = name or address
        self._is_device = isinstance(where, TtyAddress)
        self._open = opener or (lambda: open_port(where, baud))
        self._timing = timing
        self._supervisor = Supervisor(self.name, timing)
        self._decoder = Decoder()
        self._commands = Commands(timing.answer_s, timing.attempts)
        self._tracker = CardTracker(law)
        self._greeted = False
        self._patience: asyncio.Timeout | None = None
        self._emit: Emit | None = None

    @property
    def last_error(self) -> str | None:
        """Why the reader was last lost or not found."""
        return self._supervisor.last_error

    def counters(self) -> Mapping[str, int]:
        """See `Reader.counters`."""
        return {
            **self._decoder.counters,
            **self._supervisor.counters,
            **self._commands.counters,
            "missed_insertions": self._tracker.missed,
        }

    async def run(self, emit: Emit) -> None:
        """See `Reader.run`."""
        self._emit = emit
        with watch_devices(self._supervisor.wake) if self._is_device else contextlib.nullcontext():
            await self._supervisor.run(emit, self._session)

    async def request(self, command: type[Command]) -> None:
        """Have the reader obey a command; ReaderError when it refuses, does not answer, or is not there."""
        await self._commands.request(command)

    async def _session(self) -> None:
        """From opening the line to the end of it, which is a ReaderError."""
        self._greeted = False
        try:
            async with asyncio.timeout(self._timing.hello_s) as self._patience:
                await self._converse()
        except TimeoutError:
            raise ReaderError(self._silence()) from None

    async def _converse(self) -> None:
        port = await self._open()
        try:
            self._decoder.reset()
            self._tracker.forget()
            self._commands.open(port.write)
            # Opening resets most boards, and then HELLO comes unasked; the others are asked.
            self._commands.send(AskHello)
            await self._listen(port)
        finally:
            self._commands.close()
            await port.close()

    async def _listen(self, port: Port) -> None:
        while True:
            for frame in self._decoder.feed(await port.read()):
                self._take(frame)

    def _take(self, frame: Frame) -> None:
        match frame:
            case Ack():
                self._commands.acknowledged(frame)
            case Nak():
                self._commands.refused(frame)
            case Hello():
                self._greet(frame)
            case _ if self._greeted:
                self._report(frame)
            case _:
                self._commands.send(AskHello)

    def _greet(self, hello: Hello) -> None:
        if hello.protocol != PROTOCOL:
            raise ReaderError(f"the reader speaks FKC/{hello.protocol}, this release FKC/{PROTOCOL}")
        self._commands.settle(AskHello)
        if not self._greeted:
            self._greeted = True
            self._be_patient()
            self._supervisor.attached()
            self._commands.send(AskStatus)
        elif hello.seq == 0:
            self._tracker.restarted()
            self._commands.send(AskStatus)

    def _report(self, frame: Frame) -> None:
        assert self._emit is not None
        if isinstance(frame, Beat):
            self._be_patient()
        for fact in self._tracker.take(frame):
            self._emit(fact)
        if self._tracker.wants_status:
            self._commands.send(AskStatus)

    def _be_patient(self) -> None:
        assert self._patience is not None
        self._patience.reschedule(asyncio.get_running_loop().time() + self._timing.heartbeat_s)

    def _silence(self) -> str:
        if self._greeted:
            return f"no heartbeat for {self._timing.heartbeat_s:g} s"
        return f"no answer within {self._timing.hello_s:g} s"
