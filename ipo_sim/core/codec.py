"""Frozen values of the model as JSON values, and back: what a journal keeps of a definition and of a state."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from enum import Enum
from functools import cache
from typing import Any, Union, cast

from ipo_sim.catalogue.types import Catalogue, PartType
from ipo_sim.core.model import Unit, UnitDefinition

_Decode = Callable[[Any], Any]

# Kept beside a state and not in it: the journal has the definition, the package has the catalogue, and the
# ledger follows from the rest.
_GIVEN = frozenset({"definition", "catalogue", "ledger"})
# What a state of an older version has not.
_NEWER: Mapping[str, Any] = {"ports": []}
_PLAIN = frozenset({types.NoneType, bool, int, float, str})


def encode(value: Any) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """A model value as JSON value: records are objects, tuples lists, bytes hex, a catalogue part its code."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, PartType):
        return value.code
    if type(value) is tuple:
        return [encode(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, date):
        return value.isoformat()
    return {name: encode(getattr(value, name)) for name in _names(value.__class__)}


class Decoder:
    """Builds model values from what `encode` made of them; ValueError, KeyError or TypeError for anything else.

    A field that is not there, as in what an older version wrote, has its default.
    Equal values become one object, within a unit and across all units that one decoder builds.
    """

    def __init__(self, parts: Mapping[str, PartType]) -> None:
        self._parts = parts
        self._shared: dict[object, object] = {}
        self._known: dict[object, _Decode] = {str: sys.intern, bytes: bytes.fromhex, date: date.fromisoformat}

    def definition(self, data: Mapping[str, Any]) -> UnitDefinition:
        """A unit's definition."""
        return cast("UnitDefinition", self._for(UnitDefinition)(data))

    def unit(self, data: Mapping[str, Any], definition: UnitDefinition, catalogue: Catalogue) -> Unit:
        """A unit's state as `encode_unit` wrote it, under the definition and the catalogue that it had then."""
        data = {**_NEWER, **data}
        values = {name: decode(data[name]) for name, decode in self._members(Unit).items() if name not in _GIVEN}
        return Unit(definition=definition, catalogue=catalogue, **values)

    def _for(self, kind: object) -> _Decode:
        decode = self._known.get(kind)
        if decode is None:
            decode = self._known[kind] = self._build(kind)
        return decode

    def _build(self, kind: object) -> _Decode:
        if kind is PartType:
            return self._parts.__getitem__
        if isinstance(kind, typing.NewType):
            return self._for(kind.__supertype__)
        if typing.get_origin(kind) is tuple:
            return self._tuple(typing.get_args(kind))
        if typing.get_origin(kind) in (types.UnionType, Union):
            return self._optional(typing.get_args(kind))
        if isinstance(kind, type) and _is_record(kind):
            return self._record(kind)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return kind
        if kind in (int, float, bool):
            return _checked(cast("type", kind))
        raise TypeError(f"no model type: {kind}")

    def _tuple(self, members: tuple[object, ...]) -> _Decode:
        if len(members) == 2 and members[1] is Ellipsis:  # noqa: PLR2004 - tuple[T, ...] has two arguments
            decode = self._for(members[0])
            return lambda data: tuple([decode(item) for item in data])
        decoders = [self._for(member) for member in members]
        return lambda data: tuple([decode(item) for decode, item in zip(decoders, data, strict=True)])

    def _optional(self, members: tuple[object, ...]) -> _Decode:
        (kind,) = (member for member in members if member is not types.NoneType)
        decode = self._for(kind)
        return lambda data: None if data is None else decode(data)

    def _record(self, kind: type) -> _Decode:
        members = self._members(kind)

        def decode(data: Mapping[str, Any]) -> object:
            if len(data) != len(members):
                data = _completed(kind, data)
            value = kind(*[member(data[name]) for name, member in members.items()])
            # Named tuples equal any tuple of the same values.
            return self._shared.setdefault((kind, value), value)

        return decode

    def _members(self, kind: type) -> dict[str, _Decode]:
        hints = typing.get_type_hints(kind)
        return {name: self._for(hints[name]) for name in _names(kind) if name not in _GIVEN}


def encode_unit(unit: Unit) -> dict[str, Any]:
    """A unit's state without its definition and the catalogue."""
    return {name: encode(getattr(unit, name)) for name in _names(Unit) if name not in _GIVEN}


@cache
def _names(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - a dataclass or a named tuple, which share no base
    if not _is_record(kind):
        raise TypeError(f"no model value: {kind.__name__}")
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else kind._fields


def _completed(kind: type, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields that are there, and the others' defaults; ValueError for fields of another record."""
    defaults = {name: encode(value) for name, value in _defaults(kind).items()}
    if not data.keys() <= set(_names(kind)) <= data.keys() | defaults.keys():
        raise ValueError(f"not the fields of {kind.__name__}: {', '.join(data)}")
    return {**defaults, **data}


def _defaults(kind: Any) -> Mapping[str, Any]:  # noqa: ANN401 - a dataclass or a named tuple, which share no base
    if is_dataclass(kind):
        return {field.name: field.default for field in fields(kind) if field.default is not MISSING}
    return cast("Mapping[str, Any]", kind._field_defaults)


def _is_record(kind: type) -> bool:
    return is_dataclass(kind) or (issubclass(kind, tuple) and hasattr(kind, "_fields"))


def _checked(kind: type) -> _Decode:
    allowed = (int, float) if kind is float else (kind,)

    def decode(data: object) -> object:
        if type(data) not in allowed:
            raise TypeError(f"{data!r} is no {kind.__name__}")
        return data

    return decode
