"""Faults that do no more than tell: each is an alarm with an event of the maker's, as long as it strikes.

Nothing here is needed by a unit without such a fault, so that it is imported for the first of them only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ipo_sim.catalogue.faults import FaultType
from ipo_sim.core.draft import Draft
from ipo_sim.core.fault_events import FaultInjected
from ipo_sim.core.fault_model import InjectedFault
from ipo_sim.core.life import CONTROLLER_INDEX, CONTROLLER_NAME, CONTROLLER_PATH
from ipo_sim.core.memory_card import CARD_FILLING, FULL_PERCENT
from ipo_sim.core.model import Alarm, Part, Severity
from ipo_sim.core.ports import PRI, TRUNKS, PortEntity, find_port, port_entity

TRUNK = "trunk-failed"
LOOPBACK = "trunk-loopback"
CONTROLLER = "controller-failed"

# Interfaces by `ifIndex`, applications by `AppEntity`, cards by `MemoryCardSlotId` [MIB].
_INTERFACES = {1: PortEntity("lan", "Controller, LAN", 11), 2: PortEntity("wan", "Controller, WAN", 12)}
_APPLICATIONS = {1: "voicemail", 2: "delta-server", 3: "customer-call-reporter", 4: "one-x-portal"}
_CARDS = {2: "system-sd", 3: "optional-sd"}
_CARD_NAME = "Controller, Memory Card"
_CARD_INDEX = 3
# Bits of `LoopbackStatusBits` [MIB].
_LOOPBACKS = {
    1: "near end payload",
    2: "near end line",
    3: "near end other",
    4: "near end inward",
    5: "far end payload",
    6: "far end line",
}
# Reasons of the maker's events that say more than their number [MIB].
_REASONS = {
    8: "log-on failed",
    11: "all resources in use",
    12: "service alarm",
    18: "loss of signal",
    19: "out of service",
    20: "red alarm",
    21: "blue alarm",
    22: "yellow alarm",
    25: "device changed",
    26: "LDAP server does not answer",
    27: "resource down",
    28: "SMTP server does not answer",
    29: "Voicemail Pro does not answer",
    30: "time server does not answer",
    31: "licence file invalid",
    32: "licence error",
    38: "licence server error",
    40: "planned maintenance",
}


def check(part: Part | None, kind: FaultType, fact: FaultInjected) -> None:
    """CommandRejected for a trunk fault at a port that is no trunk."""
    if kind.name not in (TRUNK, LOOPBACK):
        return
    assert part is not None
    kinds, what = (frozenset({PRI}), PRI) if kind.name == LOOPBACK else (TRUNKS, "trunk")
    find_port(part, int(dict(fact.options)["port"]), kinds, what)


def signal(
    draft: Draft, fault: InjectedFault, parts: tuple[Part, ...], standing: Mapping[str, Alarm]
) -> Iterator[Alarm]:
    """The alarm of a fault that strikes; none at a part that is out of service, whose own alarm tells more."""
    entity: PortEntity | None = PortEntity(CONTROLLER_PATH, CONTROLLER_NAME, CONTROLLER_INDEX)
    place = _PLACES.get(fault.fault)
    if place is not None:
        entity = place(fault)
    elif fault.fault in (TRUNK, LOOPBACK):
        entity = _port(fault, parts)
    if entity is not None:
        yield _alarm(draft, fault, entity, standing)


def reason_text(reason: int) -> str:
    """A reason of the maker's events in words, or its number."""
    return _REASONS.get(reason, f"reason {reason}")


def _alarm(draft: Draft, fault: InjectedFault, entity: PortEntity, standing: Mapping[str, Alarm]) -> Alarm:
    event = draft.catalogue.faults[fault.fault].alarm
    assert event is not None
    name = f"{event}-{entity.path.replace('/', '-')}"
    if event == _SERVICE:  # the unit itself has services that fail for other reasons
        name = f"{name}-{fault.fault}"
    kind = draft.catalogue.alarms[event]
    before = standing.get(name)
    alarm = Alarm(
        name,
        event,
        kind.name,
        _severity(fault, kind.severity),
        fault.number("reason") if "reason" in dict(fault.options) else None,
        entity.path,
        entity.entity_name,
        entity.entity_index,
        draft.unit_time if before is None else before.since,
        draft.seq if before is None else before.seq,
        _TEXTS[fault.fault](fault),
        (f"faults/{fault.id}", *fault.cause),
    )
    return before if before == alarm else alarm


def _severity(fault: InjectedFault, usual: int) -> Severity:
    """A chassis is as critical as a container (hardware.md 8), a full card more than one that fills."""
    is_full = fault.fault == CARD_FILLING and fault.number("percent") > FULL_PERCENT
    return Severity.CRITICAL if fault.fault == CONTROLLER or is_full else Severity(usual)


def _port(fault: InjectedFault, parts: tuple[Part, ...]) -> PortEntity | None:
    part = next(part for part in parts if part.place.path == fault.target)
    return None if part.fitted is None or part.service.hold is not None else port_entity(part, fault.number("port"))


def _card(fault: InjectedFault) -> PortEntity:
    return PortEntity(f"memory-cards/{_CARDS[fault.number('card')]}", _CARD_NAME, _CARD_INDEX)


def _application(fault: InjectedFault) -> PortEntity:
    path = f"applications/{_APPLICATIONS[fault.number('application')]}"
    return PortEntity(path, CONTROLLER_NAME, CONTROLLER_INDEX)


_SERVICE = 46
_PLACES: Mapping[str, Callable[[InjectedFault], PortEntity]] = {
    "link-down": lambda fault: _INTERFACES[fault.number("interface")],
    "application-lost": _application,
    "memory-card-invalid": _card,
    CARD_FILLING: _card,
}
_TEXTS: Mapping[str, Callable[[InjectedFault], str]] = {
    CONTROLLER: lambda _: "control unit in error",
    "link-down": lambda fault: f"{_INTERFACES[fault.number('interface')].path.upper()} link down",
    TRUNK: lambda fault: f"trunk at port {fault.option('port')}: {reason_text(fault.number('reason'))}",
    LOOPBACK: lambda fault: f"loopback at port {fault.option('port')}: {_LOOPBACKS[fault.number('loopback')]}",
    "link-failed": lambda fault: f"link: {reason_text(fault.number('reason'))}",
    "application-lost": lambda fault: f"application {_APPLICATIONS[fault.number('application')]} lost",
    "service-failed": lambda fault: f"service: {reason_text(fault.number('reason'))}",
    "boot-place-backup": lambda _: "not running from the primary place of the System SD",
    "memory-card-invalid": lambda fault: f"memory card {_CARDS[fault.number('card')]} cannot be used",
    CARD_FILLING: lambda fault: f"memory card {_CARDS[fault.number('card')]} is {fault.option('percent')} % full",
}
