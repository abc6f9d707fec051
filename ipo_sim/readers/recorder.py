"""Records what any reader says, and what is said to its cards, into a file that a cassette plays."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Protocol, TypeVar

import structlog

from ipo_sim.card.exchange import Conversation
from ipo_sim.core.events import Fact
from ipo_sim.errors import ReaderError
from ipo_sim.readers.reader import Emit, Reader
from ipo_sim.readers.recording import Header, Timed, apdu_line, end_line, fact_line, header_line

T = TypeVar("T")

log = structlog.get_logger()


class Trace(Protocol):
    """Hears of every APDU between a reader and its cards, in whatever thread they talk."""

    def command(self, apdu: bytes) -> None:
        """A command that goes to the card now."""

    def response(self, apdu: bytes) -> None:
        """What the card answered, status word and all; a card that fell silent has no response."""


def traced(conversation: Conversation[T], trace: Trace) -> Conversation[T]:
    """A conversation whose every command and response `trace` hears of."""
    try:
        command = next(conversation)
        while True:
            trace.command(command)
            response = yield command
            trace.response(response)
            command = conversation.send(response)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return] # a generator's value is T, which StopIteration does not say
    finally:
        # Also when the transport fails, and ours is closed in the middle.
        conversation.close()


class Tape:
    """A recording that is being made: each line is written at once and whole, so that a kill loses at most the last.

    A file that is there is kept under another name. ReaderError: there is no way to write to `path`. Later failures end
    the recording, never the reader: `error` says why. `now` is simulation time, `monotonic` the machine's. `moment` is
    the simulation time of the last fact.
    """

    def __init__(self, path: Path, header: Header, *, now: Callable[[], int], monotonic: Callable[[], int]) -> None:
        self.path = path
        self.lines = 0
        self.error: str | None = None
        self.moment = header.started
        self._started = header.started
        self._now = now
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = _open(path)
        self._began = monotonic()
        self._write(lambda _: header_line(header))

    def fact(self, fact: Fact, cause: str = "", at: int | None = None) -> None:
        """A fact of now, or of `at`; `cause` empty: the reader's own."""
        self._move(self._now() if at is None else at)
        self._write(partial(fact_line, Timed(self.moment - self._started, fact, cause)))

    def tap(self, emit: Emit) -> Emit:
        """An `emit` that records what goes through it."""

        def record(fact: Fact) -> None:
            self.fact(fact)
            emit(fact)

        return record

    def counters(self) -> Mapping[str, int]:
        """`recorded_lines`, and `recording_failures`: 1 when the recording has stopped."""
        return {"recorded_lines": self.lines, "recording_failures": int(self.error is not None)}

    def command(self, apdu: bytes) -> None:
        """See `Trace.command`."""
        self._write(partial(apdu_line, "command", apdu))

    def response(self, apdu: bytes) -> None:
        """See `Trace.response`."""
        self._write(partial(apdu_line, "response", apdu))

    def close(self) -> None:
        """Write that this is the end, and give the file back; a second time does nothing."""
        self._move(self._now())
        self._write(partial(end_line, self.moment - self._started))
        with self._lock:
            self._release()

    def _move(self, moment: int) -> None:
        self.moment = max(self.moment, moment)

    def _write(self, line: Callable[[int], bytes]) -> None:
        with self._lock:
            if self._file is None:
                return
            data = line(self._monotonic() - self._began)
            try:
                written = self._file.write(data)
            except OSError as error:
                self._fail(error.strerror or str(error))
                return
            if written != len(data):
                self._fail("the disk takes only half a line")
                return
            self.lines += 1

    def _fail(self, error: str) -> None:
        self.error = f"recording to {self.path} stopped: {error}"
        log.error("recording_stopped", path=str(self.path), error=error, lines=self.lines)
        self._release()

    def _release(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self.error = f"recording to {self.path}: {error.strerror or error}"


class Recorder:
    """A reader that is another one, recorded; its counters are those of both, and its recording ends with it."""

    def __init__(self, reader: Reader, tape: Tape) -> None:
        self._reader = reader
        self._tape = tape

    @property
    def kind(self) -> str:
        """That of the reader."""
        return self._reader.kind

    @property
    def name(self) -> str:
        """That of the reader."""
        return self._reader.name

    @property
    def last_error(self) -> str | None:
        """The reader's, else why the recording stopped."""
        return self._reader.last_error or self._tape.error

    def counters(self) -> Mapping[str, int]:
        """See the class."""
        return {**self._reader.counters(), **self._tape.counters()}

    async def run(self, emit: Emit) -> None:
        """See `Reader.run`."""
        try:
            await self._reader.run(self._tape.tap(emit))
        finally:
            self._tape.close()


def _open(path: Path) -> IO[bytes]:
    try:
        if path.is_file():
            path.replace(_free_name(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: what is not with the kernel when we are killed is lost.
        return open(path, "wb", buffering=0, opener=_opened)
    except FileExistsError:
        raise ReaderError(f"cannot record to {path}: {path.parent} is no directory") from None
    except OSError as error:
        raise ReaderError(f"cannot record to {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ReaderError(f"cannot record to {str(path)!r}: {error}") from None


def _opened(path: str, flags: int) -> int:
    """A pipe that nobody reads must not hold up the start, nor the loop later."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)


def _free_name(path: Path) -> str:
    number = 1
    while os.path.lexists(kept := f"{path}.{number}"):
        number += 1
    return kept
