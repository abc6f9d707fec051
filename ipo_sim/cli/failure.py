"""How commands fail: the exit codes, and the errors of the command line itself."""

from __future__ import annotations

from typing import ClassVar

from ipo_sim.errors import IpoSimError

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
# What shells say of a process that Ctrl-C ended.
EXIT_INTERRUPTED = 130


class UsageError(IpoSimError):
    """Something on the command line that cannot be meant; the text is one clear line."""

    code: ClassVar[str] = "usage"
