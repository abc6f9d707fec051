"""What a unit says while a subscription to it begins: from what is retained and what comes live, each fact once."""

from __future__ import annotations

from ipo_sim.client.connection import Listener
from ipo_sim.mqtt.topics import AVAILABILITY


class CatchUp:
    """Takes two tellings of all that is retained, and hands on what is new in them.

    Some brokers look up what is retained before they listen for more, so that a change in between is lost; the second
    telling, asked for when the broker listens for certain, has it. Some send what they looked up behind a live message
    that is newer. Once one live message of a path has come, each later one will: what is retained there tells nothing
    that is new. Sequence numbers would not do to compare by, since a unit that is rewound counts anew.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._live: set[str] = set()
        self._told: dict[str, bytes] = {}
        self._again: set[str] = set()

    def take(self, path: str, payload: bytes, *, retained: bool) -> None:
        """One message."""
        if not retained:
            self._live.add(path)
            self._listener(path, payload)
            return
        self._again.add(path)
        if path not in self._live and self._told.get(path) != payload:
            self._told[path] = payload
            self._listener(path, payload)

    def begin_again(self) -> None:
        """What is retained has been told once, and will be told again."""
        self._again.clear()

    def finish(self) -> None:
        """It has been told again: what was retained the first time and is not now was withdrawn in between."""
        # A broker that keeps to the standard tells all of it; silence would be no news of anything.
        if self._again <= {AVAILABILITY}:
            return
        for path in self._told.keys() - self._again - self._live:
            self._listener(path, b"")
