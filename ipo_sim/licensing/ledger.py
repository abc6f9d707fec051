"""What licence strings add up to, kept from event to event so that one more key costs one more check and no more."""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.catalogue.types import LicenceKind, LicenceType
from ipo_sim.licensing.key import LicenceKey
from ipo_sim.licensing.status import LicenceStatus, Settlement

# Statuses of strings that match the card, are in date and in use by this release: only others can hold them back.
CANDIDATES = frozenset({LicenceStatus.DORMANT, LicenceStatus.VALID})


class Ledger(NamedTuple):
    """What the decided strings settle to, and their sums: no sum of 0 is kept.

    `candidates` counts strings by licence name, `strings` all recognised ones by feature, `licensed` adds up the
    instances of the Valid ones by feature. `expiry_day`, counted from 1970-01-01, is the first that ends a string.
    """

    settlement: Settlement
    candidates: dict[str, int]
    strings: dict[str, int]
    licensed: dict[str, int]
    expiry_day: int | None

    def copy(self) -> Ledger:
        """A ledger whose sums can be written; the settlement is shared, it is never written."""
        return self._replace(candidates=dict(self.candidates), strings=dict(self.strings), licensed=dict(self.licensed))

    def enter(self, kind: LicenceType, strings: int, candidates: int, valid: int, instances: int) -> None:
        """Enter decided strings of one kind, or take them out with numbers below 0.

        `candidates` of the `strings` match card, day and release, `valid` of these hold and carry `instances` in all.
        """
        _add(self.strings, kind.feature, strings)
        _add(self.candidates, kind.name, candidates)
        _add(self.licensed, kind.feature, valid if kind.kind is LicenceKind.FEATURE else instances)


def empty_ledger(settlement: Settlement, expiry_day: int | None) -> Ledger:
    """A ledger without strings."""
    return Ledger(settlement, {}, {}, {}, expiry_day)


def instances(kind: LicenceType, key: LicenceKey) -> int:
    """What a string counts for: a whole feature is one instance whatever number it carries."""
    return 1 if kind.kind is LicenceKind.FEATURE else key.instances


def _add(sums: dict[str, int], name: str, number: int) -> None:
    if not number:
        return
    total = sums.get(name, 0) + number
    if total:
        sums[name] = total
    else:
        del sums[name]
