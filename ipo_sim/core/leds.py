"""LEDs of the unit: which lamp shows which line of the catalogue's table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ipo_sim.catalogue.types import Catalogue, PlaceKind
from ipo_sim.core.draft import Draft
from ipo_sim.core.model import Hold, Led, Lifecycle, Part

CPU = "cpu"
STATUS_LED = 1
DAUGHTER_STATUS_LED = 9

_MODULE_LINES = {Hold.LICENCE: "unlicensed", Hold.RESTART: "waiting", Hold.KEY: "starting"}
_EXPANSION_PORT_LINES = {None: "present", Hold.KEY: "initialising", Hold.UNIT: "initialising"}


def light(draft: Draft, parts: tuple[Part, ...]) -> tuple[Led, ...]:
    """All LEDs: the CPU's, LED 1 of base cards, 9 of daughter cards, trunk and expansion port LEDs, modules' own."""
    old = draft.old
    if parts is old.parts and draft.life is old.life:
        return old.leds
    catalogue, state = draft.catalogue, draft.life.state
    leds = [_led(catalogue, CPU, f"cpu.{state}")]
    for part in parts:
        if part.fitted is None:
            continue
        if part.place.kind is PlaceKind.EXPANSION:
            leds.append(_led(catalogue, f"expansion-{part.place.number}", f"module.{_module_line(part, state)}"))
        else:
            leds.extend(_card_leds(catalogue, part, parts, state))
    return tuple(leds)


def _module_line(part: Part, state: Lifecycle) -> str:
    hold = part.service.hold
    if hold is None:
        return "operational"
    if hold is Hold.UNIT:
        return "starting" if state is Lifecycle.STARTING else "off"
    return _MODULE_LINES.get(hold, "fault")


def _card_leds(catalogue: Catalogue, part: Part, parts: tuple[Part, ...], state: Lifecycle) -> Iterator[Led]:
    slot = f"slot-{part.place.number}-led-"
    status = DAUGHTER_STATUS_LED if part.place.kind is PlaceKind.DAUGHTER else STATUS_LED
    line = _card_line(part, state)
    own = f"{part.fitted.code.lower()}.{line}" if part.fitted else ""
    yield _led(catalogue, f"{slot}{status}", own if own in catalogue.leds else f"card.{line}")
    if part.service.hold is None and part.fitted is not None:
        for port in range(status + 1, status + _trunks(part)):
            yield _led(catalogue, f"{slot}{port}", "atm_port.idle")
        if part.fitted.expansion_ports:
            yield from _expansion_port_leds(catalogue, slot, parts)


def _card_line(part: Part, state: Lifecycle) -> str:
    hold = part.service.hold
    if hold is None:
        return "healthy"
    if hold is Hold.KEY:
        return "initialising"
    if hold is not Hold.UNIT:
        return "error"
    if state is Lifecycle.STARTING:
        return "initialising"
    return "off" if state is Lifecycle.OFF else "shutdown"


def _trunks(part: Part) -> int:
    """Analog trunks of a daughter card: the first shares its LED with the card's state."""
    if part.fitted is None or part.place.kind is not PlaceKind.DAUGHTER:
        return 0
    return sum(ports.count for ports in part.fitted.ports if ports.kind == "ATM")


def _expansion_port_leds(catalogue: Catalogue, slot: str, parts: tuple[Part, ...]) -> Iterator[Led]:
    """A 4-port card shows the rear ports and its own; LED 1 is taken by the card's state."""
    for part in parts:
        if part.place.kind is PlaceKind.EXPANSION and part.place.number > STATUS_LED:
            line = "empty" if part.fitted is None else _EXPANSION_PORT_LINES.get(part.service.hold, "error")
            yield _led(catalogue, f"{slot}{part.place.number}", f"exp_port.{line}")


@lru_cache(maxsize=4_096)
def _lamp(name: str, colour: str, pattern: str) -> Led:
    return Led(name, colour, pattern)


def _led(catalogue: Catalogue, name: str, line: str) -> Led:
    shown = catalogue.leds[line]
    return _lamp(name, shown.colour, shown.pattern)
