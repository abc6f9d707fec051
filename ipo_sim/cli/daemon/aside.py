"""A value that another process works out, and takes along when it ends what it needed for that.

What reads a configuration - pydantic's models, the parser, and the holes that both leave - is some megabytes that a
daemon would hold for ever and never use again. Meanwhile the daemon gets ready itself.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")

_DONE = 0
_FAILED = 1


class Aside(Generic[_T]):
    """The value of `work()`: from a child process that begins at once, else worked out here when it is asked for.

    The child says nothing but the value. Where it fails, the work is done again here: the error is then one of this
    process, as it would be without a child. So it is where there are no children, or other threads that a child lacks.
    Work that can be done but once, as what reads a pipe, is not for it.
    """

    def __init__(self, work: Callable[[], _T]) -> None:
        self._work = work
        self._child: int | None = None
        if hasattr(os, "fork") and threading.active_count() == 1:
            self._begin()

    def result(self) -> _T:
        """The value; whatever `work` raises. To be asked for once."""
        pickled = None if self._child is None else self._said_by(self._child)
        if pickled is None:
            return self._work()
        value: _T = pickle.loads(pickled)  # noqa: S301 - it comes from this very program
        return value

    def _said_by(self, child: int) -> bytes | None:
        """All that the child has to say, or None where it failed."""
        with open(self._answer, "rb") as answer:  # noqa: PTH123 - a file descriptor
            pickled = answer.read()
        self._child = None
        try:
            _, status = os.waitpid(child, 0)
        except ChildProcessError:
            # Who started this process has it ignore its children: how they end is told to nobody.
            return None
        return pickled if os.waitstatus_to_exitcode(status) == _DONE else None

    def _begin(self) -> None:
        self._answer, question = os.pipe()
        try:
            self._child = os.fork()
        except OSError:
            # No process is left to have.
            os.close(self._answer)
            os.close(question)
            return
        if self._child == 0:
            os.close(self._answer)
            self._be_the_child(question)
        os.close(question)

    def _be_the_child(self, answer: int) -> None:
        """Never returns: what this process shares with its parent - files, handlers, a terminal - is not its own."""
        status = _FAILED
        try:
            pickled = pickle.dumps(self._work(), pickle.HIGHEST_PROTOCOL)
            with open(answer, "wb") as file:
                file.write(pickled)
            status = _DONE
        except BaseException:  # noqa: BLE001, S110 - the parent finds out itself
            pass
        finally:
            os._exit(status)
