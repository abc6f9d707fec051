"""Which units of a journal are meant, and which epochs of them."""

from __future__ import annotations

from argparse import Namespace

from ipo_sim.core.model import UnitName
from ipo_sim.errors import JournalError
from ipo_sim.runtime.journal_reader import Epoch, JournalReader


def selected(arguments: Namespace, reader: JournalReader) -> list[tuple[UnitName, Epoch]]:
    """Units and epochs that the options name; JournalError when there are none."""
    units = reader.units()
    if arguments.unit is not None:
        if arguments.unit not in units:
            raise JournalError(f"the journal has no unit {arguments.unit}; it has {', '.join(units) or 'none'}")
        units = [UnitName(arguments.unit)]
    found = [
        (unit, epoch)
        for unit in units
        for epoch in (reader.epochs(unit)[-1:] if arguments.epoch is None else reader.epochs(unit))
        if arguments.epoch in (None, epoch.number)
    ]
    if not found and arguments.epoch is not None:
        raise JournalError(f"no unit has an epoch {arguments.epoch}")
    return found
