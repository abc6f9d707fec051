"""Everything that can go wrong, named by its cause. Each error's text is one clear line for the user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class IpoSimError(Exception):
    """Root of all errors of this package; `code` is the stable name that answers and logs carry."""

    code: ClassVar[str] = "error"


class CatalogueError(IpoSimError):
    """A data file of the catalogue is not what its loader expects: a defect of the package, not of the user."""

    code = "catalogue"


class ConfigMistake(NamedTuple):
    """What is wrong at one place of a file, or only doubtful; its text is the line that the user reads.

    `line` and `column` count from 1; None: the file as a whole. `path` is the way from the top of the file, such as
    `units[0].model`. `value` is the scalar that stands there (the name of a setting, where that is wrong), never a
    secret. `allowed` are the words that could stand there, where there are some, and `nearest` is the one most like it.
    """

    file: str
    message: str
    line: int | None = None
    column: int | None = None
    path: str | None = None
    value: str | float | bool | None = None
    allowed: tuple[str, ...] | None = None
    nearest: str | None = None

    def __str__(self) -> str:
        """`file:line:column: path: message`, as far as known."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ConfigError(IpoSimError):
    """A configuration that cannot be used; the text holds every mistake, one a line.

    `mistakes` has them one by one where a file was read; it is empty where the text is all that there is to say.
    """

    code = "configuration"

    def __init__(self, text: str, mistakes: Sequence[ConfigMistake] = ()) -> None:
        super().__init__(text)
        self.mistakes = tuple(mistakes)

    @classmethod
    def of(cls, *mistakes: ConfigMistake) -> ConfigError:
        """All of them, one a line."""
        return cls("\n".join(map(str, mistakes)), mistakes)


class CommandRejected(IpoSimError):  # noqa: N818 - the field's word: a command is rejected, nothing is broken
    """An event or command that the unit refuses; nothing has changed. `reason` is a stable kebab-case name.

    `temporary`: it was not looked at, and the very same request may be accepted later.
    """

    code = "rejected"

    def __init__(self, reason: str, message: str, *, temporary: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.temporary = temporary


class LicenceFormatError(IpoSimError):
    """Values that no licence key can hold."""

    code = "licence-format"


class ReaderError(IpoSimError):
    """A feature key reader that cannot be opened, or that failed while it was read."""

    code = "reader"


class KeyServerError(IpoSimError):
    """A feature key server that does not start, cannot be reached, or says what is no message of its protocol."""

    code = "key-server"


class BrokerError(IpoSimError):
    """A broker that cannot be reached, refuses us, or, embedded, does not start."""

    code = "broker"


class HttpError(IpoSimError):
    """The control API over HTTP cannot be offered where it is wanted."""

    code = "http"


class JournalError(IpoSimError):
    """The journal cannot be read or written: a full disk, a damaged file, another daemon's lock."""

    code = "journal"


class UnknownEntity(IpoSimError, KeyError):  # noqa: N818 - what a test asked for, by its own name
    """A unit has no entity at that path; the text names the nearest one."""

    code = "unknown-entity"

    __str__ = Exception.__str__  # KeyError would put it in quotes


class PayloadError(IpoSimError):
    """What stands at a topic is no payload of this version: another version's, or somebody else's."""

    code = "payload"


class NotReached(IpoSimError, TimeoutError):  # noqa: N818 - nothing broke: what was waited for did not come
    """A state that was waited for did not come in time; the text says what is there instead."""

    code = "not-reached"
