"""The working copy of a unit while one event is applied: the only mutable thing in the core, and never seen outside."""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.core.effects import Notification
from ipo_sim.core.events import Event
from ipo_sim.core.model import Extension, Holding, Licence, Lifecycle, Nanoseconds, Severity, Unit, User
from ipo_sim.errors import CommandRejected

UP = frozenset({Lifecycle.RUNNING, Lifecycle.AWAITING_FEATURE_KEY})

DAY_NS = 86_400 * 1_000_000_000
MINUTE_NS = 60 * 1_000_000_000


# A string before and after an event; None: it was not there.
Moved = tuple[Licence | None, Licence | None]


class Claim(NamedTuple):
    """What one fact asks of the pools: all of `takes` for all of `gives`, or nothing changes.

    Once granted, `user` or `extension` is what the unit has from then on.
    """

    takes: tuple[Holding, ...]
    gives: tuple[Holding, ...] = ()
    user: User | None = None
    extension: Extension | None = None


class Draft:
    """Starts as `old`; handlers replace its parts, derivation settles the rest, `unit.step` freezes it."""

    __slots__ = (
        "at",
        "catalogue",
        "claims",
        "clock_offset_ns",
        "dect",
        "definition",
        "entered",
        "extensions",
        "faults",
        "holdings",
        "key",
        "licences",
        "life",
        "loads",
        "next_licence",
        "notifications",
        "old",
        "parts",
        "ports",
        "reader",
        "refused",
        "report",
        "seq",
        "users",
    )

    def __init__(self, old: Unit, event: Event) -> None:
        self.old = old
        self.definition = old.definition
        self.catalogue = old.catalogue
        self.seq = old.seq + 1
        self.at = event.at
        self.clock_offset_ns = old.clock_offset_ns
        self.life = old.life
        self.key = old.key
        self.reader = old.reader
        self.licences = old.licences
        self.next_licence = old.next_licence
        self.parts = old.parts
        self.users = old.users
        self.extensions = old.extensions
        self.holdings = old.holdings
        self.dect = old.dect
        self.faults = old.faults
        self.report = old.report
        self.ports = old.ports
        # Strings that this event entered, deleted or loaded, as they were and as they are.
        self.entered: list[Moved] = []
        # Whether strings that wait for the configuration are loaded with this event.
        self.loads = False
        self.claims: list[Claim] = []
        # Features of which a use was refused by this event.
        self.refused: set[str] = set()
        self.notifications: list[Notification] = []

    @property
    def event_ref(self) -> str:
        """This event as the last member of a cause chain."""
        return f"event:{self.seq}"

    @property
    def unit_time(self) -> Nanoseconds:
        """The unit's own clock, nanoseconds since 1970 UTC."""
        return Nanoseconds(self.at + self.clock_offset_ns)

    @property
    def local_day(self) -> int:
        """Days since 1970-01-01 in unit local time."""
        return local_day(self.unit_time, self.definition.utc_offset_minutes)

    @property
    def edition_profile(self) -> str:
        """Which edition rules hold: those of the release, unless the model has its own."""
        return self.catalogue.models[self.definition.model].edition_profile(self.definition.release_profile)

    @property
    def up(self) -> bool:
        """Whether the unit's software runs, with telephony or without."""
        return self.life.state in UP

    def place_index(self, path: str) -> int:
        """Which of `parts` stands at the place; CommandRejected `unknown-place` names the nearest one."""
        for index, part in enumerate(self.parts):
            if part.place.path == path:
                return index
        from difflib import get_close_matches  # noqa: PLC0415 - only who made a mistake pays for it

        known = [part.place.path for part in self.parts]
        near = get_close_matches(path, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise CommandRejected("unknown-place", f"no place {path!r}: {hint}")

    def notify(
        self,
        event: int,
        entity: str,
        entity_name: str,
        entity_index: int,
        *,
        text: str = "",
        data: str = "",
    ) -> None:
        """Send one of the maker's events about an entity, with its usual severity."""
        kind = self.catalogue.alarms[event]
        severity = Severity(kind.severity)
        cause = (self.event_ref,)
        self.notifications.append(
            Notification(event, kind.name, severity, entity, entity_name, entity_index, None, text, data, cause)
        )


def local_day(unit_time: int, utc_offset_minutes: int) -> int:
    """The day, counted from 1970-01-01, that a unit's wall calendar shows."""
    return (unit_time + utc_offset_minutes * MINUTE_NS) // DAY_NS
