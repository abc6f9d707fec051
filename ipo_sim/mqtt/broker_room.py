"""Room on the embedded broker's disk: once there was none, the server takes no new client until it starts anew."""

from __future__ import annotations

import contextlib
from pathlib import Path

# How nats-server passes on what the system says when it cannot store a message.
_COMPLAINTS = ("no space left on device", "disk quota exceeded")
# A new client takes some hundred bytes; with this much it does not run out again at once.
_ENOUGH = bytes(256 * 1_024)
LOOK_AGAIN_S = 1.0


def lacks_room(text: str) -> bool:
    """Whether a line of the server's log says so."""
    return any(complaint in text.lower() for complaint in _COMPLAINTS)


def has_room(directory: Path) -> bool:
    """Whether that much can be written there, found out by doing it: what is free says nothing of a quota."""
    probe = directory / "room.probe"
    try:
        probe.write_bytes(_ENOUGH)
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return True
