"""How sure a row of the catalogue is."""

from __future__ import annotations

from enum import StrEnum


class Grade(StrEnum):
    """How sure a row is: the maker's text, a neighbour's, inference, or a decision of this simulator."""

    A = "A"
    B = "B"
    C = "C"
    DECISION = "decision"
