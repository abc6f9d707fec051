"""Events of injected faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ipo_sim.core.fault_model import Options
from ipo_sim.core.words import Nanoseconds


@dataclass(frozen=True, slots=True)
class FaultInjected:
    """A fault of the catalogue was injected: it begins after `start_ns` and ends `duration_ns` later, None: never."""

    TYPE: ClassVar[str] = "fault-injected"
    fault: str
    target: str
    options: Options = ()
    start_ns: Nanoseconds = Nanoseconds(0)  # noqa: RUF009 - a number, as immutable as any
    duration_ns: Nanoseconds | None = None
    probability: float = 1.0
    clear_after: int | None = None


@dataclass(frozen=True, slots=True)
class FaultWithdrawn:
    """An injected fault was taken back."""

    TYPE: ClassVar[str] = "fault-withdrawn"
    id: str
