"""A configuration file as data, and where in the file each value stands."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

from ipo_sim.config.mistakes import MAX_MISTAKES_TOLD, Location, Mistake, Refusal, is_secret, path_text
from ipo_sim.config.yaml_nodes import Survey, TooMuch, canonical, parsed
from ipo_sim.errors import ConfigError, ConfigMistake

# 100,000 licence keys, or 10,000 units written out in 800 bytes each; any number of units needs one entry with a count.
MAX_BYTES = 8 * 1024 * 1024
# Of a URL with a password.
_CREDENTIALS = re.compile("://[^/]*@")
_NO_CONSTRUCTOR = re.compile("could not determine a constructor for the tag '(.*)'")


class Source:
    """One parsed file. `data` is None when it is empty; `repeated` are the names given twice, as lines for the user.

    Raises ConfigError for text that is no YAML, that names itself, or that is beyond the limits.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        survey = Survey()
        try:
            self._root, loader = parsed(text)
            if self._root is not None:
                survey.measure(self._root)
            # Marks first: constructing resolves merge keys in place.
            self.repeated = [(_line_column(key), _repetition(key, first)) for key, first in survey.repeated]
            self.data: object = None if self._root is None else loader.construct_document(self._root)
        except TooMuch as error:
            raise ConfigError.of(ConfigMistake(name, str(error), *_line_column_of(error.mark))) from None
        except yaml.YAMLError as error:
            raise ConfigError.of(_syntax_error(name, text, error)) from None

    def told(self, mistake: Mistake) -> ConfigMistake:
        """The mistake with its place in the file and what stands there."""
        line, column = self._position(mistake)
        message = mistake.message
        allowed, nearest = (message.allowed, message.nearest) if isinstance(message, Refusal) else (None, None)
        path = path_text(mistake.location) or None
        return ConfigMistake(self.name, str(message), line, column, path, self._value(mistake), allowed, nearest)

    def place(self, location: Location) -> str:
        """Where a value stands, for reports: `file:line`."""
        return f"{self.name}:{self._position(Mistake(location, ''))[0]}"

    def error(self, mistakes: list[Mistake]) -> ConfigError:
        """All mistakes and repeated names in one error, in the order of the file."""
        told = [self.told(mistake) for mistake in mistakes]
        told += [ConfigMistake(self.name, text, *position) for position, text in self.repeated]
        lines = {(mistake.line or 0, mistake.column or 0, str(mistake)): mistake for mistake in told}
        ordered = [lines[key] for key in sorted(lines)]
        more = len(ordered) - MAX_MISTAKES_TOLD
        if more > 0:
            ordered[MAX_MISTAKES_TOLD:] = [ConfigMistake(self.name, f"and {more} more")]
        return ConfigError.of(*ordered)

    def scalar_text(self, location: Location) -> str | None:
        """The value as it is typed in the file, without quotes; None: it is no scalar, or not there."""
        node, missing = self._find(location)
        return node.value if not missing and isinstance(node, yaml.ScalarNode) else None

    def _value(self, mistake: Mistake) -> str | float | bool | None:
        """The scalar that the mistake is about; None: there is none, or it is a secret."""
        if mistake.at_key and mistake.location:
            return str(mistake.location[-1])
        if is_secret(mistake.location):
            return None
        node, _ = self._find(mistake.location)
        if not isinstance(node, yaml.ScalarNode):
            return None
        value = self._datum(mistake.location)
        if isinstance(value, bool | int | float) and math.isfinite(value):
            return value
        return None if value is None or _CREDENTIALS.search(node.value) else str(node.value)

    def _datum(self, location: Location) -> object:
        """What stands there, or, where a shorthand stands for it, the shorthand."""
        found: Any = self.data
        for step in location:
            if isinstance(found, dict):
                found = found.get(step)
            elif isinstance(found, list) and isinstance(step, int) and step < len(found):
                found = found[step]
        return found

    def _position(self, mistake: Mistake) -> tuple[int, int]:
        if mistake.at_key and mistake.location:
            node, _ = self._find(mistake.location[:-1])
            return _line_column(_key(node, mistake.location[-1]) or node)
        node, _ = self._find(mistake.location)
        return _line_column(node)

    def _find(self, location: Location) -> tuple[yaml.Node | None, bool]:
        """The node there, or the deepest on the way and True."""
        node = self._root
        for step in location:
            child = _child(node, step)
            if child is None:
                return node, True
            node = child
        return node, False


def read_source(path: Path) -> Source:
    """The file at `path`, parsed; ConfigError in one line when it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError.of(ConfigMistake(str(path), str(error.strerror or error))) from error
    return Source(_decoded(content, str(path)), str(path))


def _decoded(content: bytes, name: str) -> str:
    if len(content) > MAX_BYTES:
        problem = f"larger than {MAX_BYTES // 1024} KiB; describe many units by one entry with a count"
        raise ConfigError.of(ConfigMistake(name, problem))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError.of(ConfigMistake(name, "not UTF-8 text", line)) from None


def _child(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        return node.value[step] if step < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in reversed(node.value) if _is_named(key, step)), None)
    return None


def _key(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((key for key, _ in reversed(node.value) if _is_named(key, step)), None)


def _is_named(key: yaml.Node, step: str | int) -> bool:
    return isinstance(key, yaml.ScalarNode) and canonical(key.value) == str(step)


def _line_column(node: yaml.Node | None) -> tuple[int, int]:
    return (1, 1) if node is None else (node.start_mark.line + 1, node.start_mark.column + 1)


def _line_column_of(mark: yaml.Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _repetition(key: yaml.Node, first: yaml.Node) -> str:
    other = "" if key.value == first.value else f" as {first.value!r}"
    return f"{key.value!r} is given twice, first{other} in line {first.start_mark.line + 1}"


def _problem(text: str, error: yaml.YAMLError, mark: yaml.Mark) -> str:
    """What is wrong at the mark, and in what: a bracket that does not close is seen at the end of the file."""
    problem = getattr(error, "problem", None) or "not understood"
    if tag := _NO_CONSTRUCTOR.fullmatch(problem):
        return f"the tag {tag[1]} is not allowed: a configuration is plain data"
    if text.split("\n")[mark.line : mark.line + 1] and text.split("\n")[mark.line][mark.column :].startswith("\t"):
        return "not valid YAML: a tab where blanks have to indent"
    context, begun = getattr(error, "context", None), getattr(error, "context_mark", None)
    if context and context.startswith("while") and begun and (begun.line, begun.column) != (mark.line, mark.column):
        context += f" that begins in line {begun.line + 1}, column {begun.column + 1}"
    return f"not valid YAML: {problem}" + (f" ({context})" if context else "")


def _syntax_error(name: str, text: str, error: yaml.YAMLError) -> ConfigMistake:
    """One line out of the several that PyYAML writes."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        return ConfigMistake(name, _problem(text, error, mark), *_line_column_of(mark))
    # Only a character that YAML has no room for comes without a mark, and its position counts bytes or characters.
    assert isinstance(error, yaml.reader.ReaderError)
    line = text.encode().count(b"\n", 0, error.position) + 1
    return ConfigMistake(name, f"not valid YAML: {error.reason}", line)
