"""What the maker's events tell of and the unit does not find out by itself: past-tense facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class PortPhoneChanged:
    """Another phone is plugged in at a port of a card or module; empty: none."""

    TYPE: ClassVar[str] = "port-phone-changed"
    path: str
    port: int
    phone: str = ""


@dataclass(frozen=True, slots=True)
class EventReported:
    """Something came to pass that one of the maker's passing events tells of. `severity` None: the usual one."""

    TYPE: ClassVar[str] = "event-reported"
    number: int
    path: str = "unit"
    reason: int | None = None
    severity: int | None = None
    text: str = ""
    data: str = ""
