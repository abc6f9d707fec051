"""YAML text to nodes and plain data, within limits that no text can get around."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import yaml

from ipo_sim.config.mistakes import SPELLINGS

# Deepest we know is 7; a parser written in C falls over a few ten thousand.
MAX_DEPTH = 16
# 10,000 units written out with 100 values each; aliases count as often as they are used, so that none can grow a bomb.
MAX_NODES = 1_000_000
MAX_INT_BITS = 63

if TYPE_CHECKING:
    _BaseLoader = yaml.SafeLoader
else:
    _BaseLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(_BaseLoader):
    """The safe loader, libyaml's where it is built in; knows our spelling, and no value makes it fail."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - as PyYAML has it
        """A mapping with its names in our spelling."""
        plain = super().construct_mapping(node, deep=deep)
        for american, ours in SPELLINGS.items():
            if american in plain:
                plain.setdefault(ours, plain.pop(american))
        return plain


def _or_text(construct: Callable[[Any, yaml.Node], object]) -> Callable[[Any, yaml.Node], object]:
    """A constructor that leaves as text what only looks like its kind: 2027-02-30, a number of 5,000 digits."""

    def constructed(loader: Any, node: yaml.Node) -> object:  # noqa: ANN401 - PyYAML does not type its loaders
        try:
            value = construct(loader, node)
            # Python itself refuses to print numbers of thousands of digits.
            return node.value if isinstance(value, int) and value.bit_length() > MAX_INT_BITS else value
        except (ValueError, LookupError, AttributeError, ArithmeticError, TypeError):
            return node.value

    return constructed


for _kind in ("bool", "int", "float", "binary", "timestamp"):
    _tag = f"tag:yaml.org,2002:{_kind}"
    Loader.add_constructor(_tag, _or_text(yaml.SafeLoader.yaml_constructors[_tag]))


# A name is text or the number of a place, whatever else it looks like to YAML.
_TEXT = "tag:yaml.org,2002:str"
_NAMES_THAT_ARE_TEXT = {f"tag:yaml.org,2002:{kind}" for kind in ("bool", "float", "null", "timestamp", "value")}


class TooMuch(Exception):  # noqa: N818 - says what the text is, and never leaves this package
    """Text beyond a limit, at a mark."""

    def __init__(self, message: str, mark: Any) -> None:  # noqa: ANN401 - a mark of Python's or of libyaml's parser
        super().__init__(message)
        self.mark = mark


def parsed(text: str) -> tuple[yaml.Node | None, Loader]:
    """The root node of one document (None: there is none) and the loader that constructs from it.

    Raises yaml.YAMLError for what is not YAML and TooMuch for what is too deep or too long.
    """
    _check_depth(text)
    loader = Loader(text)
    return loader.get_single_node(), loader


def _check_depth(text: str) -> None:
    """Walk the bare events first: composing nodes recurses, in C, without a limit of its own."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise TooMuch(f"nested more than {MAX_DEPTH} deep", event.start_mark)
        if count > 2 * MAX_NODES:
            raise TooMuch(f"more than {MAX_NODES} values", event.start_mark)


class Survey:
    """One walk over the nodes: size and depth with aliases counted at each use, names made text, names given twice."""

    def __init__(self) -> None:
        self.repeated: list[tuple[yaml.Node, yaml.Node]] = []
        self._measured: dict[int, tuple[int, int] | None] = {}

    def measure(self, node: yaml.Node) -> tuple[int, int]:
        """Values and levels below and with `node`; TooMuch beyond the limits or when it holds itself."""
        if isinstance(node, yaml.ScalarNode):
            return 1, 0
        if id(node) in self._measured:
            known = self._measured[id(node)]
            if known is None:
                raise TooMuch("an alias stands inside what it names", node.start_mark)
            return known
        self._measured[id(node)] = None
        size, height = self._measure_children(node)
        if size > MAX_NODES:
            raise TooMuch(f"more than {MAX_NODES} values, aliases counted at each use", node.start_mark)
        if height > MAX_DEPTH:
            raise TooMuch(f"nested more than {MAX_DEPTH} deep", node.start_mark)
        self._measured[id(node)] = size, height
        return size, height

    def _measure_children(self, node: yaml.Node) -> tuple[int, int]:
        if isinstance(node, yaml.MappingNode):
            self._check_names(node)
            children = [child for pair in node.value for child in pair]
        else:
            children = node.value
        size, height = 1, 0
        for child in children:
            below, levels = self.measure(child)
            size += below
            height = max(height, levels + 1)
        return size, height

    def _check_names(self, node: yaml.MappingNode) -> None:
        first: dict[str, yaml.Node] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.tag in _NAMES_THAT_ARE_TEXT:
                key.tag = _TEXT
            name = canonical(key.value)
            if name in first:
                self.repeated.append((key, first[name]))
            first.setdefault(name, key)


def canonical(name: str) -> str:
    """The name of a setting in our spelling."""
    return SPELLINGS.get(name, name)
