"""Items added to a list of one unit in a configuration's text; every other byte stays as somebody wrote it."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from ipo_sim.config.mistakes import Findings
from ipo_sim.config.numbering import numbers_of, unit_name
from ipo_sim.config.shape import read_shape
from ipo_sim.config.source import Source
from ipo_sim.config.yaml_nodes import canonical, parsed
from ipo_sim.errors import ConfigError

_MERGE = "<<"
_STEP = 2
_BLOCK_SCALARS = ("|", ">")


def with_items(text: str, name: str, unit: str, setting: str, items: Sequence[str]) -> str:
    """The text with more items, each in YAML on one line, at the end of that list of the unit.

    `setting` is the list's name, or that of a mapping of the unit's and the list's in it: `feature_key.enrolled`.
    ConfigError where there is no place for them: a list that several units share, a unit that is one of a count.
    Whoever writes the outcome to a file reads it first: it has to say what was meant.
    """
    *way, last = setting.split(".")
    node = _unit_node(text, name, unit)
    for step in way:
        node = _mapping_in(node, step, name, unit)
    return _Editor(text, name, last, items).insert(node, unit)


def quoted(value: str) -> str:
    """A text as a YAML scalar that can be nothing else."""
    return "'" + value.replace("'", "''") + "'"


def _unit_node(text: str, name: str, unit: str) -> yaml.MappingNode:
    file, _ = read_shape(Source(text, name), Findings())
    for index, entry in enumerate(file.units if file else ()):
        if all(unit_name(entry, number) != unit for number in numbers_of(entry, index)):
            continue
        if entry.count is not None:
            raise ConfigError(f"{name}: unit {unit} is one of {entry.count} that one entry describes: edit that entry")
        root, _ = parsed(text)
        units = _value(root, "units")
        node = units.value[index] if isinstance(units, yaml.SequenceNode) else None
        if isinstance(node, yaml.MappingNode):
            return node
    raise ConfigError(f"{name}: there is no unit {unit}")


def _mapping_in(node: yaml.MappingNode, setting: str, name: str, unit: str) -> yaml.MappingNode:
    for key, value in node.value:
        if canonical(key.value) == setting and isinstance(value, yaml.MappingNode) and value.value:
            if value.start_mark.index < key.end_mark.index:
                raise ConfigError(
                    f"{name}: {setting} of unit {unit} stands elsewhere in the file: write it out there first"
                )
            return value
    raise ConfigError(f"{name}: unit {unit} has no {setting} of its own: write it first")


class _Editor:
    def __init__(self, text: str, name: str, setting: str, items: Sequence[str]) -> None:
        self._text = text
        self._name = name
        self._setting = setting
        self._items = items
        self._break = "\r\n" if "\r\n" in text else "\n"

    def insert(self, node: yaml.MappingNode, unit: str) -> str:
        pair = next((pair for pair in node.value if canonical(pair[0].value) == self._setting), None)
        if pair is None and any(key.value == _MERGE for key, _ in node.value):
            raise self._shared(unit)
        if pair is None:
            return self._new_list(node)
        key, value = pair
        if value.start_mark.index < key.end_mark.index:
            raise self._shared(unit)
        if isinstance(value, yaml.SequenceNode) and value.value:
            return self._longer_list(value, unit)
        if node.flow_style or isinstance(value, yaml.SequenceNode):
            return self._put(self._flow(), value.start_mark.index, value.end_mark.index)
        # Nothing behind the name, or a word for nothing: the items go below the line.
        bare = self._text[: value.start_mark.index] + self._text[value.end_mark.index :]
        end = _line_end(bare, value.start_mark.index)
        return bare[:end] + self._block(key.start_mark.column + _STEP) + bare[end:]

    def _new_list(self, node: yaml.MappingNode) -> str:
        key, last = node.value[-1]
        if node.flow_style:
            # Behind the colon of a value that is left out, or of an alias, the comma alone would do harm.
            return self._put(f", {self._setting}: {self._flow()}", node.end_mark.index - 1)
        if isinstance(last, yaml.ScalarNode) and last.style in _BLOCK_SCALARS:
            raise ConfigError(f"{self._name}: the unit's last text has no clear end: add {self._setting}: [] first")
        column = node.value[0][0].start_mark.column
        end = _line_end(self._text, _end(key, last))
        head = f"{self._break}{' ' * column}{self._setting}:"
        return self._put(head + self._block(column + _STEP), end)

    def _longer_list(self, value: yaml.SequenceNode, unit: str) -> str:
        last = value.value[-1]
        if last.start_mark.index < value.start_mark.index:
            raise self._shared(unit)
        end = _end(last, last)
        if value.flow_style:
            return self._put("".join(f",{self._break}{' ' * _column(value)}{item}" for item in self._items), end)
        return self._put(self._block(value.start_mark.column), _line_end(self._text, end))

    def _put(self, added: str, start: int, end: int | None = None) -> str:
        return self._text[:start] + added + self._text[start if end is None else end :]

    def _block(self, column: int) -> str:
        return "".join(f"{self._break}{' ' * column}- {item}" for item in self._items)

    def _flow(self) -> str:
        return f"[{', '.join(self._items)}]"

    def _shared(self, unit: str) -> ConfigError:
        what = f"the {self._setting} of unit {unit} stand elsewhere in the file (an alias or a merge)"
        return ConfigError(f"{self._name}: {what}: write them out there first")


def _column(value: yaml.SequenceNode) -> int:
    """Where further lines of a flow list begin."""
    return int(value.value[0].start_mark.column)


def _end(before: yaml.Node, node: yaml.Node) -> int:
    """Where a node ends, `before` being the last thing before it that stands where it is written: an alias does not."""
    if node.start_mark.index < before.start_mark.index:
        return int(before.end_mark.index)
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    if isinstance(node, yaml.MappingNode):
        key, value = node.value[-1]
        return _end(key, value)
    return _end(node, node.value[-1])


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    if end < 0:
        return len(text)
    return end - 1 if end > position and text[end - 1] == "\r" else end


def _value(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if canonical(key.value) == name), None)
