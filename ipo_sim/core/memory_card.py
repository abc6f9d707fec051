"""The System SD card of an IP500 V2, which is its feature key too, as its LED shows it."""

from __future__ import annotations

from ipo_sim.core.draft import Draft
from ipo_sim.core.model import KeyPresence, Lifecycle

CARD_FILLING = "memory-card-filling"
FULL_PERCENT = 99
SYSTEM = "2"
# What the LED shows of a unit that is on its way, whatever the card is like.
_BY_STATE = {
    Lifecycle.OFF: "off",
    Lifecycle.STARTING: "initialising",
    Lifecycle.SHUTTING_DOWN: "shutting_down",
    Lifecycle.SHUTDOWN: "shutdown",
}
# What faults of the card show, the first one that strikes first.
_BY_FAULT = {
    "memory-card-invalid": "failed",
    CARD_FILLING: "full",
    "reset-imminent": "reset_imminent",
    "memory-card-busy": "in_use",
}


def memory_card_line(draft: Draft) -> str:
    """The line of the catalogue for the LED of the System SD."""
    line = _BY_STATE.get(draft.life.state)
    if line is not None:
        return line if draft.key.presence is not KeyPresence.ABSENT else "off"
    if draft.key.presence is KeyPresence.ABSENT:
        return "off"
    if draft.key.presence is not KeyPresence.PRESENT:
        return "failed"
    strikes = {fault.fault: dict(fault.options) for fault in draft.faults if fault.striking}
    for fault, shown in _BY_FAULT.items():
        options = strikes.get(fault)
        if options is None or options.get("card", SYSTEM) != SYSTEM:
            continue
        if fault != CARD_FILLING or int(options["percent"]) > FULL_PERCENT:
            return shown
    return "present"
