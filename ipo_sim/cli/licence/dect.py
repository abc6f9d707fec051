"""`ipo-sim licence dect`: keys of IP DECT systems minted, explained and checked."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import Any

from ipo_sim.cli.failure import EXIT_OK, UsageError
from ipo_sim.cli.terminal import print_json
from ipo_sim.licensing import address
from ipo_sim.licensing.dect import QUORUM
from ipo_sim.licensing.dect_key import DectKey, issue, recognise, verify
from ipo_sim.licensing.status import LicenceStatus


def mint(arguments: Namespace, secret: bytes) -> int:
    """One key for a PARK and the MACs of base stations."""
    bases = len(arguments.macs) if arguments.bases is None else arguments.bases
    key = issue(park=arguments.park, macs=arguments.macs, bases=bases, secret=secret)
    if arguments.json:
        print_json(_facts(key))
    else:
        print(key.text)
    return EXIT_OK


def judged(text: str, park: str | None, secret: bytes) -> dict[str, Any] | None:
    """What a key of an IP DECT system is worth at a PARK; None: it is none."""
    key = recognise(text)
    if key is None:
        return None
    if park is None:
        raise UsageError(f"{key.text} is a key of an IP DECT system: --park says of which")
    canonical = address.park(park)
    if canonical is None:
        raise UsageError(
            f"--park: a PARK has {address.PARK_DIGITS} hexadecimal digits, not all of them 0, not {park!r}"
        )
    status, why = LicenceStatus.VALID, ""
    if key.park != canonical:
        status, why = LicenceStatus.INVALID, f"issued for PARK {key.park}"
    elif not verify(key, canonical, secret):
        status, why = LicenceStatus.INVALID, "issued with another secret, or mistyped in its last characters"
    return {**_facts(key), "status": status, "why": why}


def explained(text: str) -> dict[str, Any] | None:
    """What a key of an IP DECT system says; None: it is none."""
    key = recognise(text)
    return None if key is None else {**_facts(key), "recognised": True}


def paragraph(facts: Mapping[str, Any]) -> Iterator[str]:
    """The same for people, but for the key itself."""
    yield "  licence    IP DECT: entered in the IP DECT system, not in the unit"
    yield f"  PARK       {facts['park']}"
    yield f"  bases      {facts['bases']}"
    yield f"  proved by  {facts['required']} of {', '.join(facts['macs'])}"


def _facts(key: DectKey) -> dict[str, Any]:
    return {
        "key": key.text,
        "licence": "IP DECT",
        "park": key.park,
        "bases": key.bases,
        "macs": key.macs,
        "required": QUORUM[len(key.macs)],
    }
