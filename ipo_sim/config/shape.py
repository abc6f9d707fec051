"""From plain data to entries: pydantic's findings in our words, and what can be kept of a file that has mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Generic, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from ipo_sim.config.entries import SHORTHANDS, ConfigFile
from ipo_sim.config.entry import Entry
from ipo_sim.config.mistakes import Findings, Location, Mistake, Refusal, is_secret, shown
from ipo_sim.config.source import Source
from ipo_sim.config.words import OFFSETS, utc_offset_minutes
from ipo_sim.validation import problem

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_T = TypeVar("_T")
_Root = TypeVar("_Root", bound=Entry)

# A name that no setting has, or, in the place of a setting, something that is no name.
_UNKNOWN = frozenset({"extra_forbidden", "invalid_key"})
# Where a misplaced setting may belong.
MAX_SECTIONS_TOLD = 3
_QUOTED = re.compile("'([^']+)'")
_STRUCTURES: Mapping[str, str] = {
    "list_type": "a list belongs: a hyphen begins each item",
    "dict_type": "a mapping belongs",
    "model_type": "a mapping of settings belongs",
    "model_attributes_type": "a mapping of settings belongs",
}


class Salvage:
    """What was taken out of the data because it was wrong: checks step over it and keep the numbering of the file."""

    def __init__(self) -> None:
        self._gone: set[Location] = set()

    def take_out(self, location: Location) -> None:
        """Note that nothing is left at `location`."""
        self._gone.add(location)

    def touches(self, location: Location) -> bool:
        """Whether something at, below or above `location` was wrong, so that it is not known what was meant."""
        return any(gone[: len(location)] == location[: len(gone)] for gone in self._gone)

    def enumerate(self, location: Location, items: Sequence[_T]) -> Iterator[tuple[Location, _T]]:
        """The items of the list at `location`, each with the location that it has in the file."""
        kept = (index for index in range(len(items) + len(self._gone)) if (*location, index) not in self._gone)
        for item, index in zip(items, kept, strict=False):
            yield (*location, index), item


class Form(NamedTuple, Generic[_Root]):
    """What a file is read as: its root, and the entries for which a bare word can stand, with the setting it gives."""

    root: type[_Root]
    shorthands: Mapping[str, str]


CONFIGURATION = Form(ConfigFile, SHORTHANDS)


def read_shape(source: Source, findings: Findings) -> tuple[ConfigFile | None, Salvage]:
    """The entries of a configuration as far as they can be read; None: nothing can. Mistakes go to `findings`."""
    return read_as(CONFIGURATION, source, {} if source.data is None else source.data, findings)


def read_as(form: Form[_Root], source: Source, data: object, findings: Findings) -> tuple[_Root | None, Salvage]:
    """The same for a file of any form; `data` is that of `source`, or made from it place by place."""
    salvage = Salvage()
    try:
        return form.root.model_validate(data), salvage
    except ValidationError as error:
        details = error.errors(include_url=False)
    findings.mistakes.extend(_worded(form, source, detail) for detail in details)
    try:
        return form.root.model_validate(_Cutter(form, details, salvage).cut(data)), salvage
    except ValidationError:
        return None, salvage


def _worded(form: Form[Any], source: Source, detail: ErrorDetails) -> Mistake:
    """One finding of pydantic in our words, at the place that the user has to look at."""
    location, kind = detail["loc"], detail["type"]
    if _is_of_number(detail):
        return Mistake(location[:-1], f"{shown(location[-2])} is not the number of a place", at_key=True)
    if kind in _UNKNOWN:
        return Mistake(location, _unknown(form, location), at_key=True)
    if kind == "missing":
        return Mistake(location, "missing")
    text = source.scalar_text(location)
    if location and location[-1] == "timezone" and text is not None and utc_offset_minutes(text) is None:
        return Mistake(location, f"{text[:40]} {OFFSETS}")
    value = "this" if is_secret(location) else shown(detail["input"])
    return Mistake(location, _message(form, detail, value, text))


def _message(form: Form[Any], detail: ErrorDetails, value: str, text: str | None) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    is_word = kind == "string_type" or (kind == "model_type" and context["class_name"] in form.shorthands)
    if is_word and not isinstance(detail["input"], dict | list):
        return _not_text(detail["input"], value, text)
    if kind == "literal_error":
        value = value if isinstance(detail["input"], str) else text or value
        return Refusal(f"{value} is not allowed", _QUOTED.findall(context["expected"]), text)
    if kind in _STRUCTURES:
        return f"{value} where {_STRUCTURES[kind]}"
    return problem(kind, context, value) or detail["msg"]


def _not_text(value: object, value_shown: str, text: str | None) -> str:
    """A word that YAML takes for something else unless it stands in quotes."""
    if text is None or not isinstance(value, bool | int | float | date):
        return f"{value_shown} is not text"
    if value_shown == "this":
        return "this is not text without quotes: put it in quotes"
    kind = "a truth value" if isinstance(value, bool) else "a date" if isinstance(value, date) else "a number"
    meaning = "" if text == value_shown else f", {value_shown}"
    return f'without quotes {text[:40]} is {kind} in YAML{meaning}: write "{text[:40]}"'


def _unknown(form: Form[Any], location: Location) -> Refusal:
    """What there is in the place of a setting that is unknown there: it may be one of another section."""
    settings = _settings_at(form, location[:-1])
    elsewhere = [path for path in _sections_with(str(location[-1]), form.root, "") if path]
    if not elsewhere:
        return Refusal("unknown setting", settings, location[-1])
    where = " or ".join(elsewhere[:MAX_SECTIONS_TOLD])
    return Refusal(f"unknown setting; {location[-1]} belongs to {where}", settings)


def _sections_with(name: str, entry: type[BaseModel], path: str) -> Iterator[str]:
    """Paths of the sections that know a setting of this name, the uppermost first."""
    if name in entry.model_fields:
        yield path or "the top level"
    for below, field in entry.model_fields.items():
        kind, steps = _bare(field.annotation), below
        while get_args(kind) and not _is_entry(kind):
            kind, steps = _bare(get_args(kind)[-1]), f"{steps}[]"
        if _is_entry(kind):
            yield from _sections_with(name, kind, f"{path}.{steps}" if path else steps)


def _settings_at(form: Form[Any], location: Location) -> set[str]:
    """Names of the settings that the mapping at `location` knows."""
    return set(_kind_at(form, location).model_fields)


def _kind_at(form: Form[Any], location: Location) -> Any:  # noqa: ANN401 - annotations have no type of their own
    """The bare type of what stands at `location`: an entry, a list, a mapping by number, a value."""
    kind: Any = form.root
    for step in location:
        kind = _bare(kind.model_fields[str(step)].annotation if _is_entry(kind) else get_args(kind)[-1])
    return kind


def _is_entry(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _bare(annotation: Any) -> Any:  # noqa: ANN401 - annotations have no type of their own
    """The type without its validators and without "or None"."""
    while get_origin(annotation) in {Annotated, Union, UnionType}:
        annotation = get_args(annotation)[0]
    return annotation


class _Cutter:
    """Takes what is wrong out of plain data, and what cannot stand without it."""

    def __init__(self, form: Form[Any], details: list[ErrorDetails], salvage: Salvage) -> None:
        self._wrong = {_damage(form, detail) for detail in details}
        self._above = {place[:length] for place in self._wrong for length in range(len(place))}
        self._salvage = salvage

    def cut(self, data: Any, here: Location = ()) -> Any:  # noqa: ANN401 - YAML data
        """A copy of `data`, which stands at `here`, with nothing wrong in it."""
        if isinstance(data, dict):
            return {
                name: self.cut(value, (*here, name)) for name, value in data.items() if self._stays(here, name, value)
            }
        if isinstance(data, list):
            return [self.cut(item, (*here, i)) for i, item in enumerate(data) if self._stays(here, i, item)]
        return data

    def _stays(self, here: Location, step: str | int, value: object) -> bool:
        place = (*here, step)
        # A shorthand holds what is wrong below it.
        if place in self._wrong or (place in self._above and not isinstance(value, dict | list)):
            self._salvage.take_out(place)
            return False
        return True


def _damage(form: Form[Any], detail: ErrorDetails) -> Location:
    """The smallest place that can go: a value that is needed takes its mapping with it."""
    location: Location = detail["loc"]
    if detail["type"] in _UNKNOWN:
        return location
    if _is_of_number(detail):
        return location[:-1]
    while location and _is_needed(form, location):
        location = location[:-1]
    return location


def _is_of_number(detail: ErrorDetails) -> bool:
    """Whether it is the number of a place that is none, not what stands under it."""
    return detail["type"] == "int_type" and detail["loc"][-1] == "[key]"


def _is_needed(form: Form[Any], location: Location) -> bool:
    entry = _kind_at(form, location[:-1])
    return _is_entry(entry) and bool(entry.model_fields[location[-1]].is_required())
