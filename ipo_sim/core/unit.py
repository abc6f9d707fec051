"""The one door to the core: a unit and an event in, the next unit and what it did out. Nothing here waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core import (
    acquisition,
    chassis,
    dect,
    faults,
    feature_key,
    key_faults,
    key_server,
    licence_store,
    life,
    people,
)
from ipo_sim.core.dect_events import (
    BaseStationConfigured,
    BaseStationLost,
    BaseStationReachable,
    BaseStationRemoved,
    DectLicenceEntered,
    DectLicenceRemoved,
)
from ipo_sim.core.derive import entities, new_status, settle
from ipo_sim.core.draft import Draft
from ipo_sim.core.effects import Effects
from ipo_sim.core.events import (
    CallEnded,
    CallStarted,
    ConfigurationLoaded,
    DateSet,
    DeadlineReached,
    Event,
    ExtensionConfigured,
    ExtensionRemoved,
    Fact,
    FaultCleared,
    FaultSet,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    InstancesReleased,
    InstancesRequested,
    KeyServerPollMissed,
    LicenceAdded,
    LicenceRemoved,
    LicencesImported,
    PartConfigured,
    PartFitted,
    PartWithdrawn,
    PhoneRegistered,
    PhoneUnregistered,
    PowerApplied,
    PowerRemoved,
    ReaderAttached,
    ReaderLost,
    RestartRequested,
    ShutdownRequested,
    UserConfigured,
    UserRemoved,
)
from ipo_sim.core.fault_events import FaultInjected, FaultWithdrawn
from ipo_sim.core.fitting import places
from ipo_sim.core.model import (
    Edition,
    FeatureKey,
    KeyCondition,
    KeyPresence,
    KeyReason,
    Life,
    Lifecycle,
    Nanoseconds,
    Part,
    PartDefinition,
    Place,
    Reader,
    Unit,
    UnitDefinition,
)
from ipo_sim.core.service import EMPTY
from ipo_sim.core.signal_events import EventReported, PortPhoneChanged
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.key import normalise

__all__ = ["entities", "new_unit", "next_deadline", "step"]

# Unit time stays within years that RFC 3339 and the date type can say.
MAX_TIME_NS = 253_370_764_800 * 1_000_000_000


def new_unit(definition: UnitDefinition, catalogue: Catalogue) -> Unit:
    """The unit as delivered: powered off, no reader heard of, its parts fitted and its licences entered."""
    model = catalogue.models[definition.model]
    edition = Edition(catalogue.editions[model.edition_profile(definition.release_profile)][-1].edition, 0, 0)
    texts = tuple(dict.fromkeys(map(normalise, definition.licences)))
    users, holdings = people.first_users(catalogue, definition.release_profile, definition.users)
    bare = Unit(
        definition=definition,
        catalogue=catalogue,
        seq=-1,
        at=Nanoseconds(0),
        clock_offset_ns=Nanoseconds(0),
        life=Life(Lifecycle.OFF, seq=-1),
        key=FeatureKey(KeyPresence.ABSENT, KeyReason.NOT_PRESENT, KeyCondition.UNCHECKED, seq=0),
        reader=Reader(definition.reader_kind, definition.reader_name, attached=False, seq=0),
        licences=tuple(
            licence_store.new_licence(catalogue, number, text, 0, loaded=True)
            for number, text in enumerate(texts, start=1)
        ),
        next_licence=len(texts) + 1,
        parts=chassis.with_surplus(_parts(definition, catalogue, places(model))),
        edition=edition,
        features=(),
        leds=(),
        alarms=(),
        status=new_status(definition, edition),
        expiry_at=None,
        holdings=holdings,
        users=users,
        extensions=people.first_extensions(definition.extensions),
        dect=dect.first_dect(definition.dect, catalogue),
    )
    draft = Draft(bare, Event(bare.at, PowerRemoved()))
    draft.life = Life(Lifecycle.OFF, seq=0)
    return settle(draft)[0]


def step(unit: Unit, event: Event) -> tuple[Unit, Effects]:
    """Apply one event; CommandRejected: it is not possible now and nothing has changed.

    Events come in order of time, and none comes later than a deadline that has not been reached yet.
    """
    _check_time(unit, event)
    draft = Draft(unit, event)
    kind = type(event.fact)
    if draft.report is not None and kind in key_faults.REPORTS:
        faults.report(draft, event.fact)
    else:
        _HANDLERS[kind](draft, event.fact)
    if draft.faults:
        faults.enforce(draft)
    return settle(draft)


def next_deadline(unit: Unit) -> Nanoseconds | None:
    """When the unit goes on by itself if nothing else happens, in simulation time; never before `unit.at`."""
    earliest = unit.life.until
    deadline = unit.key.grace_until
    if deadline is not None and (earliest is None or deadline < earliest):
        earliest = deadline
    deadline = unit.expiry_at
    if deadline is not None and (earliest is None or deadline < earliest):
        earliest = deadline
    if unit.dect is not None:
        deadline = dect.dect_deadline(unit.dect)
        if deadline is not None and (earliest is None or deadline < earliest):
            earliest = deadline
    if unit.faults:
        deadline = faults.fault_deadline(unit.faults)
        if deadline is not None and (earliest is None or deadline < earliest):
            earliest = deadline
    return earliest


def _check_time(unit: Unit, event: Event) -> None:
    if event.at < unit.at:
        raise CommandRejected("time-goes-back", f"event at {event.at}, the unit is at {unit.at} already")
    if event.at > MAX_TIME_NS:
        raise CommandRejected("time-out-of-range", "simulation time ends with the year 9998")
    deadline = next_deadline(unit)
    if deadline is not None and deadline < event.at:
        raise CommandRejected("deadline-pending", f"the deadline at {deadline} comes before {event.at}")
    if type(event.fact) is DeadlineReached and deadline != event.at:
        raise CommandRejected("no-deadline", f"no deadline at {event.at}")


def _reach_deadline(draft: Draft, _fact: DeadlineReached) -> None:
    """One deadline at a time; of equal ones the unit's life goes first."""
    if draft.life.until == draft.at:
        life.go_on(draft)
    elif draft.key.grace_until == draft.at:
        feature_key.end_grace(draft)
    elif draft.faults and faults.fault_deadline(draft.faults) == draft.at:
        faults.reach(draft)
    # An expiry changes nothing but the day, a violation timer nothing but what is left: what is settled sees it.


def _set_date(draft: Draft, fact: DateSet) -> None:
    if fact.clock_offset_ns == draft.clock_offset_ns:
        raise CommandRejected("unchanged", "the unit's clock shows that already")
    if not 0 <= draft.at + fact.clock_offset_ns <= MAX_TIME_NS:
        raise CommandRejected("time-out-of-range", "the unit's clock runs from 1970 to 9998")
    draft.clock_offset_ns = fact.clock_offset_ns


def _report_event(draft: Draft, fact: EventReported) -> None:
    from ipo_sim.core.passing import report  # noqa: PLC0415 - most daemons are never told to

    report(draft, fact)


def _change_phone(draft: Draft, fact: PortPhoneChanged) -> None:
    from ipo_sim.core.lines import change_phone  # noqa: PLC0415 - most daemons are never told of any

    change_phone(draft, fact)


# The value type is Any because each handler takes its own fact only.
_HANDLERS: Mapping[type[Fact], Callable[[Draft, Any], None]] = {
    PowerApplied: life.apply_power,
    PowerRemoved: life.remove_power,
    RestartRequested: life.request_restart,
    ShutdownRequested: life.request_shutdown,
    DeadlineReached: _reach_deadline,
    ReaderAttached: feature_key.attach_reader,
    ReaderLost: feature_key.lose_reader,
    KeyServerPollMissed: key_server.miss_poll,
    FeatureKeyInserted: feature_key.insert_key,
    FeatureKeyRemoved: feature_key.remove_key,
    FeatureKeyUnreadable: feature_key.fail_key,
    LicenceAdded: licence_store.add_licence,
    LicencesImported: licence_store.import_licences,
    LicenceRemoved: licence_store.remove_licence,
    ConfigurationLoaded: licence_store.load_configuration,
    PartFitted: chassis.fit_part,
    PartWithdrawn: chassis.withdraw_part,
    PartConfigured: chassis.configure_part,
    FaultSet: chassis.set_fault,
    FaultInjected: faults.inject,
    FaultWithdrawn: faults.withdraw,
    FaultCleared: chassis.clear_fault,
    EventReported: _report_event,
    PortPhoneChanged: _change_phone,
    DateSet: _set_date,
    InstancesRequested: acquisition.request_instances,
    InstancesReleased: acquisition.release_instances,
    CallStarted: acquisition.start_call,
    CallEnded: acquisition.end_call,
    UserConfigured: people.configure_user,
    UserRemoved: people.remove_user,
    ExtensionConfigured: people.configure_extension,
    ExtensionRemoved: people.remove_extension,
    PhoneRegistered: people.register_phone,
    PhoneUnregistered: people.unregister_phone,
    DectLicenceEntered: dect.enter_licence,
    DectLicenceRemoved: dect.remove_licence,
    BaseStationConfigured: dect.configure_base,
    BaseStationRemoved: dect.remove_base,
    BaseStationReachable: dect.reach_base,
    BaseStationLost: dect.lose_base,
}


def _parts(definition: UnitDefinition, catalogue: Catalogue, where: tuple[Place, ...]) -> tuple[Part, ...]:
    defined = {part.path: part for part in definition.parts}
    return tuple(_part(place, defined.get(place.path), catalogue) for place in where)


def _part(place: Place, defined: PartDefinition | None, catalogue: Catalogue) -> Part:
    if defined is None:
        return _empty_part(place)
    fitted = None if defined.fitted is None else catalogue.parts[defined.fitted]
    configured = None if defined.configured is None else catalogue.parts[defined.configured]
    return Part(place, fitted, configured, detected=False, seq=0, service=EMPTY)


@lru_cache(maxsize=256)
def _empty_part(place: Place) -> Part:
    """Shared by all units: most places of most units are empty."""
    return Part(place, None, None, detected=False, seq=0, service=EMPTY)
