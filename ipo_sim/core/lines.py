"""What is at ports of cards and modules: phones, and calls on the lines of trunks.

Nothing here is needed by a unit without either, so that it is imported for the first of them only.
"""

from __future__ import annotations

from collections.abc import Callable

from ipo_sim.core.draft import Draft
from ipo_sim.core.events import CallStarted
from ipo_sim.core.model import Hold, InjectedFault, Lifecycle, Part, Port
from ipo_sim.core.ports import PRI, TRUNKS, find_port, port_entity
from ipo_sim.core.signal_events import PortPhoneChanged
from ipo_sim.errors import CommandRejected

PHONES_CHANGE = 2
MAX_PHONE = 32
# An analog phone cannot be sensed (hardware.md 4.2).
SENSING = frozenset({"DS", "ETR", "TCM", "DT"})
# Calls that a port carries: on an analog line one, on a BRI line two; on a PRI line its share of the card's channels.
_CALLS = {"ATM": 1, "BRI": 2}
# Faults of a port that leave it no line.
_LINELESS = frozenset({"trunk-failed", "trunk-loopback", "port-failed"})


def change_phone(draft: Draft, fact: PortPhoneChanged) -> None:
    """A phone comes or goes; a unit that is up and serves the port says that its type changed."""
    part = draft.parts[draft.place_index(fact.path)]
    kind = find_port(part, fact.port, SENSING, "digital station")
    if fact.phone and not (len(fact.phone) <= MAX_PHONE and fact.phone.isprintable()):
        raise CommandRejected("bad-phone", f"a phone is named by up to {MAX_PHONE} printable characters")
    old = _at(draft, part, fact.port)
    if fact.phone == (old.phone if old else ""):
        there = f"{fact.phone} is there already" if fact.phone else "no phone is there"
        raise CommandRejected("unchanged", f"port {fact.port} of {fact.path}: {there}")
    _put(draft, part, fact.port, kind, fact.phone, ())
    if draft.up and part.service.hold in (None, Hold.KEY):
        text = f"phone at port {fact.port}: {fact.phone or 'none'}"
        draft.notify(PHONES_CHANGE, *port_entity(part, fact.port), text=text)


def seize(draft: Draft, fact: CallStarted) -> str:
    """A line of a trunk port for a call; its kind. CommandRejected when there is none."""
    part = draft.parts[draft.place_index(fact.trunk)]
    kind = find_port(part, fact.port, TRUNKS, "trunk")
    if part.service.hold is not None:
        raise CommandRejected("no-line", f"{fact.trunk} is out of service: {part.service.hold}")
    fault = _broken(draft, part, fact.port)
    if fault is not None:
        raise CommandRejected("no-line", f"port {fact.port} of {fact.trunk} has no line: fault {fault.id}")
    old = _at(draft, part, fact.port)
    calls = old.calls if old else ()
    most = _capacity(part, kind)
    if len(calls) >= most:
        busy = f"carries {most} {'call' if most == 1 else 'calls'} already: {', '.join(calls)}"
        raise CommandRejected("no-line", f"port {fact.port} of {fact.trunk} {busy}")
    _put(draft, part, fact.port, kind, "", (*calls, fact.call))
    return kind


def leave(draft: Draft, calls: frozenset[str]) -> None:
    """These calls are over: their lines are free."""
    _keep(draft, lambda port: tuple(call for call in port.calls if call not in calls))


def drop_dead(draft: Draft, parts: tuple[Part, ...]) -> None:
    """What was pulled takes its phones along; what is out of service, or has lost its line, cuts its calls."""
    by_path = {part.place.path: part for part in parts}
    draft.ports = tuple(port for port in draft.ports if _has(by_path[port.place], port))
    up = draft.life.state is Lifecycle.RUNNING
    cut = frozenset(
        call
        for port in draft.ports
        if port.calls and not (up and _carries(draft, by_path[port.place], port))
        for call in port.calls
    )
    cut |= {call for port in draft.old.ports if not _has(by_path[port.place], port) for call in port.calls}
    if cut:
        leave(draft, cut)
        holders = {f"call:{call}" for call in cut}
        draft.holdings = tuple(held for held in draft.holdings if held.holder not in holders)
    if draft.ports == draft.old.ports:
        draft.ports = draft.old.ports


def drop_refused(draft: Draft) -> None:
    """A call that got none of its channels has no line either."""
    calls = (held.holder.removeprefix("call:") for claim in draft.claims for held in claim.takes)
    leave(draft, frozenset(calls))
    if draft.ports == draft.old.ports:
        draft.ports = draft.old.ports


def is_broken(fault: InjectedFault, place: str, number: int) -> bool:
    """Whether a fault leaves a port without its line."""
    if not fault.striking or fault.fault not in _LINELESS or fault.target != place:
        return False
    return fault.number("port") == number


def _broken(draft: Draft, part: Part, number: int) -> InjectedFault | None:
    return next((fault for fault in draft.faults if is_broken(fault, part.place.path, number)), None)


def _carries(draft: Draft, part: Part, port: Port) -> bool:
    return part.service.hold is None and _broken(draft, part, port.number) is None


def _has(part: Part, port: Port) -> bool:
    if part.fitted is None:
        return False
    return any(run.kind == port.kind and 0 <= port.number - run.first < run.count for run in part.fitted.ports)


def _capacity(part: Part, kind: str) -> int:
    if kind != PRI:
        return _CALLS[kind]
    assert part.fitted is not None
    return part.fitted.trunk_channels // sum(run.count for run in part.fitted.ports if run.kind == PRI)


def _at(draft: Draft, part: Part, number: int) -> Port | None:
    return next((port for port in draft.ports if (port.place, port.number) == (part.place.path, number)), None)


def _put(draft: Draft, part: Part, number: int, kind: str, phone: str, calls: tuple[str, ...]) -> None:
    path = part.place.path
    others = [port for port in draft.ports if (port.place, port.number) != (path, number)]
    if phone or calls:
        name = f"{path.replace('/', '-')}-port-{number}"
        others.append(Port(name, path, number, kind, draft.seq, phone, calls))
    draft.ports = tuple(sorted(others, key=lambda port: (port.place, port.number)))


def _keep(draft: Draft, calls_of: Callable[[Port], tuple[str, ...]]) -> None:
    kept = []
    for port in draft.ports:
        calls = calls_of(port)
        if calls == port.calls:
            kept.append(port)
        elif calls or port.phone:
            kept.append(port._replace(calls=calls, seq=draft.seq))
    draft.ports = tuple(kept)
