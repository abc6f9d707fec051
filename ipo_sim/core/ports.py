"""Ports of cards and modules, by the numbers that are printed on them, as the maker's events name them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ipo_sim.catalogue.types import PlaceKind
from ipo_sim.core.parts_model import Part
from ipo_sim.errors import CommandRejected

PRI = "PRI"
TRUNKS = frozenset({"ATM", "BRI", PRI})
# Between a path of a place and the number of a port.
PORT = "/port/"
_FIRST_PORT_INDEX = 10


class PortEntity(NamedTuple):
    """What an event is about: path, chain of names, `entPhysicalIndex` (hardware.md 8)."""

    path: str
    entity_name: str
    entity_index: int


def find_port(part: Part, number: int, kinds: frozenset[str], what: str) -> str:
    """The kind of a port; CommandRejected when the part has no port of that number, or one of another kind."""
    if part.fitted is None:
        raise CommandRejected("empty", f"nothing is fitted at {part.place.path}")
    ports = dict(_ports(part))
    kind = ports.get(number)
    if kind not in kinds:
        fit = ", ".join(str(port) for port, known in ports.items() if known in kinds)
        here = f"{part.fitted.code} at {part.place.path}"
        allowed = f"its {what} ports: {fit}" if fit else f"it has no {what} port"
        raise CommandRejected("no-port", f"port {number} of {here} is no {what} port; {allowed}")
    return kind


def port_entity(part: Part, number: int) -> PortEntity:
    """A port of a fitted part as an event names it."""
    place = part.place
    base = (1000 if place.kind is PlaceKind.EXPANSION else 100) * place.number
    name = f"{part.entity_name}, {dict(_ports(part)).get(number, 'port')} {number}"[:64]
    return PortEntity(f"{place.path}{PORT}{number}", name, base + _FIRST_PORT_INDEX + number)


def _ports(part: Part) -> Iterator[tuple[int, str]]:
    if part.fitted is not None:
        for run in part.fitted.ports:
            for number in range(run.first, run.first + run.count):
                yield number, run.kind
