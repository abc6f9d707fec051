"""Which units of a configuration are meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ipo_sim.cli.failure import UsageError
from ipo_sim.config.load import load_config
from ipo_sim.core.model import UnitDefinition


def units_of(config: Path, name: str | None) -> Sequence[UnitDefinition]:
    """The units of a configuration, or the one of that name; ConfigError, UsageError."""
    units = load_config(config).units
    if name is None:
        return units
    found = [unit for unit in units if unit.name == name]
    if not found:
        from difflib import get_close_matches  # noqa: PLC0415 - only who made a mistake pays for it

        names = [str(unit.name) for unit in units]
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names[:10])}"
        raise UsageError(f"{config} has no unit {name}: {hint}")
    return found
