"""LEDs of the unit: which lamp shows which line of the catalogue's table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ipo_sim.catalogue.types import Catalogue, PartType, PlaceKind, SlotKind
from ipo_sim.core.draft import Draft
from ipo_sim.core.model import Feature, Hold, Led, Lifecycle, Part
from ipo_sim.core.pools import VCM

CPU = "cpu"
STATUS_LED = 1
DAUGHTER_STATUS_LED = 9
LOAD_LEDS = 8

_MODULE_LINES = {Hold.LICENCE: "unlicensed", Hold.RESTART: "waiting", Hold.KEY: "starting"}
_EXPANSION_PORT_LINES = {None: "present", Hold.KEY: "initialising", Hold.UNIT: "initialising"}


def light(draft: Draft, parts: tuple[Part, ...], features: tuple[Feature, ...]) -> tuple[Led, ...]:
    """All LEDs: the CPU's, LED 1 of base cards, 9 of daughter cards, trunk and expansion port LEDs, modules' own.

    Those that show the load of a VCM card are there while they are lit.
    """
    old = draft.old
    if parts is old.parts and draft.life is old.life:
        if features is old.features:
            return old.leds
        in_use, before = _vcm_channels_in_use(features), _vcm_channels_in_use(old.features)
        # Most calls begin or end within an eighth of a card.
        if in_use == before or _loads(parts, in_use) == _loads(parts, before):
            return old.leds
    loads = _loads(parts, _vcm_channels_in_use(features))
    catalogue, state = draft.catalogue, draft.life.state
    leds = [_led(catalogue, CPU, f"cpu.{state}")]
    for part in parts:
        fitted, hold = part.fitted, part.service.hold
        # Cards of an IP400 unit sit inside it: no LED of theirs is documented.
        if fitted is not None and fitted.slot_kind is SlotKind.GENERIC:
            leds.extend(_part_leds(catalogue, fitted.code, part.place.number, hold, state))
            if fitted.expansion_ports and hold is None:
                leds.extend(_expansion_port_leds(catalogue, part.place.number, parts))
            if loads and part.place.kind is PlaceKind.SLOT and part.place.number in loads:
                lit = range(STATUS_LED + 1, loads[part.place.number] + 1)
                leds.extend(_led(catalogue, _slot_led(part.place.number, number), "vcm_load.lit") for number in lit)
    return tuple(leds)


@lru_cache(maxsize=4_096)
def _part_leds(catalogue: Catalogue, code: str, number: int, hold: Hold | None, state: Lifecycle) -> tuple[Led, ...]:
    """What a part shows by itself: worked out once for all units that have it at this place in this situation."""
    kind = catalogue.parts[code]
    if kind.place is PlaceKind.EXPANSION:
        return (_led(catalogue, f"expansion-{number}", f"module.{_module_line(hold, state)}"),)
    status = DAUGHTER_STATUS_LED if kind.place is PlaceKind.DAUGHTER else STATUS_LED
    line = _card_line(hold, state)
    own = f"{code.lower()}.{line}"
    shown = [_led(catalogue, _slot_led(number, status), own if own in catalogue.leds else f"card.{line}")]
    if hold is None:
        ports = range(status + 1, status + _trunks(kind))
        shown.extend(_led(catalogue, _slot_led(number, port), "atm_port.idle") for port in ports)
    return tuple(shown)


def _module_line(hold: Hold | None, state: Lifecycle) -> str:
    if hold is None:
        return "operational"
    if hold is Hold.UNIT:
        return "starting" if state is Lifecycle.STARTING else "off"
    return _MODULE_LINES.get(hold, "fault")


def _card_line(hold: Hold | None, state: Lifecycle) -> str:
    if hold is None:
        return "healthy"
    if hold is Hold.KEY:
        return "initialising"
    if hold is not Hold.UNIT:
        return "error"
    if state is Lifecycle.STARTING:
        return "initialising"
    return "off" if state is Lifecycle.OFF else "shutdown"


def _trunks(kind: PartType) -> int:
    """Analog trunks of a daughter card: the first shares its LED with the card's state."""
    if kind.place is not PlaceKind.DAUGHTER:
        return 0
    return sum(ports.count for ports in kind.ports if ports.kind == "ATM")


def _expansion_port_leds(catalogue: Catalogue, slot: int, parts: tuple[Part, ...]) -> Iterator[Led]:
    """A 4-port card shows the rear ports and its own; LED 1 is taken by the card's state."""
    for part in parts:
        if part.place.kind is PlaceKind.EXPANSION and part.place.number > STATUS_LED:
            line = "empty" if part.fitted is None else _EXPANSION_PORT_LINES.get(part.service.hold, "error")
            yield _led(catalogue, _slot_led(slot, part.place.number), f"exp_port.{line}")


def _vcm_channels_in_use(features: tuple[Feature, ...]) -> int:
    # A loop: a generator costs twice as much, and this is asked at each change of a pool.
    for feature in features:
        if feature[0] == VCM:
            return feature.in_use
    return 0


def _loads(parts: tuple[Part, ...], in_use: int) -> dict[int, int]:
    """How many LEDs of the VCM card in a slot are lit, where it is more than LED 1, which shows the card's state.

    Each is an eighth of the card's channels, licensed or not, that has begun. Which card has which channel is not
    documented: the first one is filled first. LEDs of a card with ports, such as the combination card, show those.
    """
    loads = {}
    for part in parts:
        if not in_use:
            break
        card = part.fitted
        if card is None or not card.vcm_channels or card.ports or part.service.hold is not None:
            continue
        here = min(in_use, card.vcm_channels)
        in_use -= here
        lit = -(-here * LOAD_LEDS // card.vcm_channels)
        if lit > STATUS_LED and part.place.kind is PlaceKind.SLOT:
            loads[part.place.number] = lit
    return loads


def _slot_led(slot: int, number: int) -> str:
    return f"slot-{slot}-led-{number}"


@lru_cache(maxsize=4_096)
def _led(catalogue: Catalogue, name: str, line: str) -> Led:
    shown = catalogue.leds[line]
    return Led(name, shown.colour, shown.pattern)
