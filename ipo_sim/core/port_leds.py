"""LEDs of ports: phones that were detected, calls on lines, and lines that are lost or looped back.

Needed by a unit with something at a port or with an injected fault only, and imported for the first of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipo_sim.catalogue.types import PlaceKind, SlotKind
from ipo_sim.core.draft import Draft
from ipo_sim.core.fault_model import InjectedFault
from ipo_sim.core.lines import is_broken
from ipo_sim.core.model import Part
from ipo_sim.core.signal_faults import LOOPBACK, TRUNK

BLUE_ALARM = 21
# Ports that share their LED with the state of a base card, and of a daughter card.
_STATUS = 1
_DAUGHTER_STATUS = 9
# Analog trunk cards that can tell whether a line is there; the others show that they are fitted (hardware.md 5).
_SENSES_LINE = frozenset({"ATM4V2"})


def port_lines(draft: Draft, parts: tuple[Part, ...]) -> dict[tuple[int, int], str]:
    """By slot and number, what LEDs show of ports, as a line of the catalogue.

    LED 1 of a base card goes on with the card's state; at LED 9 of a daughter card what its port shows comes before it.
    """
    lines: dict[tuple[int, int], str] = {}
    for part in parts:
        # Of cards of an IP400 unit no LED is documented.
        if part.fitted is not None and part.service.hold is None and part.fitted.slot_kind is SlotKind.GENERIC:
            lines.update(_lines(draft, part))
    return lines


def _lines(draft: Draft, part: Part) -> Iterator[tuple[tuple[int, int], str]]:
    """LED and line of the catalogue, for each port that shows something of its own; the later one counts."""
    place = part.place
    if place.kind not in (PlaceKind.SLOT, PlaceKind.DAUGHTER):
        return
    for port in draft.ports:
        line = _use(port.kind, port.phone)
        if port.place != place.path or port.number == _STATUS or line is None:
            continue
        if not any(is_broken(fault, place.path, port.number) for fault in draft.faults):
            yield (place.number, port.number), line
    if place.kind is PlaceKind.DAUGHTER:
        for fault in draft.faults:
            if fault.striking and fault.target == place.path and (shown := _lost(part, fault)) is not None:
                yield (place.number, fault.number("port")), shown


def _use(kind: str, phone: str) -> str | None:
    if kind in ("ATM", "PRI"):
        return f"{kind.lower()}_port.in_use"
    return "ds_port.phone_detected" if kind == "DS" and phone else None


def _lost(part: Part, fault: InjectedFault) -> str | None:
    """What a lost line shows; None: nothing, or at LED 9 less than the card's state."""
    if fault.fault not in (TRUNK, LOOPBACK):
        return None
    number = fault.number("port")
    assert part.fitted is not None
    kinds = [run.kind for run in part.fitted.ports if 0 <= number - run.first < run.count]
    if kinds == ["PRI"]:
        if fault.fault == LOOPBACK:
            return "pri_port.loopback"
        if fault.number("reason") == BLUE_ALARM:
            return f"pri_port.far_end_ais_{number}"
        return None if number == _DAUGHTER_STATUS else "pri_port.no_trunk"
    dark = kinds == ["ATM"] and part.fitted.code in _SENSES_LINE and number != _DAUGHTER_STATUS
    return "atm_port.no_line" if dark else None
