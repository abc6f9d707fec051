"""What a unit shows now: of each path its value, and the event that changed it last. Small: there is one for each unit.

A store keeps two lists, its paths are those of all units that show the same: entries are made for who asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from weakref import WeakValueDictionary

from ipo_sim.core.effects import Changes
from ipo_sim.core.model import Entity, Nanoseconds


class Entry(NamedTuple):
    """An entity as of event `seq` at `at` (unit time); `value` None: withdrawn."""

    seq: int
    at: Nanoseconds
    value: Entity | None


class Stamp(NamedTuple):
    """The event with which something changed, and its unit time: one object for all that it changed."""

    seq: int
    at: Nanoseconds


class _Shape:
    """Where the lists of a store have what."""

    __slots__ = ("__weakref__", "places")

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.places = {path: place for place, path in enumerate(paths)}


_shapes: WeakValueDictionary[tuple[str, ...], _Shape] = WeakValueDictionary()


def _shape(paths: tuple[str, ...]) -> _Shape:
    shape = _shapes.get(paths)
    if shape is None:
        shape = _shapes[paths] = _Shape(paths)
    return shape


class Store(Mapping[str, Entry]):
    """The entries of one unit by path; it reads as they are now, also after further changes."""

    __slots__ = ("_shape", "_stamps", "_values")

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        stamps: dict[tuple[int, Nanoseconds], Stamp] = {}
        self._shape = _shape(tuple(entries))
        self._values = [entry.value for entry in entries.values()]
        self._stamps = [stamps.setdefault(entry[:2], Stamp(entry.seq, entry.at)) for entry in entries.values()]

    def __getitem__(self, path: str) -> Entry:
        place = self._shape.places[path]
        seq, at = self._stamps[place]
        return Entry(seq, at, self._values[place])

    def __iter__(self) -> Iterator[str]:
        return iter(self._shape.places)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, path: object) -> bool:
        return path in self._shape.places

    def change(self, stamp: Stamp, changes: Changes) -> None:
        """Take new values in; those that are None take their paths along."""
        places = self._shape.places
        others = False
        for path, value in changes.items():
            place = places.get(path)
            if place is None or value is None:
                others = True
            else:
                self._values[place] = value
                self._stamps[place] = stamp
        if others:
            self._reshape(stamp, changes)

    def _reshape(self, stamp: Stamp, changes: Changes) -> None:
        kept = [place for path, place in self._shape.places.items() if changes.get(path, stamp) is not None]
        paths = tuple(self._shape.places)
        come = [path for path, value in changes.items() if value is not None and path not in self]
        self._values = [self._values[place] for place in kept] + [changes[path] for path in come]
        self._stamps = [self._stamps[place] for place in kept] + [stamp] * len(come)
        self._shape = _shape((*[paths[place] for place in kept], *come))
