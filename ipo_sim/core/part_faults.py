"""Faults of slots, cards, modules and their ports."""

from __future__ import annotations

from ipo_sim.catalogue.faults import FaultTarget, FaultType
from ipo_sim.core.draft import Draft
from ipo_sim.core.fault_events import FaultInjected
from ipo_sim.core.fault_model import InjectedFault
from ipo_sim.core.model import Part
from ipo_sim.errors import CommandRejected

NEVER_STARTS = "module-never-starts"
FIRMWARE = "firmware-mismatch"
SLOT = "slot-failed"
PORT = "port-failed"
# Those that put a whole part out of service, by the name of the fault.
OF_PARTS = frozenset({"part-failed", SLOT, NEVER_STARTS, FIRMWARE})
# Those that are gone with the part.
_WITH_THE_PART = frozenset({"part-failed", FIRMWARE, PORT, "trunk-failed", "trunk-loopback"})


def check(part: Part, kind: FaultType, fact: FaultInjected) -> None:
    """CommandRejected for a part that is not there, or a port that it has not."""
    if kind.target is FaultTarget.PART and part.fitted is None:
        raise CommandRejected("empty", f"nothing is fitted at {part.place.path}")
    if kind.name == PORT and part.fitted is not None:
        ports = sum(run.count for run in part.fitted.ports)
        number = int(dict(fact.options)["port"])
        # As printed, or counted from 1.
        is_printed = any(0 <= number - run.first < run.count for run in part.fitted.ports)
        if not is_printed and not 1 <= number <= ports:
            raise CommandRejected("bad-arguments", f"port: {part.fitted.code} at {part.place.path} has {ports} ports")


def fail(draft: Draft, fault: InjectedFault) -> InjectedFault:
    """The part at the fault's place is out of service; a fault that it has already stays."""
    for index, part in enumerate(draft.parts):
        if part.place.path == fault.target and part.fitted is not None and part.fault is None:
            _put(draft, index, part._replace(fault=fault.fault, seq=draft.seq))
    return fault


def enforce(draft: Draft, fault: InjectedFault) -> None:
    """A slot breaks what is put into it."""
    if fault.fault == SLOT:
        fail(draft, fault)


def is_starting(draft: Draft, fault: InjectedFault) -> bool:
    """Whether this event is the start at which the part may fail to come up."""
    if fault.fault != NEVER_STARTS:
        return False
    pairs = zip(draft.old.parts, draft.parts, strict=True)
    return any(new.place.path == fault.target and new.detected and not old.detected for old, new in pairs)


def is_replaced(draft: Draft, fault: InjectedFault) -> bool:
    """Whether the part that had the fault has been pulled."""
    if fault.fault not in _WITH_THE_PART:
        return False
    return any(part.place.path == fault.target and part.fitted is None for part in draft.parts)


def mend(draft: Draft, fault: InjectedFault, *, restarted: bool = False) -> None:
    """The part works again: at once, or, where it has to be started anew, after the next restart."""
    needs_restart = fault.fault in (FIRMWARE, NEVER_STARTS) and not restarted
    if fault.fault not in OF_PARTS:
        return
    for index, part in enumerate(draft.parts):
        if part.place.path == fault.target and part.fault == fault.fault:
            detected = part.detected and not needs_restart
            _put(draft, index, part._replace(fault=None, detected=detected, seq=draft.seq))


def _put(draft: Draft, index: int, part: Part) -> None:
    draft.parts = (*draft.parts[:index], part, *draft.parts[index + 1 :])
