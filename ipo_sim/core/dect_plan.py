"""The licence key that an IP DECT system needs, and why the one that it has will not do (licensing.md 9)."""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.core.definition import DectDefinition
from ipo_sim.licensing.dect import QUORUM
from ipo_sim.licensing.dect_key import MAX_MACS, recognise, verify


class DectPlan(NamedTuple):
    """A key for so many `bases` of the system at `park`, proved by `macs`; `lacking` is why it is missing, or empty."""

    park: str
    bases: int
    macs: tuple[str, ...]
    lacking: str


def plan_dect(dect: DectDefinition, secret: bytes) -> DectPlan | None:
    """What a system as it is configured needs so that it has voice; None: it has no base stations, so nothing."""
    if not dect.bases:
        return None
    # The ADMM has to be there in any case, so that it may as well prove the key.
    macs = [base.mac for base in sorted(dect.bases, key=lambda base: not base.admm)][:MAX_MACS]
    return DectPlan(dect.park, len(dect.bases), tuple(macs), _lacking(dect, secret))


def _lacking(dect: DectDefinition, secret: bytes) -> str:
    if not dect.key:
        return "there is none"
    key = recognise(dect.key)
    if key is None:
        return "what is there is none"
    if key.park != dect.park:
        return f"the one that is there is for PARK {key.park}"
    if not verify(key, dect.park, secret):
        return "the one that is there was issued with another secret"
    if key.bases < len(dect.bases):
        return f"the one that is there is for {key.bases}"
    known = {base.mac for base in dect.bases}
    proving = sum(mac in known for mac in key.macs)
    if proving < QUORUM[len(key.macs)]:
        return f"{proving} of the {len(key.macs)} that prove the one that is there belong to the system"
    return ""
