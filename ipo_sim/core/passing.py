"""Passing events of the maker: what they tell of is not simulated, and leaves nothing behind."""

from __future__ import annotations

from difflib import get_close_matches

from ipo_sim.core.draft import Draft
from ipo_sim.core.effects import Notification
from ipo_sim.core.feature_key import KEY_PATH
from ipo_sim.core.key_server import READER_PATH
from ipo_sim.core.life import CONTROLLER_INDEX, CONTROLLER_NAME, CONTROLLER_PATH
from ipo_sim.core.model import Part, Severity
from ipo_sim.core.ports import PORT, PortEntity, find_port, port_entity
from ipo_sim.core.signal_events import EventReported
from ipo_sim.core.words import KEY_INDEX, KEY_NAME
from ipo_sim.errors import CommandRejected

# Of reasons and application events [MIB], and of free text as a trap carries it.
MAX_REASON = 79
MAX_TEXT = 255
APPLICATION = 31
EMERGENCY_CALL = 58
EMERGENCY_REASON = 55
# Application events that have a severity of their own [MIB]: storage full, nearly full, okay.
_STORAGE = {1: Severity.CRITICAL, 2: Severity.WARNING, 3: Severity.CLEARED}
_WHOLE = {
    CONTROLLER_PATH: PortEntity(CONTROLLER_PATH, CONTROLLER_NAME, CONTROLLER_INDEX),
    KEY_PATH: PortEntity(KEY_PATH, KEY_NAME, KEY_INDEX),
    READER_PATH: PortEntity(READER_PATH, KEY_NAME, KEY_INDEX),
}


def report(draft: Draft, fact: EventReported) -> None:
    """Send one event of the catalogue that only tells of something."""
    if not draft.up:
        state = draft.life.state.replace("_", " ")
        raise CommandRejected("wrong-state", f"a unit that is {state} sends no events")
    kind = draft.catalogue.alarms.get(fact.number)
    if kind is None or not kind.passing:
        raise CommandRejected("bad-event", _not_passing(draft, fact.number))
    _check(fact)
    entity = _entity(draft, fact.path)
    reason = EMERGENCY_REASON if fact.reason is None and fact.number == EMERGENCY_CALL else fact.reason
    said = (kind.number, kind.name, _severity(fact, kind.severity))
    draft.notifications.append(Notification(*said, *entity, reason, fact.text, fact.data, (draft.event_ref,)))


def _severity(fact: EventReported, usual: int) -> Severity:
    if fact.severity is not None:
        return Severity(fact.severity)
    if fact.number == APPLICATION and fact.reason in _STORAGE:
        return _STORAGE[fact.reason]
    return Severity(usual)


def _check(fact: EventReported) -> None:
    if fact.reason is not None and not 1 <= fact.reason <= MAX_REASON:
        raise CommandRejected("bad-arguments", f"reason: it is 1 to {MAX_REASON}, not {fact.reason}")
    if fact.severity is not None and fact.severity not in {int(severity) for severity in Severity}:
        raise CommandRejected("bad-arguments", f"severity: it is 1 (cleared) to 6 (warning), not {fact.severity}")
    for name, text in (("text", fact.text), ("data", fact.data)):
        if len(text) > MAX_TEXT or not (text.isprintable() or not text):
            raise CommandRejected("bad-arguments", f"{name}: it is up to {MAX_TEXT} printable characters")


def _entity(draft: Draft, path: str) -> PortEntity:
    whole = _WHOLE.get(path)
    if whole is not None:
        return whole
    place, _, port = path.partition(PORT)
    part = _part(draft, place)
    if part is None or not (port.isdecimal() or place == path):
        known = [*_WHOLE, *(part.place.path for part in draft.parts)]
        near = get_close_matches(path, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}, and ports such as slots/1/port/3"
        raise CommandRejected("unknown-place", f"nothing of a unit stands at {path!r}: {hint}")
    if place == path:
        if part.fitted is None:
            raise CommandRejected("empty", f"nothing is fitted at {path}")
        return PortEntity(path, part.entity_name, part.entity_index)
    kinds = frozenset() if part.fitted is None else frozenset(run.kind for run in part.fitted.ports)
    find_port(part, int(port), kinds, "such")
    return port_entity(part, int(port))


def _part(draft: Draft, path: str) -> Part | None:
    return next((part for part in draft.parts if part.place.path == path), None)


def _not_passing(draft: Draft, number: int) -> str:
    alarms = draft.catalogue.alarms
    kind = alarms.get(number)
    passing = ", ".join(str(known.number) for known in alarms.values() if known.passing)
    if kind is None:
        return f"the maker has no event {number}; those that can be sent: {passing}"
    if kind.never is not None:
        return f"no unit here sends event {number} ({kind.name}): {kind.never[0]}"
    faults = ", ".join(fault.name for fault in draft.catalogue.faults.values() if fault.alarm == number)
    how = f"fault {faults} raises it" if faults else "it comes of what happens to the unit"
    return f"event {number} ({kind.name}) is not sent by command: {how}; those that can be sent: {passing}"
