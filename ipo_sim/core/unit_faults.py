"""Faults of the unit itself: its clock and its configuration."""

from __future__ import annotations

from ipo_sim.core.draft import Draft
from ipo_sim.core.fault_model import InjectedFault
from ipo_sim.core.life import start_anew
from ipo_sim.core.model import Licence, LicenceStatus, Lifecycle, Nanoseconds

CORRUPT = "configuration-corrupt"
NO_SOFTWARE = "software-missing"
_MILLION = 1_000_000


def wait(draft: Draft, fault: InjectedFault) -> InjectedFault:
    """The clock begins to go wrong; it shows after an interval."""
    return fault._replace(next_at=Nanoseconds(draft.at + fault.number("interval")))


def drift(draft: Draft, fault: InjectedFault) -> InjectedFault:
    """The clock has gone wrong for one interval more."""
    interval = fault.number("interval")
    draft.clock_offset_ns = Nanoseconds(draft.clock_offset_ns + interval * fault.number("ppm") // _MILLION)
    return fault._replace(next_at=Nanoseconds(draft.at + interval))


def corrupt(draft: Draft, fault: InjectedFault) -> InjectedFault:
    """No licence string is loaded any more."""
    _set_loaded(draft, loaded=False, cause=(f"faults/{fault.id}", draft.event_ref))
    return fault


def enforce(draft: Draft, fault: InjectedFault) -> None:
    """Neither a restart nor a load helps as long as the configuration cannot be read."""
    if fault.fault == CORRUPT:
        _set_loaded(draft, loaded=False, cause=(f"faults/{fault.id}", *fault.cause))


def is_starting(draft: Draft, fault: InjectedFault) -> bool:
    """Whether this event is a start that may find no software."""
    return fault.fault == NO_SOFTWARE and draft.life is not draft.old.life and draft.life.state is Lifecycle.STARTING


def halt(draft: Draft, fault: InjectedFault) -> InjectedFault:
    """The start does not end by itself."""
    draft.life = draft.life._replace(until=None)
    return fault


def mend(draft: Draft, fault: InjectedFault) -> None:
    """The configuration is put right, and is loaded as it is; a unit that waits for software starts."""
    if fault.fault == NO_SOFTWARE and draft.life.state is Lifecycle.STARTING:
        start_anew(draft)
    if fault.fault == CORRUPT:
        _set_loaded(draft, loaded=True, cause=())


def _set_loaded(draft: Draft, *, loaded: bool, cause: tuple[str, ...]) -> None:
    """All strings are judged anew where any is not as it should be."""
    if all(licence.loaded == loaded for licence in draft.licences) and not draft.loads:
        return
    draft.entered.clear()
    draft.loads = False
    draft.licences = tuple(_with(licence, draft, loaded=loaded, cause=cause) for licence in draft.licences)


def _with(licence: Licence, draft: Draft, *, loaded: bool, cause: tuple[str, ...]) -> Licence:
    if licence.loaded == loaded:
        return licence
    return licence._replace(loaded=loaded, seq=draft.seq, status=LicenceStatus.UNKNOWN, matches=None, cause=cause)
