"""Which parts serve, and what holds the others: the order of `Hold` decides."""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.catalogue.types import PartType, PlaceKind
from ipo_sim.core.draft import UP, Draft
from ipo_sim.core.life import life_cause
from ipo_sim.core.model import (
    Availability,
    Cause,
    Edition,
    Hold,
    Lifecycle,
    OperState,
    Part,
    Service,
)

# Half the cost of a named tuple's own constructor, where a cascade makes dozens.
_new = tuple.__new__
IN_SERVICE = Service(OperState.ENABLED)
EMPTY = Service(OperState.DISABLED, Availability.NOT_INSTALLED, Hold.EMPTY)
# A part that served and is held for one of these has failed by itself; the others are the unit's own doing.
FAILURES = frozenset({Hold.EMPTY, Hold.MISSING, Hold.FAULT, Hold.MISMATCH, Hold.SURPLUS, Hold.CARRIER, Hold.LICENCE})


class _Situation(NamedTuple):
    """What holds for all parts alike."""

    unit: Service | None
    unlicensed: Service | None
    keyless: Service | None
    max_modules: int


def serve_parts(draft: Draft, edition: Edition) -> tuple[Part, ...]:
    """Every part with its service settled; parts that stay as they are stay the same objects."""
    old = draft.old
    first = 0
    if (
        draft.life is old.life
        and edition is old.edition
        and (draft.life.state is Lifecycle.RUNNING or draft.key.cause == old.key.cause)
    ):
        if draft.parts is old.parts:
            return draft.parts
        # A part depends on those before it only, so that all before the first that changed stay as they are.
        first = _first_changed(draft.parts, old.parts)
    situation = _situation(draft, edition)
    up = draft.up
    served = list(draft.parts[:first])
    modules = sum([part.place.kind is PlaceKind.EXPANSION and part.service.hold is None for part in served])
    for part in draft.parts[first:]:
        if part.fitted is not None or part.service is not EMPTY or part.configured is not None or part.seq:
            service = _service(part, situation, served, modules)
            if service.hold is None and part.place.kind is PlaceKind.EXPANSION:
                modules += 1
            if service is not part.service or part.failed:
                part = _with_service(part, service, up=up)  # noqa: PLW2901 - the part as it is now
        served.append(part)
    return tuple(served)


def _first_changed(parts: tuple[Part, ...], old: tuple[Part, ...]) -> int:
    """How many parts at the beginning are the same objects."""
    for index, part in enumerate(parts):
        if part is not old[index]:
            return index
    return 0


def _situation(draft: Draft, edition: Edition) -> _Situation:
    state = draft.life.state
    unit = None
    if state not in UP:
        availability = Availability.POWER_OFF if state is Lifecycle.OFF else Availability.OFF_LINE
        unit = Service(OperState.DISABLED, availability, Hold.UNIT, (f"unit:{state}", *life_cause(draft)))
    most = edition.max_modules
    if most != edition.max_modules_extended and _extended(draft.parts):
        most = edition.max_modules_extended
    return _Situation(
        unit,
        _dependency(Hold.LICENCE, edition.module_cause) if most == 0 else None,
        _dependency(Hold.KEY, life_cause(draft)) if state is Lifecycle.AWAITING_FEATURE_KEY else None,
        most,
    )


def _extended(parts: tuple[Part, ...]) -> bool:
    """Whether a card brings expansion ports of its own."""
    for part in parts:
        fitted = part.fitted
        if fitted is not None and fitted.expansion_ports and part.detected:
            return True
    return False


def _service(part: Part, situation: _Situation, served: list[Part], modules: int) -> Service:
    if part.fitted is None:
        return _missing(part)
    if situation.unit is not None:
        return situation.unit
    sound = part.detected and part.fault is None and part.surplus is None and part.configured is part.fitted
    held = None if sound else _own_hold(part)
    place = part.place
    if held is None and place.carried:
        held = _carrier_hold(part, served)
    if held is None and place.kind is PlaceKind.EXPANSION:
        held = _module_hold(part, situation, modules)
    return held or situation.keyless or IN_SERVICE


def _missing(part: Part) -> Service:
    """Nothing is there: as ever, since it was withdrawn, or although it is configured."""
    if part.configured is None:
        if part.seq == 0:
            return EMPTY
        return Service(OperState.DISABLED, Availability.NOT_INSTALLED, Hold.EMPTY, (f"event:{part.seq}",))
    return _off_line(Hold.MISSING, (f"configuration:{_code(part.configured)}", f"event:{part.seq}"))


def _own_hold(part: Part) -> Service | None:
    """What holds a fitted part whatever stands around it."""
    if part.fault is not None:
        cause = (f"fault:{part.fault}", f"event:{part.seq}")
        return Service(OperState.DISABLED, Availability.FAILED, Hold.FAULT, cause)
    if not part.detected:
        return _off_line(Hold.RESTART, ("restart", f"event:{part.seq}"))
    if part.configured is not part.fitted and part.configured is not None:
        return _off_line(Hold.MISMATCH, (f"configuration:{_code(part.configured)}", f"event:{part.seq}"))
    if part.surplus is not None:
        return _off_line(Hold.SURPLUS, (f"limit:{part.surplus}", f"event:{part.seq}"))
    return None


def _module_hold(part: Part, situation: _Situation, modules: int) -> Service | None:
    """What the edition says to one more module when `modules` serve already."""
    if situation.unlicensed is not None:
        return situation.unlicensed
    if modules < situation.max_modules:
        return None
    rule = f"limit:at most {situation.max_modules} expansion modules"
    return _off_line(Hold.SURPLUS, (rule, f"event:{part.seq}"))


def _code(kind: PartType | None) -> str:
    return kind.code if kind else "nothing"


def _carrier_hold(part: Part, served: list[Part]) -> Service | None:
    """Held by the base card that carries this card, or by the one that has this module's expansion port."""
    place = part.place
    if place.kind is not PlaceKind.EXPANSION:
        carrier = served[place.number - 1]  # the slots come first
    else:
        for carrier in served:
            if carrier.fitted is not None and place.number in carrier.fitted.expansion_ports:
                break
        else:
            return _dependency(Hold.CARRIER, (f"expansion-port:{place.number}", f"event:{part.seq}"))
    if carrier.service.hold in (None, Hold.KEY):
        return None
    return _dependency(Hold.CARRIER, (carrier.place.path, *carrier.service.cause))


def _with_service(part: Part, service: Service, *, up: bool) -> Part:
    if service.hold is None or not up:
        failed = False
    else:
        failed = part.failed or (part.service.hold is None and service.hold in FAILURES)
    if part.failed == failed and (part.service is service or part.service == service):
        return part
    state = (part.detected, part.seq, service, part.fault, part.surplus, failed)
    return _new(Part, (part.place, part.fitted, part.configured, *state))


def _dependency(hold: Hold, cause: Cause) -> Service:
    return Service(OperState.DISABLED, Availability.DEPENDENCY, hold, cause)


def _off_line(hold: Hold, cause: Cause) -> Service:
    return Service(OperState.DISABLED, Availability.OFF_LINE, hold, cause)
