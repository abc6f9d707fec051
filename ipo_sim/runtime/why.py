"""Why something is not in order: its causes from near to far, each in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ipo_sim.core.draft import UP
from ipo_sim.core.feature_key import KEY_PATH as FEATURE_KEY
from ipo_sim.core.leds import CPU, DAUGHTER_STATUS_LED, STATUS_LED, SYSTEM_SD
from ipo_sim.core.model import Cause, Entity, KeyCondition, Led, Part, Unit, UnitStatus
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.status import LicenceStatus
from ipo_sim.runtime.command import Call
from ipo_sim.runtime.describe import describe
from ipo_sim.runtime.journal import JournalEntry
from ipo_sim.runtime.moment import rfc3339
from ipo_sim.runtime.requests import Answer
from ipo_sim.runtime.store import Entry

Link = dict[str, Any]
# The event of that number in the unit's history; None: it is not there.
FindEvent = Callable[[int], JournalEntry | None]

# Trunk lost and loopback, by which a port's LED shows more than the state of its card.
_LINE_ALARMS = (50, 28)
UNIT = "unit"
# Alarms that an LED of the unit shows before what else it shows.
_OF_THE_UNIT: Mapping[str, tuple[tuple[str, ...], str]] = {
    CPU: (("alarms/20-unit",), UNIT),
    SYSTEM_SD: (("alarms/39-memory-cards-system-sd", "alarms/41-memory-cards-system-sd"), FEATURE_KEY),
}
_BASE = "dect/bases/"
_FAULT = "faults/"


async def why(call: Call) -> Answer:
    """The chain of causes of an entity; of one in order, the event that made it so."""
    context, unit = call.context, call.unit
    journal = context.journal
    epoch = journal.epoch(unit)
    entries = context.bus.latest(unit)
    return explain(context.engine.unit(unit), entries, call.arguments.path, lambda seq: journal.entry(unit, epoch, seq))


def explain(unit: Unit, entries: Mapping[str, Entry], path: str, event: FindEvent) -> Answer:
    """The answer of `why` for a unit in any state; CommandRejected with the nearest path."""
    entry = _find(entries, path)
    cause = causes(entries, path)
    chain = [_link(unit, item, event) for item in cause or (f"event:{entry.seq}",)]
    return {"path": path, "in_order": not cause, "seq": entry.seq, "at": rfc3339(entry.at), "chain": chain}


def causes(entries: Mapping[str, Entry], path: str) -> Cause:
    """The causes of an entity, from near to far; a LED's are those of what it shows. Empty: it is in order."""
    entity = entries[path].value
    if not isinstance(entity, Led):
        return () if entity is None else cause_of(entity)
    shown = _shown(entries, entity.name)
    status = entries[shown].value if shown in entries else None
    cause = () if status is None else cause_of(status)
    if not cause:
        return ()
    return (f"unit:{status.state}" if isinstance(status, UnitStatus) else shown, *cause)


def cause_of(entity: Entity) -> Cause:
    """The causes that an entity carries, from near to far; empty: it is in order, or of no kind that has any."""
    if isinstance(entity, Part):
        return entity.service.cause
    cause: Cause = getattr(entity, "cause", ())
    return cause


def cause_text(unit: Unit, item: str) -> str:
    """What a cause that is no event means for the unit as it is now."""
    if item.startswith(_FAULT):
        return f"the injected fault {item.removeprefix(_FAULT)} strikes"
    if item.startswith(_BASE):
        return _base(unit, item.removeprefix(_BASE))
    kind, _, detail = item.partition(":")
    text = _TEXTS.get(kind)
    return text(unit, detail) if text else f"{item} is out of service"


def _find(entries: Mapping[str, Entry], path: str) -> Entry:
    entry = entries.get(path)
    if entry is None:
        from difflib import get_close_matches  # noqa: PLC0415 - only who made a mistake pays for it

        near = get_close_matches(path, entries, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise CommandRejected("unknown-path", f"the unit has no {path}{hint}")
    return entry


def _shown(entries: Mapping[str, Entry], led: str) -> str:
    """The path of what a LED shows."""
    if led in _OF_THE_UNIT:
        unit = entries[UNIT].value
        is_up = isinstance(unit, UnitStatus) and unit.state in UP
        alarms, else_path = _OF_THE_UNIT[led] if is_up else ((), UNIT)
        return next((alarm for alarm in alarms if alarm in entries), else_path)
    if led.startswith("expansion-"):
        return led.replace("-", "/")
    slot, number = map(int, led.removeprefix("slot-").split("-led-"))
    place = f"slots/{slot}"
    if number == STATUS_LED:
        return place
    card = entries[place].value if place in entries else None
    shows_ports = isinstance(card, Part) and card.fitted is not None and card.fitted.expansion_ports
    if shows_ports:
        return f"expansion/{number}"
    if number < DAUGHTER_STATUS_LED:
        return place
    of_the_line = (f"alarms/{event}-slots-{slot}-daughter-port-{number}" for event in _LINE_ALARMS)
    return next((alarm for alarm in of_the_line if alarm in entries), f"{place}/daughter")


def _link(unit: Unit, item: str, event: FindEvent) -> Link:
    kind, _, detail = item.partition(":")
    if kind == "event":
        return {"cause": item, **_event(event, int(detail))}
    return {"cause": item, "text": cause_text(unit, item)}


def _event(event: FindEvent, seq: int) -> Link:
    if seq == 0:
        return {"text": "the unit is as it was configured"}
    entry = event(seq)
    if entry is None:
        return {"text": f"event {seq} is not in the journal"}
    return {"text": describe(entry.event.fact), "at": rfc3339(entry.event.at), "by": entry.event.cause}


def _licence(unit: Unit, name: str) -> str:
    statuses = {licence.status for licence in unit.licences if licence.type_name == name}
    if not statuses:
        return f"there is no licence {name}"
    best = LicenceStatus.VALID if LicenceStatus.VALID in statuses else min(statuses)
    return f"licence {name} is {best}"


def _feature_key(unit: Unit, _: str) -> str:
    key = unit.key
    if key.condition is KeyCondition.IN_ORDER:
        return f"feature key {key.serial} is in order, but the licence was issued for another one, or is mistyped"
    serial = f" {key.serial}" if key.serial else ""
    detail = f": {key.detail}" if key.detail else ""
    return f"the feature key{serial} is {key.presence}, its condition {key.condition.replace('_', ' ')}{detail}"


def _base(unit: Unit, mac: str) -> str:
    bases = unit.dect.bases if unit.dect is not None else ()
    base = next((known for known in bases if known.mac == mac), None)
    if base is None:
        return f"the IP DECT system has no base station {mac}"
    role = ", the ADMM," if base.admm else ""
    return f"base station {mac}{role} {'answers' if base.reachable else 'does not answer'}"


_TEXTS: Mapping[str, Callable[[Unit, str], str]] = {
    "licence": _licence,
    "feature-key": _feature_key,
    "reader": lambda unit, _: f"reader {unit.reader.name} does not answer: {unit.reader.last_error}",
    "unit": lambda _, state: f"the unit was {state.replace('_', ' ')}",
    "configuration": lambda _, code: (
        f"the configuration expects {code}" if code else "the configuration has not been loaded since"
    ),
    "licence-string": lambda *_: "the string is no licence key",
    "fault": lambda _, fault: f"it has the fault {fault}",
    "restart": lambda *_: "it was not there at the last start and waits for the next one",
    "limit": lambda _, rule: f"it is one too many: {rule}",
    "release-profile": lambda _, profile: f"release profile {profile} does not provide for it",
    "model": lambda _, model: f"model {model} does not use it",
    "expiry": lambda _, day: f"it was valid until {day}",
    "dect-licence": lambda *_: "no licence key is entered in the IP DECT system",
    "dect-park": lambda *_: "the key was issued for another PARK or with another secret",
    "dect-admm": lambda *_: "the IP DECT system has no base station to be its ADMM",
    "expansion-port": lambda _, number: f"no card has expansion port {number}",
}
