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

    def drop_zeros(self) -> None:
        """After strings were taken out."""
        for sums in (self.candidates, self.strings, self.licensed):
            for name in [name for name, number in sums.items() if not number]:
                del sums[name]


def empty_ledger(settlement: Settlement, expiry_day: int | None) -> Ledger:
    """A ledger without strings."""
    return Ledger(settlement, {}, {}, {}, expiry_day)


def instances(kind: LicenceType, key: LicenceKey) -> int:
    """What a string counts for: a whole feature is one instance whatever number it carries."""
    return 1 if kind.kind is LicenceKind.FEATURE else key.instances
