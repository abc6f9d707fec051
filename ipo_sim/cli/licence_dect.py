"""`ipo-sim licence dect`: keys of IP DECT systems minted, and explained."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import Any

from ipo_sim.cli.failure import EXIT_OK
from ipo_sim.cli.terminal import print_json
from ipo_sim.licensing.dect import QUORUM
from ipo_sim.licensing.dect_key import DectKey, issue, recognise


def mint(arguments: Namespace, secret: bytes) -> int:
    """One key for a PARK and the MACs of base stations."""
    bases = len(arguments.macs) if arguments.bases is None else arguments.bases
    key = issue(park=arguments.park, macs=arguments.macs, bases=bases, secret=secret)
    if arguments.json:
        print_json(_facts(key))
    else:
        print(key.text)
    return EXIT_OK


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
