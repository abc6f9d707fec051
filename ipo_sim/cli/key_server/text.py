"""How things stand at a key server, as JSON values and in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ipo_sim.licensing.key_server_messages import DongleState, State
from ipo_sim.licensing.key_server_rules import HeldDongle


def dongle_words(kind: str, state: str, serial: str | None, reason: int | None) -> str:
    """`dongle-usb 1234567890`, and what is wrong with it otherwise."""
    if state == DongleState.PRESENT:
        return f"{kind} {serial}"
    return f"{kind} unreadable, reason {reason}" if state == DongleState.UNREADABLE else f"no {kind}"


def held_words(held: HeldDongle) -> str:
    """The same of a server of our own."""
    return dongle_words(held.kind, held.state, held.serial, held.reason)


def unit_words(unit: str | None) -> str:
    """Which unit is validated."""
    return f"validates unit {unit}" if unit else "validates the first unit that polls"


def state_facts(address: str, port: int, state: State) -> dict[str, Any]:
    """For programs."""
    return {
        "server": address,
        "port": port,
        "boot": state.boot,
        "dongle": {
            "state": state.state,
            "kind": state.kind,
            "serial": state.serial,
            "law": state.law,
            "counter": state.counter,
            "reason": state.reason,
        },
        "unit": state.unit,
        "polls": state.polls,
        "refusals": state.refusals,
        "delay_ms": state.delay,
    }


def state_lines(address: str, port: int, state: State) -> Iterator[str]:
    """For people."""
    yield f"{address}:{port}: {dongle_words(state.kind, state.state, state.serial, state.reason)}"
    yield f"  {unit_words(state.unit)}; polls {state.polls:,}, refusals {state.refusals:,}"
    if state.delay:
        yield f"  answers polls {state.delay:,} ms late"
