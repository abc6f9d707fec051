"""Injected faults: they begin, strike with some chance, have consequences, and end, each at its exact time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipo_sim.catalogue.faults import Chance, FaultTarget, FaultType
from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core import key_faults, part_faults, unit_faults
from ipo_sim.core.chance import happens
from ipo_sim.core.draft import Draft
from ipo_sim.core.events import Fact, KeyServerPollMissed
from ipo_sim.core.fault_events import FaultInjected, FaultWithdrawn
from ipo_sim.core.fault_model import InjectedFault
from ipo_sim.core.key_server import miss_poll
from ipo_sim.core.model import KeyPresence, Nanoseconds
from ipo_sim.core.words import KEY_SERVER
from ipo_sim.errors import CommandRejected

# Faults of one unit at a time: more than there is to break on a full one.
MAX_FAULTS = 64
# Options that tell of what a fault is, so that it can be there for each.
_WHICH = ("port", "interface", "application", "card")
# What `target` is for faults that leave no choice.
TARGETS: Mapping[FaultTarget, str] = {
    FaultTarget.FEATURE_KEY: "feature-key",
    FaultTarget.READER: "reader",
    FaultTarget.KEY_SERVER: "reader",
    FaultTarget.UNIT: "unit",
    FaultTarget.MQTT: "mqtt",
}


def inject(draft: Draft, fact: FaultInjected) -> None:
    """One more fault; the same one twice is refused."""
    kind = find_kind(draft.catalogue, fact.fault)
    _check(draft, kind, fact)
    name = _id(kind, fact)
    if any(known.id == name for known in draft.faults):
        raise CommandRejected("unchanged", f"fault {name} is there already; clear it first")
    if len(draft.faults) >= MAX_FAULTS:
        raise CommandRejected("too-many-faults", f"a unit has at most {MAX_FAULTS} faults at a time")
    starts = Nanoseconds(draft.at + fact.start_ns)
    fault = InjectedFault(
        name,
        fact.fault,
        fact.target,
        fact.options,
        fact.probability,
        fact.clear_after,
        starts,
        None if fact.duration_ns is None else Nanoseconds(starts + fact.duration_ns),
        draft.definition.seed,
        draft.seq,
        cause=(draft.event_ref,),
    )
    draft.faults = (*draft.faults, fault)
    if starts == draft.at:
        _begin(draft, fault)


def withdraw(draft: Draft, fact: FaultWithdrawn) -> None:
    """Take a fault back, with what follows from it."""
    _end(draft, find(draft, fact.id))


def find_kind(catalogue: Catalogue, name: str) -> FaultType:
    """The fault of that name in the catalogue; CommandRejected with the nearest one."""
    kind = catalogue.faults.get(name)
    if kind is None:
        from difflib import get_close_matches  # noqa: PLC0415 - only who made a mistake pays for it

        near = get_close_matches(name, catalogue.faults, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(catalogue.faults)}"
        raise CommandRejected("unknown-fault", f"there is no fault {name}: {hint}")
    return kind


def find(draft: Draft, name: str) -> InjectedFault:
    """The fault of that id; CommandRejected when there is none."""
    for fault in draft.faults:
        if fault.id == name:
            return fault
    known = ", ".join(fault.id for fault in draft.faults) or "none"
    raise CommandRejected("no-fault", f"there is no injected fault {name}; there are: {known}")


def fault_deadline(faults: tuple[InjectedFault, ...]) -> Nanoseconds | None:
    """When the first of them begins, goes on or ends."""
    return min((at for fault in faults if (at := _deadline(fault)) is not None), default=None)


def reach(draft: Draft) -> None:
    """The deadline of one fault has come."""
    fault = next(fault for fault in draft.faults if _deadline(fault) == draft.at)
    if not fault.begun:
        _begin(draft, fault)
    elif fault.until == draft.at:
        _end(draft, fault)
    else:
        _go_on(draft, fault)


def report(draft: Draft, fact: Fact) -> None:
    """The reader says something while faults stand between it and the unit."""
    assert draft.report is not None
    if isinstance(fact, KeyServerPollMissed):
        miss_poll(draft, fact)
        return
    before, draft.report = draft.report, key_faults.heard(draft.report, fact)
    is_new = draft.report.presence is KeyPresence.PRESENT
    for fault in draft.faults:
        kind = draft.catalogue.faults[fault.fault]
        if kind.chance is not Chance.INSERTION or not fault.begun:
            continue
        if is_new:
            _strike(draft, fault)
        elif before.presence is KeyPresence.PRESENT:
            _rest(draft, fault)
    key_faults.show(draft)
    _forget_report(draft)


def enforce(draft: Draft) -> None:
    """What faults of parts and of the configuration do to whatever an event has changed."""
    for fault in draft.faults:
        if part_faults.is_replaced(draft, fault):
            put(draft, fault, None)
        elif fault.begun and (part_faults.is_starting(draft, fault) or unit_faults.is_starting(draft, fault)):
            part_faults.mend(draft, fault, restarted=True)
            if _is_spent(fault):
                put(draft, fault, None)
            else:
                _strike(draft, fault)
        elif fault.striking:
            part_faults.enforce(draft, fault)
            unit_faults.enforce(draft, fault)


def put(draft: Draft, fault: InjectedFault, new: InjectedFault | None) -> None:
    """Replace a fault by what it is now; None: it is gone."""
    left = tuple(new if known.id == fault.id else known for known in draft.faults)
    draft.faults = tuple(known for known in left if known is not None)


def _deadline(fault: InjectedFault) -> Nanoseconds | None:
    if not fault.begun:
        return fault.starts
    if fault.until is None or (fault.next_at is not None and fault.next_at < fault.until):
        return fault.next_at
    return fault.until


def _begin(draft: Draft, fault: InjectedFault) -> None:
    fault = _now(draft, fault, fault._replace(begun=True))
    kind = draft.catalogue.faults[fault.fault]
    if fault.fault in key_faults.MASKS and draft.report is None:
        draft.report = key_faults.report_of(draft)
    if kind.chance is Chance.POLL:
        _now(draft, fault, fault._replace(next_at=Nanoseconds(draft.at + draft.definition.poll_ns)))
    elif kind.chance is Chance.ONCE or (
        kind.chance is Chance.INSERTION and fault.fault != "slow-card" and _is_card_in(draft)
    ):
        _strike(draft, fault)
    if draft.report is not None:
        key_faults.show(draft)


def _is_card_in(draft: Draft) -> bool:
    return draft.report is not None and draft.report.presence is KeyPresence.PRESENT


def _strike(draft: Draft, fault: InjectedFault) -> bool:
    """The fault may strike now; whether it does."""
    chances = fault.chances + 1
    what = f"{draft.definition.name} {fault.id}"
    if not happens(fault.seed, what, chances, fault.probability):
        _now(draft, fault, fault._replace(chances=chances, striking=False, phase=0, next_at=None))
        return False
    struck = fault._replace(chances=chances, striking=True, strikes=fault.strikes + 1)
    effect = _STRIKES.get(fault.fault)
    _now(draft, fault, effect(draft, struck) if effect is not None else struck)
    return True


def _go_on(draft: Draft, fault: InjectedFault) -> None:
    _ON[fault.fault](draft, fault)
    if draft.report is not None:
        key_faults.show(draft)
        _forget_report(draft)


def _rest(draft: Draft, fault: InjectedFault) -> None:
    """A strike is over; after enough of them so is the fault."""
    if _is_spent(fault):
        put(draft, fault, None)
    else:
        _now(draft, fault, fault._replace(striking=False, phase=0, next_at=None))


def _end(draft: Draft, fault: InjectedFault) -> None:
    put(draft, fault, None)
    if fault.striking:
        part_faults.mend(draft, fault)
        unit_faults.mend(draft, fault)
    if draft.report is not None:
        key_faults.show(draft)
        _forget_report(draft)


def _forget_report(draft: Draft) -> None:
    """Without faults in between the unit sees what the reader says."""
    if not any(fault.begun and fault.fault in key_faults.MASKS for fault in draft.faults):
        draft.report = None


def _now(draft: Draft, fault: InjectedFault, new: InjectedFault) -> InjectedFault:
    put(draft, fault, new)
    return new


def _bounce(draft: Draft, fault: InjectedFault) -> InjectedFault:
    return fault._replace(phase=2 * fault.number("bounces"), next_at=Nanoseconds(draft.at + fault.number("interval")))


def _bounced(draft: Draft, fault: InjectedFault) -> None:
    left = fault.phase - 1
    if left == 0:
        _rest(draft, fault)
    else:
        _now(draft, fault, fault._replace(phase=left, next_at=Nanoseconds(draft.at + fault.number("interval"))))


def _delay(draft: Draft, fault: InjectedFault) -> InjectedFault:
    return fault._replace(next_at=Nanoseconds(draft.at + fault.number("delay")))


def _poll(draft: Draft, fault: InjectedFault) -> None:
    """The unit asks the key server, as often as it does; one that is slow often enough loses the link."""
    if _is_spent(fault):
        put(draft, fault, None)
        return
    later = Nanoseconds(draft.at + draft.definition.poll_ns)
    is_missed = _strike(draft, fault)
    polled = find(draft, fault.id)
    misses = min(fault.phase + 1, fault.number("misses")) if is_missed else 0
    _now(draft, polled, polled._replace(phase=misses, next_at=later))
    if 0 < misses < fault.number("misses") and draft.reader.attached:
        miss_poll(draft, KeyServerPollMissed(misses))


def _is_spent(fault: InjectedFault) -> bool:
    return fault.clear_after is not None and fault.strikes >= fault.clear_after


def _id(kind: FaultType, fact: FaultInjected) -> str:
    options = dict(fact.options)
    which = [options[name] for name in _WHICH if name in options]
    if kind.target in TARGETS:
        return "-".join((fact.fault, *which))
    return "-".join((fact.fault, fact.target.replace("/", "-"), *which))


def _check(draft: Draft, kind: FaultType, fact: FaultInjected) -> None:
    if kind.target in TARGETS and fact.target != TARGETS[kind.target]:
        raise CommandRejected("bad-target", f"{kind.name} is a fault of {TARGETS[kind.target]}, not of {fact.target}")
    if kind.target is FaultTarget.KEY_SERVER and draft.reader.kind != KEY_SERVER:
        raise CommandRejected("bad-target", f"unit {draft.definition.name} has a {draft.reader.kind} reader")
    part = draft.parts[draft.place_index(fact.target)] if kind.target in (FaultTarget.PART, FaultTarget.PLACE) else None
    if part is not None:
        part_faults.check(part, kind, fact)
    model = draft.catalogue.models[draft.definition.model]
    if kind.key_form not in (None, model.key_form):
        raise CommandRejected(
            "bad-target", f"{kind.name} is a fault of models with an {kind.key_form}, not of {model.title}"
        )
    if kind.alarm is not None:
        from ipo_sim.core import signal_faults  # noqa: PLC0415 - only who injects one pays for it

        signal_faults.check(part, kind, fact)
    if fact.clear_after is not None and kind.chance is Chance.ONCE:
        raise CommandRejected("bad-arguments", f"{kind.name} strikes once: duration says when it ends, not clear_after")


# What a strike does at once, beside what the unit sees of it.
_STRIKES: Mapping[str, Callable[[Draft, InjectedFault], InjectedFault]] = {
    "flaky-contact": _bounce,
    "slow-card": _delay,
    "part-failed": part_faults.fail,
    "slot-failed": part_faults.fail,
    "module-never-starts": part_faults.fail,
    "firmware-mismatch": part_faults.fail,
    "clock-drift": unit_faults.wait,
    "configuration-corrupt": unit_faults.corrupt,
    "software-missing": unit_faults.halt,
}
# How it goes on when its time has come.
_ON: Mapping[str, Callable[[Draft, InjectedFault], None]] = {
    "flaky-contact": _bounced,
    "slow-card": _rest,
    "key-server-slow": _poll,
    "clock-drift": lambda draft, fault: put(draft, fault, unit_faults.drift(draft, fault)),
}
