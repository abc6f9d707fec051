"""LEDs of the unit: which lamp shows which line of the catalogue's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from ipo_sim.catalogue.types import Catalogue, PartType, PlaceKind, SlotKind
from ipo_sim.core.draft import Draft
from ipo_sim.core.model import Feature, Hold, Led, Lifecycle, Part
from ipo_sim.core.pools import VCM

CPU = "cpu"
# A model whose feature key is its System SD card, and that card's LED.
SD_CARD = "sd-card"
SYSTEM_SD = "system-sd"
# What trunk ports show that have a line and no call.
_TRUNK_LINES = {"ATM": "atm_port.idle", "PRI": "pri_port.present"}
STATUS_LED = 1
DAUGHTER_STATUS_LED = 9
LOAD_LEDS = 8

_MODULE_LINES = {Hold.LICENCE: "unlicensed", Hold.RESTART: "waiting", Hold.KEY: "starting"}
# States of a 4-port card in which it shows its ports.
_SHOWING_PORTS = frozenset({"healthy", "initialising"})
_EXPANSION_PORT_LINES = {None: "present", Hold.KEY: "initialising", Hold.UNIT: "initialising"}


def light(draft: Draft, parts: tuple[Part, ...], features: tuple[Feature, ...]) -> tuple[Led, ...]:
    """All LEDs: the CPU's, the System SD's, those of cards and of trunk and expansion ports, modules' own.

    Those that show the load of a VCM card, or a phone, are there while they are lit.
    """
    old = draft.old
    if (
        parts is old.parts
        and draft.life is old.life
        and draft.ports is old.ports
        and draft.faults is old.faults
        and (draft.key is old.key or draft.key.presence is old.key.presence or not _has_sd_card(draft))
    ):
        if features is old.features:
            return old.leds
        in_use, before = _vcm_channels_in_use(features), _vcm_channels_in_use(old.features)
        # Most calls begin or end within an eighth of a card.
        if in_use == before or _loads(parts, in_use) == _loads(parts, before):
            return old.leds
    loads = _loads(parts, _vcm_channels_in_use(features))
    catalogue, state = draft.catalogue, draft.life.state
    leds = [_led(catalogue, CPU, _cpu_line(draft))]
    if _has_sd_card(draft):
        from ipo_sim.core.memory_card import memory_card_line  # noqa: PLC0415 - of models with an SD card only

        leds.append(_led(catalogue, SYSTEM_SD, f"system_sd.{memory_card_line(draft)}"))
    for part in parts:
        fitted, hold = part.fitted, part.service.hold
        # Cards of an IP400 unit sit inside it: no LED of theirs is documented.
        if fitted is not None and fitted.slot_kind is SlotKind.GENERIC:
            leds.extend(_part_leds(catalogue, fitted.code, part.place.number, hold, state))
            if fitted.expansion_ports and _card_line(hold, state) in _SHOWING_PORTS:
                leds.extend(_expansion_port_leds(catalogue, part.place.number, parts))
            if loads and part.place.kind is PlaceKind.SLOT and part.place.number in loads:
                lit = range(STATUS_LED + 1, loads[part.place.number] + 1)
                leds.extend(_led(catalogue, _slot_led(part.place.number, number), "vcm_load.lit") for number in lit)
    if draft.ports or draft.faults:
        from ipo_sim.core.port_leds import port_lines  # noqa: PLC0415 - only a unit with either pays for it

        leds = _with_ports(catalogue, leds, port_lines(draft, parts))
    return tuple(leds)


def _with_ports(catalogue: Catalogue, leds: list[Led], lines: Mapping[tuple[int, int], str]) -> list[Led]:
    """What ports show, in place of what their LEDs show else, or besides."""
    named = {_slot_led(slot, number): line for (slot, number), line in lines.items()}
    shown = [_led(catalogue, led.name, named.pop(led.name)) if led.name in named else led for led in leds]
    return [*shown, *(_led(catalogue, name, line) for name, line in named.items())]


def _has_sd_card(draft: Draft) -> bool:
    return draft.catalogue.models[draft.definition.model].key_form == SD_CARD


def _cpu_line(draft: Draft) -> str:
    """The unit's state, unless it has no software to start or finds an error in itself."""
    life = draft.life
    if life.state is Lifecycle.STARTING and life.until is None:
        return "cpu.no_software"
    if (
        draft.faults
        and draft.up
        and any(fault.striking and fault.fault == "controller-failed" for fault in draft.faults)
    ):
        return "cpu.error"
    return f"cpu.{life.state}"


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
        for trunk, line in _TRUNK_LINES.items():
            ports = range(status + 1, status + _trunks(kind, trunk))
            shown.extend(_led(catalogue, _slot_led(number, port), line) for port in ports)
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


def _trunks(kind: PartType, trunk: str) -> int:
    """Trunk ports with LEDs of a daughter card: the first shares its LED with the card's state."""
    if kind.place is not PlaceKind.DAUGHTER:
        return 0
    return sum(ports.count for ports in kind.ports if ports.kind == trunk)


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
