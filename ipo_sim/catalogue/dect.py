"""Rows of dect.yaml: what an IP DECT system serves at most."""

from __future__ import annotations

from types import MappingProxyType

from ipo_sim.catalogue.grade import Grade
from ipo_sim.catalogue.hardware import grade
from ipo_sim.catalogue.source import Cell
from ipo_sim.catalogue.types import DectLimits


def read_dect(table: Cell) -> DectLimits:
    """All limits; each row has its value and its grade."""
    grades: dict[str, Grade] = {}
    with table.row() as rows:

        def value(name: str) -> int:
            with rows.take(name).row() as row:
                grades[name] = grade(row)
                return row.take("value").integer(1)

        return DectLimits(
            bases=value("bases"),
            calls_per_base=value("calls_per_base"),
            handsets=value("handsets"),
            active_handsets=value("active_handsets"),
            advised_handsets=value("advised_handsets"),
            violation_hours=value("violation_hours"),
            grades=MappingProxyType(grades),
        )
