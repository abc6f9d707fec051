"""A value that another process works out, and takes along when it ends what it needed for that.

What reads a configuration - pydantic's models, the parser, and the holes that both leave - is some megabytes that a
daemon would hold for ever and never use again. Meanwhile the daemon gets ready itself.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, Generic, TypeVar

_T = TypeVar("_T")

_DONE = 0
_FAILED = 1
_ENDING = (signal.SIGINT, signal.SIGTERM)


class Aside(Generic[_T]):
    """The value of `work()`: from a child process that begins at once, else worked out here when it is asked for.

    The child says nothing but the value. Where it fails, the work is done again here: the error is then one of this
    process, as it would be without a child. So it is where there are no children, or other threads that a child lacks.
    Work that can be done but once, as what reads a pipe, is not for it. The end of the `with` ends a child that nobody
    has asked.
    """

    def __init__(self, work: Callable[[], _T]) -> None:
        self._work = work
        self._child: int | None = None
        if hasattr(os, "fork") and threading.active_count() == 1:
            self._begin()

    def __enter__(self) -> Aside[_T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._answer.close()
            with suppress(ProcessLookupError):  # of an ignored child that has ended nothing is left
                os.kill(self._child, signal.SIGKILL)
            self._done(self._child)

    def result(self) -> _T:
        """The value; whatever `work` raises. To be asked for once."""
        pickled = None if self._child is None else self._said_by(self._child)
        if pickled is None:
            return self._work()
        value: _T = pickle.loads(pickled)  # noqa: S301 - it comes from this very program
        return value

    def _said_by(self, child: int) -> bytes | None:
        """All that the child has to say, or None where it failed."""
        with self._answer:
            pickled = self._answer.read()
        return pickled if self._done(child) else None

    def _done(self, child: int) -> bool:
        """Whether the child did its work; it has ended by then."""
        self._child = None
        try:
            _, status = os.waitpid(child, 0)
        except ChildProcessError:
            # Who started this process has it ignore its children: how they end is told to nobody.
            return False
        return os.waitstatus_to_exitcode(status) == _DONE

    def _begin(self) -> None:
        answer, question = os.pipe()
        self._answer: BinaryIO = open(answer, "rb")  # noqa: PTH123, SIM115 - a file descriptor, until it is read
        # A signal between the two halves of a fork would be an exception in the wrong process, or before we know it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        try:
            self._child = os.fork()
            if self._child == 0:
                self._answer.close()
                for number in _ENDING:
                    signal.signal(number, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
                self._be_the_child(question)
        except OSError:
            # No process is left to have.
            self._answer.close()
        finally:
            os.close(question)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _be_the_child(self, answer: int) -> None:
        """Never returns: what this process shares with its parent - files, handlers, a terminal - is not its own."""
        status = _FAILED
        try:
            pickled = pickle.dumps(self._work(), pickle.HIGHEST_PROTOCOL)
            with open(answer, "wb") as file:
                file.write(pickled)
            status = _DONE
        finally:
            # Whatever was raised ends here: the parent meets it itself.
            os._exit(status)
