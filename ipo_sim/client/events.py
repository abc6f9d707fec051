"""What a unit has told of as it happened: the last of its events, and what is waited for among them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from pydantic import ValidationError

from ipo_sim.api.payloads import EventPayload

# What a long test run keeps of each unit: the journal has all of it.
MAX_EVENTS = 1_000
# What a message tells of them.
_MAX_TOLD = 5


class Event(EventPayload):
    """One event of a unit: `seq`, `at`, `type`, `data`, `cause`, `notifications`."""


class Events:
    """The last events, in the order in which they came; the same one twice if it was published twice."""

    def __init__(self) -> None:
        self._last: deque[Event] = deque(maxlen=MAX_EVENTS)

    def take(self, payload: bytes) -> None:
        """One message of the topic `events`; what is none, such as one that a fault has cut short, is left out."""
        try:
            self._last.append(Event.model_validate_json(payload))
        except ValidationError:
            return

    def all(self) -> tuple[Event, ...]:
        """Those that are kept."""
        return tuple(self._last)

    def find(self, kind: str | None, after: int, data: Mapping[str, object]) -> Event | None:
        """The first one behind event number `after` of that type and with that data."""
        for event in self._last:
            if event.seq > after and kind in (None, event.type) and data.items() <= event.data.items():
                return event
        return None

    def told(self) -> str:
        """The last ones in short, for messages."""
        last = [f"{event.type} ({event.seq})" for event in self._last][-_MAX_TOLD:]
        return f"the last were {', '.join(last)}" if last else "there was none"
