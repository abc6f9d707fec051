"""From what happened to all that follows from it, and to what has visibly changed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from operator import itemgetter
from typing import TypeVar

from ipo_sim.core.alarms import raise_alarms
from ipo_sim.core.dect import settle_dect
from ipo_sim.core.draft import Draft, Moved
from ipo_sim.core.effects import Effects
from ipo_sim.core.leds import light
from ipo_sim.core.licence_check import check_licences, expiry_at
from ipo_sim.core.life import life_cause
from ipo_sim.core.model import (
    Alarm,
    BaseStation,
    Cause,
    Edition,
    Entity,
    Extension,
    Feature,
    InjectedFault,
    Led,
    Licence,
    Life,
    Lifecycle,
    Nanoseconds,
    Part,
    Port,
    Unit,
    UnitDefinition,
    UnitStatus,
    User,
)
from ipo_sim.core.pools import licence_name
from ipo_sim.core.service import serve_parts
from ipo_sim.core.usage import settle_usage

# Half the cost of a named tuple's own constructor, where a cascade makes dozens.
_new = tuple.__new__
# Of licences that many units have.
COMMON_NUMBERS = 64
_NEVER_POWERED = Life(Lifecycle.OFF, seq=0)
_NO_OFFSET = Nanoseconds(0)
_name = itemgetter(0)
# Named tuples whose first field tells one from another of their kind.
_E = TypeVar("_E", Licence, Feature, User, Extension, BaseStation, Port, Led, InjectedFault, Alarm)


def settle(draft: Draft) -> tuple[Unit, Effects]:
    """Freeze the draft: licences decide the edition, the edition the parts, the parts LEDs and alarms."""
    old = draft.old
    licensing = check_licences(draft)
    parts = serve_parts(draft, licensing.edition)
    if draft.ports:
        from ipo_sim.core.lines import drop_dead  # noqa: PLC0415 - only a unit with something at a port pays for it

        drop_dead(draft, parts)
    usage = settle_usage(draft, licensing, parts)
    if draft.refused and draft.ports is not old.ports:
        from ipo_sim.core.lines import drop_refused  # noqa: PLC0415 - as above

        drop_refused(draft)
    if draft.dect is not None:
        draft.dect = settle_dect(draft, usage.extensions, usage.holdings)
    leds = light(draft, parts, usage.features)
    alarms = raise_alarms(draft, parts, usage.features)
    unit = _new(
        Unit,
        (
            draft.definition,
            draft.catalogue,
            draft.seq,
            draft.at,
            draft.clock_offset_ns,
            draft.life,
            draft.key,
            draft.reader,
            licensing.licences,
            draft.next_licence,
            parts,
            licensing.edition,
            usage.features,
            leds,
            alarms,
            _status(draft, licensing.edition),
            expiry_at(draft, licensing.ledger.expiry_day),
            usage.holdings,
            usage.users,
            usage.extensions,
            draft.dect,
            draft.faults,
            draft.report,
            draft.ports,
            licensing.ledger,
        ),
    )
    changes = _changes(old, unit, licensing.moved)
    refused = _refused(draft) if draft.refused else ()
    told = (changes, tuple(draft.notifications), refused)
    return unit, _new(Effects, (draft.seq, draft.at, draft.at + draft.clock_offset_ns, *told))


def _refused(draft: Draft) -> tuple[str, ...]:
    model, profile = draft.definition.model, draft.definition.release_profile
    return tuple(licence_name(draft.catalogue, model, profile, feature) for feature in sorted(draft.refused))


def entities(unit: Unit) -> dict[str, Entity]:
    """All that the outside can see of a unit, by path, in the order of a cascade."""
    return {
        "feature-key": unit.key,
        "reader": unit.reader,
        **_by_path("licences", unit.licences),
        **_by_path("features", unit.features),
        **_by_path("users", unit.users),
        **_by_path("extensions", unit.extensions),
        **({} if unit.dect is None else {**_by_path("dect/bases", unit.dect.bases), "dect": unit.dect.dect}),
        **{part.place.path: part for part in unit.parts if _visible(part)},
        **_by_path("ports", unit.ports),
        **_by_path("leds", unit.leds),
        **_by_path("faults", unit.faults),
        **_by_path("alarms", unit.alarms),
        "unit": unit.status,
    }


def new_status(
    definition: UnitDefinition,
    edition: Edition,
    life: Life = _NEVER_POWERED,
    clock_offset_ns: Nanoseconds = _NO_OFFSET,
    cause: Cause = (),
) -> UnitStatus:
    """The unit in one line."""
    return UnitStatus(
        definition.name,
        definition.model,
        definition.system_name,
        definition.mac,
        definition.release_profile,
        definition.release,
        life.state,
        edition.name,
        life.state is Lifecycle.RUNNING,
        life.until,
        clock_offset_ns,
        definition.utc_offset_minutes,
        definition.licence_server,
        cause,
    )


def _status(draft: Draft, edition: Edition) -> UnitStatus:
    old = draft.old
    cause = life_cause(draft)
    if (
        draft.life is old.life
        and edition.name == old.status.edition
        and cause == old.status.cause
        and draft.clock_offset_ns == old.clock_offset_ns
    ):
        return old.status
    return new_status(draft.definition, edition, draft.life, draft.clock_offset_ns, cause)


def _changes(old: Unit, new: Unit, licences: tuple[Moved, ...]) -> dict[str, Entity | None]:
    """In the order of a cascade: whoever sees `unit` change finds the rest in place."""
    changes: dict[str, Entity | None] = {}
    if new.key is not old.key:
        changes["feature-key"] = new.key
    if new.reader is not old.reader:
        changes["reader"] = new.reader
    _compare_moved(licences, changes)
    if new.features is not old.features:
        _compare("features", old.features, new.features, changes)
    if new.users is not old.users or new.extensions is not old.extensions:
        _compare("users", old.users, new.users, changes)
        _compare("extensions", old.extensions, new.extensions, changes)
    if new.dect is not None and old.dect is not None and new.dect is not old.dect:
        _compare("dect/bases", old.dect.bases, new.dect.bases, changes)
        if new.dect.dect != old.dect.dect:
            changes["dect"] = new.dect.dect
    if new.parts is not old.parts:
        _compare_parts(old.parts, new.parts, changes)
    if (
        new.leds is not old.leds
        or new.alarms is not old.alarms
        or new.ports is not old.ports
        or new.faults is not old.faults
    ):
        _compare_shown(old, new, changes)
    if new.status is not old.status:
        changes["unit"] = new.status
    return changes


def _compare_shown(old: Unit, new: Unit, changes: dict[str, Entity | None]) -> None:
    _compare("ports", old.ports, new.ports, changes)
    _compare("leds", old.leds, new.leds, changes)
    _compare("faults", old.faults, new.faults, changes)
    _compare("alarms", old.alarms, new.alarms, changes)


def _compare(group: str, old: tuple[_E, ...], new: tuple[_E, ...], changes: dict[str, Entity | None]) -> None:
    """What came, changed and went; entities that stayed the same objects are passed over."""
    if new is old:
        return
    if len(new) == len(old):
        # As a rule the same entities are there in the same order.
        for before, value in zip(old, new, strict=True):
            if value is before:
                continue
            if value[0] != before[0]:
                break
            if value != before:
                changes[_path(group, value[0])] = value
        else:
            return
    _compare_by_name(group, old, new, changes)


def _compare_by_name(group: str, old: tuple[_E, ...], new: tuple[_E, ...], changes: dict[str, Entity | None]) -> None:
    gone: dict[str | int, _E] = dict(zip(map(_name, old), old, strict=True))
    for value in new:
        name = value[0]
        was = gone.pop(name, None)
        if was is not value and was != value:
            changes[_path(group, name)] = value
    changes.update({_path(group, name): None for name in gone})


def _compare_moved(licences: tuple[Moved, ...], changes: dict[str, Entity | None]) -> None:
    """Licences, of which there can be thousands, by what the check has moved."""
    gone = []
    for before, after in licences:
        if after is not None:
            number = after[0]
            # The first ones are the same for all units; beyond them a cache of paths would only be turned over.
            path = _path("licences", number) if number < COMMON_NUMBERS else f"licences/{number}"
            changes[path] = after
        elif before is not None:
            gone.append(before.number)
    for number in sorted(gone):
        changes[_path("licences", number)] = None


def _compare_parts(old: tuple[Part, ...], new: tuple[Part, ...], changes: dict[str, Entity | None]) -> None:
    for before, after in zip(old, new, strict=True):
        if after is before:
            continue
        if _visible(after):
            changes[after.place.path] = after
        elif _visible(before):
            changes[after.place.path] = None


def _visible(part: Part) -> bool:
    """Slots and rear expansion ports always show; what hangs on a base card only when something is there."""
    return not part.place.carried or part.fitted is not None or part.configured is not None


def _by_path(group: str, entities: Iterable[_E]) -> dict[str, _E]:
    return {_path(group, entity[0]): entity for entity in entities}


@lru_cache(maxsize=1_024)
def _path(group: str, name: str | int) -> str:
    """One string for all units: a fleet keeps each of them thousands of times."""
    return f"{group}/{name}"
