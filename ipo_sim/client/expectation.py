"""What is waited for: an entity with certain values, or of which something is true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ipo_sim.client.entities import Entity, fields_of

# Entities are of many kinds, and which one a path has only its reader knows.
Predicate = Callable[[Any], object]


class Expectation(NamedTuple):
    """The entity at `path` has all these values, and `predicate` says yes. `gone`: it is not there."""

    path: str
    values: Mapping[str, object]
    predicate: Predicate | None = None
    gone: bool = False

    def is_met(self, entity: Entity | None) -> bool:
        """Whether it holds for what stands there now; AttributeError names a value that no such entity has."""
        if entity is None or self.gone:
            return self.gone and entity is None
        if not all(_alike(getattr(entity, name), value) for name, value in self.values.items()):
            return False
        return self.predicate is None or bool(self.predicate(entity))

    def text(self) -> str:
        """What is waited for, in words."""
        if self.gone:
            return f"{self.path} gone"
        values = ", ".join(f"{name}={value}" for name, value in self.values.items())
        return " ".join(filter(None, (self.path, values, "as the predicate wants it" if self.predicate else "")))

    def found(self, entity: Entity | None) -> str:
        """What is there instead, in words: the values that are waited for, or all."""
        if entity is None:
            return f"there is no {self.path}"
        if not self.values or self.predicate is not None:
            return f"it has {fields_of(entity)}"
        values = ", ".join(f"{name}={getattr(entity, name)}" for name in self.values)
        cause = getattr(entity, "cause", ())
        return f"it has {values}{f', because of {chr(32).join(cause)}' if cause else ''}"


def _alike(value: object, wanted: object) -> bool:
    return value == wanted or (isinstance(wanted, list) and value == tuple(wanted))
