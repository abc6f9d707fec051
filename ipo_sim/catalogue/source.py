"""Strict reading of the catalogue's YAML: every mistake is a CatalogueError that names file, line and row.

Works on the node tree without YAML's guesses at types: `on` stays a word, duplicate keys are seen, lines are known.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NoReturn, Self, TypeVar

import yaml

from ipo_sim.errors import CatalogueError
from ipo_sim.package_data import package_data

# libyaml where the platform's wheel has it; the same grammar in Python, some ten times slower, elsewhere.
LOADER: type[yaml.CBaseLoader | yaml.BaseLoader] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_shared: dict[tuple[object, ...], tuple[object, ...]] = {}


def share(values: tuple[T, ...]) -> tuple[T, ...]:
    """The one tuple of these values: rows that say the same hold the same object."""
    return _shared.setdefault(values, values)  # type: ignore[return-value]  # equal to `values`, so of its type


class Cell:
    """One value of a data file, and where it stands."""

    __slots__ = ("file", "label", "node")

    def __init__(self, file: str, label: str, node: yaml.Node) -> None:
        self.file = file
        self.label = label
        self.node = node

    def fail(self, message: str) -> NoReturn:
        """Raise the CatalogueError of this place."""
        where = f"{self.file}:{self.node.start_mark.line + 1}"
        raise CatalogueError(f"{where}: {self.label}: {message}" if self.label else f"{where}: {message}")

    def text(self) -> str:
        """A scalar that is not empty, interned."""
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value:
            self.fail("expected a value")
        return sys.intern(self.node.value)

    def integer(self, low: int = 0, high: int = 65_535) -> int:
        """A whole number between `low` and `high`."""
        text = self.text()
        if not (text.isascii() and text.isdecimal()) or not low <= int(text) <= high:
            self.fail(f"expected a whole number from {low} to {high}, not {text!r}")
        return int(text)

    def number(self) -> float:
        """A decimal number from 0 up."""
        text = self.text()
        if not (text.isascii() and text.replace(".", "", 1).isdecimal()):
            self.fail(f"expected a number, not {text!r}")
        return float(text)

    def flag(self) -> bool:
        """`true` or `false`."""
        text = self.text()
        if text not in {"true", "false"}:
            self.fail(f"expected true or false, not {text!r}")
        return text == "true"

    def choice(self, kind: type[E]) -> E:
        """A member of `kind` by its value."""
        text = self.text()
        try:
            return kind(text)
        except ValueError:
            self.fail(f"expected one of {', '.join(kind)}, not {text!r}")

    def cells(self) -> list[Cell]:
        """The items of a sequence."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail("expected a list")
        return [Cell(self.file, self.label, node) for node in self.node.value]

    def tuple_of(self, read: Callable[[Cell], T]) -> tuple[T, ...]:
        """A sequence of values that all differ, shared."""
        values = tuple(read(cell) for cell in self.cells())
        if len(set(values)) != len(values):
            self.fail("a value stands twice in the list")
        return share(values)

    def named_by(self, field: str) -> Cell:
        """The same mapping with the value of one of its fields as its label."""
        name = _entries(self).get(field)
        return self if name is None else Cell(self.file, name.text(), self.node)

    def row(self) -> Row:
        """A mapping to fields."""
        return Row(self)

    def table(self) -> Iterator[tuple[str, Cell]]:
        """The entries of a mapping by their names, which become their labels."""
        return ((name, Cell(self.file, name, cell.node)) for name, cell in _entries(self).items())


class Row:
    """Fields of one row; each is taken once, and what is left at the end of the `with` block is unknown."""

    __slots__ = ("_cell", "_fields")

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._fields = _entries(cell)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is None and self._fields:
            name, cell = next(iter(self._fields.items()))
            cell.fail(f"unknown field {name!r}")

    def take(self, name: str) -> Cell:
        """The field of that name; it must be there."""
        cell = self._fields.pop(name, None)
        if cell is None:
            self._cell.fail(f"field {name!r} is missing")
        return cell

    def get(self, name: str, read: Callable[[Cell], T], default: T) -> T:
        """What `read` makes of the field of that name, or the default when it is absent."""
        cell = self._fields.pop(name, None)
        return default if cell is None else read(cell)


def _entries(cell: Cell) -> dict[str, Cell]:
    if not isinstance(cell.node, yaml.MappingNode):
        cell.fail("expected a mapping")
    entries: dict[str, Cell] = {}
    for key_node, value_node in cell.node.value:
        name = Cell(cell.file, cell.label, key_node).text()
        if name in entries:
            Cell(cell.file, cell.label, key_node).fail(f"{name!r} stands twice")
        entries[name] = Cell(cell.file, cell.label or name, value_node)
    return entries


def parse(name: str, content: bytes) -> Cell:
    """The root of a YAML document; CatalogueError when it is none."""
    try:
        root = yaml.compose(content, Loader=LOADER)
    except yaml.YAMLError as error:
        raise CatalogueError(f"{name}: {' '.join(str(error).split())}") from error
    if root is None:
        raise CatalogueError(f"{name}: empty")
    return Cell(name, "", root)


def read(name: str) -> Cell:
    """The root of one of the package's own data files."""
    return parse(name, package_data("ipo_sim.catalogue", name))
