"""Rows of states.yaml: what units can start as, and how poor they can be."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from ipo_sim.catalogue.source import Cell, read


class Without(StrEnum):
    """What can be taken away from a configuration."""

    LICENCES = "licences"
    SLOTS = "slots"
    DAUGHTERS = "daughters"
    EXPANSION = "expansion"
    EXPANSION_CARD = "expansion-card"


class InitialState(NamedTuple):
    """A state: commands, and with + lengths of time, that lead to it from a unit that has just got power."""

    name: str
    title: str
    do: tuple[str, ...]
    without: tuple[Without, ...]


class FeatureSet(NamedTuple):
    """A poorer unit. `oldest`: it runs the first release of its model."""

    name: str
    title: str
    without: tuple[Without, ...]
    oldest: bool


class States(NamedTuple):
    """Both tables by name."""

    states: Mapping[str, InitialState]
    feature_sets: Mapping[str, FeatureSet]


@lru_cache(maxsize=1)
def load_states() -> States:
    """The data file, read once for each process, and only if somebody asks."""
    with read("states.yaml").row() as root:
        states = {name: _state(name, cell) for name, cell in root.take("states").table()}
        sets = {name: _feature_set(name, cell) for name, cell in root.take("feature_sets").table()}
    return States(MappingProxyType(states), MappingProxyType(sets))


def _state(name: str, cell: Cell) -> InitialState:
    with cell.row() as row:
        do = tuple(item.text() for item in row.take("do").cells())
        return InitialState(name, row.take("title").text(), do, row.get("without", _without, ()))


def _feature_set(name: str, cell: Cell) -> FeatureSet:
    with cell.row() as row:
        oldest = row.get("release", lambda release: release.text() == "oldest", default=False)
        return FeatureSet(name, row.take("title").text(), row.get("without", _without, ()), oldest)


def _without(cell: Cell) -> tuple[Without, ...]:
    return cell.tuple_of(lambda item: item.choice(Without))
