"""The IP DECT system of a unit: its own licence, its base stations, and when it has voice.

The smart card plays no part, and what the unit goes through none either: the system stands beside it and goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.dect_events import (
    BaseStationConfigured,
    BaseStationLost,
    BaseStationReachable,
    BaseStationRemoved,
    DectLicenceEntered,
    DectLicenceRemoved,
)
from ipo_sim.core.draft import Draft
from ipo_sim.core.model import (
    SECOND_NS,
    BaseStation,
    Cause,
    Dect,
    DectDefinition,
    DectState,
    DectSystem,
    Extension,
    ExtensionKind,
    Holding,
    Nanoseconds,
)
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing import address, dect_key
from ipo_sim.licensing.dect import QUORUM, Attendance, full_timer, is_violated, rule
from ipo_sim.licensing.dect_key import DECT_KEY_LENGTH, DectKey

# What a call of a DECT handset writes on the channels that it holds.
DECT_CALL = "dect"


def first_dect(definition: DectDefinition | None, catalogue: Catalogue) -> DectSystem | None:
    """The IP DECT system of a new unit; what its licence is worth is settled with the rest."""
    if definition is None:
        return None
    bases = tuple(BaseStation(base.mac, base.admm, base.carries_calls, base.reachable, 0) for base in definition.bases)
    budget = catalogue.dect.violation_hours * 3_600 * SECOND_NS
    timer = full_timer(budget, 0) if definition.violation_timer else None
    return DectSystem(Dect(DectState.INACTIVE, definition.park, definition.key, 0, timer=timer), bases)


def dect_deadline(system: DectSystem) -> Nanoseconds | None:
    """When the violation timer has run down or is full again."""
    timer = system.dect.timer
    deadline = timer.deadline() if timer is not None else None
    return None if deadline is None else Nanoseconds(deadline)


def enter_licence(draft: Draft, fact: DectLicenceEntered) -> None:
    """A key of any PARK goes in, as long as it is one; what it is worth is settled later."""
    system = _system(draft)
    key = dect_key.recognise(fact.key)
    if key is None:
        message = f"no IP DECT licence key: it has {DECT_KEY_LENGTH} letters and digits, and is not a key of the unit"
        raise CommandRejected("bad-licence", message)
    park = address.park(fact.park) if fact.park else system.dect.park
    if park is None:
        message = f"{fact.park[:DECT_KEY_LENGTH]!r} is not a PARK of {address.PARK_DIGITS} hexadecimal digits"
        raise CommandRejected("bad-park", message)
    if (system.dect.key, system.dect.park) == (key.text, park):
        raise CommandRejected("unchanged", "the IP DECT system has that licence key already")
    draft.dect = system._replace(dect=system.dect._replace(key=key.text, park=park, seq=draft.seq))


def remove_licence(draft: Draft, _fact: DectLicenceRemoved) -> None:
    """Without a licence the system is inactive."""
    system = _system(draft)
    if not system.dect.key:
        raise CommandRejected("unchanged", "the IP DECT system has no licence key")
    draft.dect = system._replace(dect=system.dect._replace(key="", seq=draft.seq))


def configure_base(draft: Draft, fact: BaseStationConfigured) -> None:
    """There is one ADMM as soon as there is a base station: the first one, or the one that takes over."""
    system = _system(draft)
    mac = _address(fact.mac)
    known = next((base for base in system.bases if base.mac == mac), None)
    admm = fact.admm or not system.bases
    new = BaseStation(mac, admm, fact.carries_calls, fact.reachable, draft.seq)
    if known is None:
        most = draft.catalogue.dect.bases
        if len(system.bases) >= most:
            raise CommandRejected("capacity", f"an IP DECT system has at most {most} base stations")
    elif _same(known, new):
        raise CommandRejected("unchanged", f"base station {mac} is configured so already")
    elif known.admm and not admm:
        raise CommandRejected("admm-needed", f"base station {mac} is the ADMM: let another one take over first")
    bases = [base._replace(admm=False) if admm and base.admm else base for base in system.bases if base is not known]
    place = len(bases) if known is None else system.bases.index(known)
    draft.dect = system._replace(bases=(*bases[:place], new, *bases[place:]))


def remove_base(draft: Draft, fact: BaseStationRemoved) -> None:
    """Any but the ADMM, unless it is the last one."""
    system = _system(draft)
    base = _base(system, fact.mac)
    if base.admm and len(system.bases) > 1:
        raise CommandRejected("admm-needed", f"base station {base.mac} is the ADMM, which must always be present")
    draft.dect = system._replace(bases=tuple(other for other in system.bases if other is not base))


def reach_base(draft: Draft, fact: BaseStationReachable) -> None:
    """It answers again."""
    _set_reachable(draft, fact.mac, reachable=True)


def lose_base(draft: Draft, fact: BaseStationLost) -> None:
    """It does not answer."""
    _set_reachable(draft, fact.mac, reachable=False)


def require_room(draft: Draft) -> None:
    """CommandRejected when no further handset can be configured."""
    if draft.dect is None:
        return
    most = draft.catalogue.dect.handsets
    if sum(extension.kind is ExtensionKind.DECT for extension in draft.extensions) >= most:
        raise CommandRejected("capacity", f"an IP DECT system has at most {most} handsets")


def require_registration(draft: Draft) -> None:
    """CommandRejected when no handset can register now."""
    if draft.dect is None:
        return
    dect, most = draft.dect.dect, draft.catalogue.dect.active_handsets
    if dect.state is DectState.INACTIVE:
        raise CommandRejected("dect-inactive", "the IP DECT system is inactive: it has no valid licence")
    if dect.active_handsets >= most:
        raise CommandRejected("capacity", f"at most {most} handsets of an IP DECT system are active")


def require_voice(draft: Draft) -> None:
    """CommandRejected when no handset can make a call now."""
    if draft.dect is None:
        return
    dect, bases = draft.dect
    if not dect.voice:
        raise CommandRejected("voice-blocked", f"the IP DECT system is {dect.state.replace('_', ' ')}")
    most = draft.catalogue.dect.calls_per_base * sum(base.reachable and base.carries_calls for base in bases)
    if dect.calls >= most:
        raise CommandRejected("capacity", f"the base stations that answer carry {most} calls at most")


def settle_dect(draft: Draft, extensions: tuple[Extension, ...], holdings: tuple[Holding, ...]) -> DectSystem | None:
    """The system with what its licence is worth at this moment; None: the unit has none."""
    system, old = draft.dect, draft.old
    if system is None:
        return None
    deadline = dect_deadline(system)
    is_due = deadline is not None and deadline <= draft.at
    same_use = extensions is old.extensions and holdings is old.holdings
    if system is old.dect and same_use and not is_due and old.seq >= 0:
        return system
    key = _key(system.dect, draft.definition.secret)
    bases = _licensed(system.bases, key)
    dect = _settled(draft, system.dect, bases, key)._replace(
        handsets=sum(extension.kind is ExtensionKind.DECT for extension in extensions),
        active_handsets=sum(
            extension.kind is ExtensionKind.DECT and extension.registered is not None for extension in extensions
        ),
        calls=len({held.holder for held in holdings if held.request == DECT_CALL}),
        advised_handsets=_advised(draft.catalogue, bases),
    )
    settled = DectSystem(dect, bases)
    return old.dect if settled == old.dect else settled


class _Verdict(NamedTuple):
    """State and cause, and how the timer goes on."""

    state: DectState
    cause: Cause
    violated: bool = False
    required: int = 0
    present: int = 0


def _settled(draft: Draft, dect: Dect, bases: tuple[BaseStation, ...], key: DectKey | None) -> Dect:
    verdict = _verdict(draft, dect, bases, key)
    timer = dect.timer and dect.timer.turned(draft.at, violated=verdict.violated)
    return dect._replace(
        state=verdict.state,
        licensed_bases=key.bases if key else 0,
        licensed_macs=key.macs if key else (),
        required=verdict.required,
        present=verdict.present,
        timer=timer,
        cause=verdict.cause,
    )


def _verdict(draft: Draft, dect: Dect, bases: tuple[BaseStation, ...], key: DectKey | None) -> _Verdict:
    since = f"event:{dect.seq}"
    if key is None:
        return _Verdict(DectState.INACTIVE, ("dect-park" if dect.key else "dect-licence", since))
    admm = next((base for base in bases if base.admm), None)
    if admm is None:
        return _Verdict(DectState.INACTIVE, _kept(draft, "dect-admm"))
    present = sum(base.licensed and base.reachable for base in bases)
    there = Attendance(len(key.macs), present, len(bases), key.bases, admm.reachable)
    violated = is_violated(there)
    left = dect.timer.left(draft.at) if dect.timer is not None else None
    state = rule(there, left_ns=left)
    cause: Cause = ()
    if not admm.reachable:
        cause = _base_cause(admm)
    elif there.bases > there.licensed_bases:
        cause = _kept(draft, f"limit:the licence is for {there.licensed_bases} base stations")
    elif state is not DectState.OK:
        cause = _missing(draft, bases, key)
    return _Verdict(state, cause, violated, QUORUM[there.licensed], present)


def _missing(draft: Draft, bases: Iterable[BaseStation], key: DectKey) -> Cause:
    """The latest licensed base station that went, or one that is not even configured."""
    known = {base.mac: base for base in bases}
    absent = next((mac for mac in key.macs if mac not in known), None)
    if absent is not None:
        return _kept(draft, f"dect/bases/{absent}")
    lost = [base for base in bases if base.licensed and not base.reachable]
    return _base_cause(max(lost, key=lambda base: base.seq))


def _base_cause(base: BaseStation) -> Cause:
    return (f"dect/bases/{base.mac}", f"event:{base.seq}")


def _kept(draft: Draft, head: str) -> Cause:
    """A cause of which no entity keeps the event: since when it has held."""
    old = draft.old.dect.dect.cause if draft.old.dect is not None else ()
    return old if old[:1] == (head,) else (head, draft.event_ref)


def _licensed(bases: tuple[BaseStation, ...], key: DectKey | None) -> tuple[BaseStation, ...]:
    macs = key.macs if key is not None else ()
    return tuple(
        base._replace(licensed=base.mac in macs, cause=() if base.reachable else (f"event:{base.seq}",))
        for base in bases
    )


def _advised(catalogue: Catalogue, bases: Iterable[BaseStation]) -> int:
    busy = any(base.admm and base.carries_calls for base in bases)
    return catalogue.dect.advised_handsets if busy else catalogue.dect.active_handsets


def _key(dect: Dect, secret: bytes) -> DectKey | None:
    """The licence key if it is good for this PARK."""
    key = dect_key.recognise(dect.key) if dect.key else None
    return key if key is not None and dect_key.verify(key, dect.park, secret) else None


def _system(draft: Draft) -> DectSystem:
    if draft.dect is None:
        raise CommandRejected("no-dect", "this unit has no IP DECT system: its configuration has no section dect")
    return draft.dect


def _address(text: str) -> str:
    mac = address.mac_address(text)
    if mac is None:
        raise CommandRejected("bad-mac", f"{text[:DECT_KEY_LENGTH]!r} is not a MAC address such as 00:1b:4f:00:00:01")
    return mac


def _base(system: DectSystem, text: str) -> BaseStation:
    mac = _address(text)
    base = next((known for known in system.bases if known.mac == mac), None)
    if base is None:
        raise CommandRejected("unknown-base", f"the IP DECT system has no base station {mac}")
    return base


def _same(known: BaseStation, new: BaseStation) -> bool:
    return (known.admm, known.carries_calls, known.reachable) == (new.admm, new.carries_calls, new.reachable)


def _set_reachable(draft: Draft, mac: str, *, reachable: bool) -> None:
    system = _system(draft)
    base = _base(system, mac)
    if base.reachable is reachable:
        raise CommandRejected("unchanged", f"base station {base.mac} {'answers' if reachable else 'is lost'} already")
    changed = base._replace(reachable=reachable, seq=draft.seq)
    draft.dect = system._replace(bases=tuple(changed if known is base else known for known in system.bases))
