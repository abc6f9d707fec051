"""The kinds of cards that an identity can be read from."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from ipo_sim.card.layout import FkcContent


class Kind(StrEnum):
    """In the order in which they are looked for."""

    FKC = "fkc"
    FKC_MEMORY = "fkc-memory"
    FKC_TAG = "fkc-tag"
    OPENPGP = "openpgp"
    PIV = "piv"
    GDO = "gdo"
    ICCID = "iccid"
    CPLC = "cplc"
    UID = "uid"

    @property
    def is_fkc(self) -> bool:
        """Whether it carries a serial of its own."""
        return self in (Kind.FKC, Kind.FKC_MEMORY, Kind.FKC_TAG)


class Found(NamedTuple):
    """What a probe found: for ordinary cards a number that is the card's own, for FKC-1 cards their content."""

    kind: Kind
    number: str
    content: FkcContent | None = None

    @property
    def identity(self) -> str:
        """The identity as enrolment tables and topics write it: `iccid:8949...`, `fkc:1234567890`."""
        return f"{Kind.FKC if self.kind.is_fkc else self.kind}:{self.number}"
