"""Which units an entry makes, and what each of them is called."""

from __future__ import annotations

from collections.abc import Iterator

from ipo_sim.config import words
from ipo_sim.config.entries import UnitEntry
from ipo_sim.config.mistakes import Location


def numbers_of(entry: UnitEntry, index: int) -> range:
    """The numbers of the entry's units; one that makes a single unit has its place in the list, from 1."""
    if entry.count is None:
        return range(index + 1, index + 2)
    first = 1 if entry.first is None else entry.first
    return range(first, first + entry.count)


def unit_name(entry: UnitEntry, number: int) -> str:
    """The name of the entry's unit with that number."""
    if entry.name is None:
        return f"unit-{number}"
    return words.numbered(entry.name, number) if entry.count is not None else entry.name


def card_serial(entry: UnitEntry, number: int) -> str:
    """The serial of the card in the virtual reader of the entry's unit with that number."""
    serial = entry.feature_key.serial
    if serial is None:
        return words.derived_serial(unit_name(entry, number))
    return words.numbered(serial, number) if entry.count is not None else serial


def numbered_texts(entry: UnitEntry) -> Iterator[tuple[Location, str]]:
    """The texts of an entry in which the number of a unit may stand, each with its way from the entry."""
    key = entry.feature_key
    texts: tuple[tuple[Location, str | None], ...] = (
        (("name",), entry.name),
        (("system_name",), entry.system_name),
        (("feature_key", "serial"), key.serial),
        (("feature_key", "port"), key.port),
        (("feature_key", "pcsc_reader"), key.pcsc_reader),
        (("feature_key", "cassette"), key.cassette),
        (("feature_key", "record"), key.record),
        (("feature_key", "licence_server"), key.licence_server),
    )
    return ((way, text) for way, text in texts if text is not None)
