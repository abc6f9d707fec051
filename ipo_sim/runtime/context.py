"""What commands reach of a daemon; apart from the commands, so that a start does not pay for their models."""

from __future__ import annotations

from dataclasses import dataclass, field

from ipo_sim.runtime.bus import Bus
from ipo_sim.runtime.engine import Engine
from ipo_sim.runtime.journal import Journal
from ipo_sim.runtime.pump import Pump
from ipo_sim.runtime.requests import Requests


@dataclass(frozen=True, slots=True)
class Context:
    """The pump with the engine behind it, the journal, the latest values, and the requests that came before."""

    pump: Pump
    journal: Journal
    bus: Bus
    requests: Requests = field(default_factory=Requests)

    @property
    def engine(self) -> Engine:
        """The engine behind the pump."""
        return self.pump.engine
