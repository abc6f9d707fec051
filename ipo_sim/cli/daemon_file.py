"""`daemon.json` in a state directory: how the commands of a user find the daemon that runs there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ipo_sim.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_NAME = "daemon.json"
# Names are for completion and for hints: of a fleet the first ones do.
MAX_UNITS = 100


@dataclass(frozen=True, slots=True)
class Daemon:
    """A running daemon. `broker` holds no password: `config` is the file that has one, if one is needed."""

    pid: int
    broker: str
    prefix: str
    units: tuple[str, ...]
    config: str | None = None
    http: str | None = None

    @property
    def alive(self) -> bool:
        """Whether its process is there; where nobody can tell, as on Windows, it is believed."""
        if os.name != "posix":
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


@contextmanager
def published(state_dir: Path, daemon: Daemon) -> Iterator[None]:
    """Have the file there while the block runs; JournalError when the state directory does not take it."""
    path = state_dir / FILE_NAME
    draft = path.with_suffix(".new")
    try:
        # Whole or not at all: somebody may read it at any moment.
        draft.write_text(json.dumps(asdict(daemon)), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror or error}") from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def read_daemon(state_dir: Path) -> Daemon | None:
    """What the file there says; None: there is none, or none that can be read."""
    try:
        data = json.loads((state_dir / FILE_NAME).read_text(encoding="utf-8"))
        return _daemon(data)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _daemon(data: Mapping[str, object]) -> Daemon:
    pid, units, config, http = data["pid"], data["units"], data.get("config"), data.get("http")
    if not isinstance(pid, int) or not isinstance(units, list):
        raise TypeError
    return Daemon(
        pid=pid,
        broker=str(data["broker"]),
        prefix=str(data["prefix"]),
        units=tuple(map(str, units)),
        config=None if config is None else str(config),
        http=None if http is None else str(http),
    )
