"""Snapshots: a short cut past a long history, taken only while code and catalogue are those that wrote it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.codec import Decoder, encode_unit
from ipo_sim.core.model import Unit, UnitDefinition
from ipo_sim.core.unit import entities
from ipo_sim.runtime.journal import Journal
from ipo_sim.runtime.store import Entry

# A replay of this many events is not felt at start, and writing one state for as many events not while running.
SNAPSHOT_EVERY = 500

# What a state depends on, beside its history.
_PACKAGES = ("ipo_sim.core", "ipo_sim.licensing", "ipo_sim.catalogue")
_SUFFIXES = (".py", ".yaml")


class State(NamedTuple):
    """A unit, and its visible entities with the event and the unit time of their last change."""

    unit: Unit
    entries: dict[str, Entry]


@cache
def digest() -> str:
    """Of all code and data that turn a history into a state."""
    from importlib import resources  # noqa: PLC0415 - a megabyte of modules, for long histories only

    total = hashlib.blake2b(digest_size=16)
    for package in _PACKAGES:
        files = sorted(resources.files(package).iterdir(), key=lambda file: file.name)
        for file in files:
            if file.name.endswith(_SUFFIXES):
                total.update(f"{package}/{file.name}\0".encode() + file.read_bytes())
    return total.hexdigest()


def save(journal: Journal, unit: Unit, entries: Mapping[str, Entry]) -> None:
    """Replace the unit's snapshot; JournalError when it cannot be written."""
    data = {
        "unit": encode_unit(unit),
        "entries": {path: [entry.seq, entry.at] for path, entry in entries.items()},
    }
    journal.write_snapshot(unit.definition.name, unit.seq, digest(), data)


def load(
    journal: Journal, definition: UnitDefinition, catalogue: Catalogue, epoch: int, decoder: Decoder
) -> State | None:
    """The state of the unit's last snapshot; None when there is none of this epoch that this code wrote."""
    snapshot = journal.snapshot(definition.name)
    if snapshot is None or snapshot.epoch != epoch or snapshot.digest != digest():
        return None
    try:
        unit = decoder.unit(snapshot.data["unit"], definition, catalogue)
        stamps = snapshot.data["entries"]
        entries = {path: Entry(stamps[path][0], stamps[path][1], value) for path, value in entities(unit).items()}
    except (ValueError, KeyError, TypeError):
        return None
    return State(unit, entries) if unit.seq == snapshot.seq else None
