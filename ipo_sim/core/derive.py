"""From what happened to all that follows from it, and to what has visibly changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import TypeVar

from ipo_sim.core.alarms import raise_alarms
from ipo_sim.core.draft import Draft, Moved
from ipo_sim.core.effects import Changed, Effects
from ipo_sim.core.leds import light
from ipo_sim.core.licence_check import check_licences, expiry_at
from ipo_sim.core.life import life_cause
from ipo_sim.core.model import (
    Alarm,
    Cause,
    Edition,
    Entity,
    Extension,
    Feature,
    Led,
    Licence,
    Life,
    Lifecycle,
    Nanoseconds,
    Part,
    Unit,
    UnitDefinition,
    UnitStatus,
    User,
)
from ipo_sim.core.service import serve_parts
from ipo_sim.core.usage import settle_usage

_NEVER_POWERED = Life(Lifecycle.OFF, seq=0)
_NO_OFFSET = Nanoseconds(0)
# Named tuples whose first field tells one from another of their kind.
_E = TypeVar("_E", Licence, Feature, User, Extension, Led, Alarm)


def settle(draft: Draft) -> tuple[Unit, Effects]:
    """Freeze the draft: licences decide the edition, the edition the parts, the parts LEDs and alarms."""
    old = draft.old
    licensing = check_licences(draft)
    parts = serve_parts(draft, licensing.edition)
    usage = settle_usage(draft, licensing, parts)
    leds = light(draft, parts)
    alarms = raise_alarms(draft, parts, usage.features)
    unit = Unit(
        definition=draft.definition,
        catalogue=draft.catalogue,
        seq=draft.seq,
        at=draft.at,
        clock_offset_ns=draft.clock_offset_ns,
        life=draft.life,
        key=draft.key,
        reader=draft.reader,
        licences=licensing.licences,
        next_licence=draft.next_licence,
        parts=parts,
        edition=licensing.edition,
        features=usage.features,
        leds=leds,
        alarms=alarms,
        status=_status(draft, licensing.edition),
        expiry_at=expiry_at(draft, licensing.ledger.expiry_day),
        holdings=usage.holdings,
        users=usage.users,
        extensions=usage.extensions,
        ledger=licensing.ledger,
    )
    changes = _changes(old, unit, licensing.moved)
    effects = Effects(draft.seq, draft.at, draft.unit_time, tuple(changes), tuple(draft.notifications))
    return unit, effects


def entities(unit: Unit) -> dict[str, Entity]:
    """All that the outside can see of a unit, by path, in the order of a cascade."""
    return {
        "feature-key": unit.key,
        "reader": unit.reader,
        **{_licence_path(licence): licence for licence in unit.licences},
        **{_feature_path(feature): feature for feature in unit.features},
        **{_user_path(user): user for user in unit.users},
        **{_extension_path(extension): extension for extension in unit.extensions},
        **{part.place.path: part for part in unit.parts if _visible(part)},
        **{_led_path(led): led for led in unit.leds},
        **{_alarm_path(alarm): alarm for alarm in unit.alarms},
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


def _changes(old: Unit, new: Unit, moved: tuple[Moved, ...]) -> list[Changed]:
    """In the order of a cascade: whoever sees `unit` change finds the rest in place."""
    changes: list[Changed] = []
    if new.key is not old.key:
        changes.append(Changed("feature-key", new.key))
    if new.reader is not old.reader:
        changes.append(Changed("reader", new.reader))
    _compare_pairs(moved, _licence_path, changes)
    _compare(old.features, new.features, _feature_path, changes)
    _compare(old.users, new.users, _user_path, changes)
    _compare(old.extensions, new.extensions, _extension_path, changes)
    if new.parts is not old.parts:
        _compare_parts(old.parts, new.parts, changes)
    _compare(old.leds, new.leds, _led_path, changes)
    _compare(old.alarms, new.alarms, _alarm_path, changes)
    if new.status is not old.status:
        changes.append(Changed("unit", new.status))
    return changes


def _compare(old: tuple[_E, ...], new: tuple[_E, ...], path_of: Callable[[_E], str], changes: list[Changed]) -> None:
    """What came, changed and went; entities that stayed the same objects are passed over."""
    if new is not old:
        _compare_pairs([pair for pair in zip_longest(old, new) if pair[0] is not pair[1]], path_of, changes)


def _compare_pairs(
    moved: Sequence[tuple[_E | None, _E | None]], path_of: Callable[[_E], str], changes: list[Changed]
) -> None:
    gone = {before[0]: before for before, _ in moved if before is not None}
    for _, value in moved:
        if value is not None:
            before = gone.pop(value[0], None)
            if before is None or before != value:
                changes.append(Changed(path_of(value), value))
    changes.extend(Changed(path_of(before), None) for before in gone.values())


def _compare_parts(old: tuple[Part, ...], new: tuple[Part, ...], changes: list[Changed]) -> None:
    for before, after in zip(old, new, strict=True):
        if after is before:
            continue
        if _visible(after):
            changes.append(Changed(after.place.path, after))
        elif _visible(before):
            changes.append(Changed(after.place.path, None))


def _visible(part: Part) -> bool:
    """Slots and rear expansion ports always show; what hangs on a base card only when something is there."""
    return not part.place.carried or part.fitted is not None or part.configured is not None


def _licence_path(licence: Licence) -> str:
    return f"licences/{licence.number}"


def _feature_path(feature: Feature) -> str:
    return f"features/{feature.name}"


def _user_path(user: User) -> str:
    return f"users/{user.name}"


def _extension_path(extension: Extension) -> str:
    return f"extensions/{extension.number}"


def _led_path(led: Led) -> str:
    return f"leds/{led.name}"


def _alarm_path(alarm: Alarm) -> str:
    return f"alarms/{alarm.id}"
