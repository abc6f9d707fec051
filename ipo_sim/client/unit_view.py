"""A unit as it stands, by the words of its topics: the same for a unit in process and for one of a running daemon."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Generic, TypeVar

from ipo_sim.api.paths import FEATURE_KEY, READER, UNIT
from ipo_sim.client import entities as e
from ipo_sim.errors import UnknownEntity

_E = TypeVar("_E", bound=e.Entity)
_K = TypeVar("_K")

# Paths that a message names when there is no near one.
_MAX_NAMED = 12


class Group(Mapping[_K, _E], Generic[_K, _E]):
    """The entities below one word of the topics, by number or name, as they stand when they are asked for."""

    def __init__(self, view: UnitView, word: str, kind: type[_E], key: Callable[[str], _K]) -> None:
        self._view = view
        self._word = word
        self._kind = kind
        self._key = key

    def __getitem__(self, key: _K) -> _E:
        __tracebackhide__ = True
        return self._view.typed(f"{self._word}/{key}", self._kind)

    def __iter__(self) -> Iterator[_K]:
        start = f"{self._word}/"
        paths = sorted((path for path in self._view.paths() if path.startswith(start)), key=_by_number)
        names = (path.removeprefix(start) for path in paths)
        return (self._key(name) for name in names if "/" not in name)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<{self._word}: {', '.join(map(str, self)) or 'none'}>"


class UnitView(ABC):
    """What can be seen of the unit `name`."""

    name: str

    @abstractmethod
    def paths(self) -> Collection[str]:
        """Every entity that exists now."""

    @abstractmethod
    def entity(self, path: str) -> e.Entity:
        """The entity at a path; UnknownEntity names the nearest one."""

    @property
    def state(self) -> str:
        """`off`, `starting`, `awaiting_feature_key`, `running`, `shutting_down` or `shutdown`."""
        return self.status.state.value

    @property
    def edition(self) -> str:
        """The edition that the valid licences make, such as `professional`."""
        return self.status.edition

    @property
    def telephony(self) -> bool:
        """Whether calls can be made."""
        return self.status.telephony

    @property
    def status(self) -> e.UnitStatus:
        """The unit in one line."""
        return self.typed(UNIT, e.UnitStatus)

    @property
    def feature_key(self) -> e.FeatureKey:
        """The feature key as the unit sees it."""
        return self.typed(FEATURE_KEY, e.FeatureKey)

    @property
    def reader(self) -> e.Reader:
        """The reader of the feature key."""
        return self.typed(READER, e.Reader)

    @property
    def slots(self) -> Mapping[int, e.Part]:
        """The slots with their base cards, by number."""
        return Group(self, "slots", e.Part, int)

    @property
    def expansion(self) -> Mapping[int, e.Part]:
        """The expansion ports with their modules, by number."""
        return Group(self, "expansion", e.Part, int)

    @property
    def licences(self) -> Mapping[int, e.Licence]:
        """The licence strings, by number."""
        return Group(self, "licences", e.Licence, int)

    @property
    def features(self) -> Mapping[str, e.Feature]:
        """The instance pools, by name."""
        return Group(self, "features", e.Feature, str)

    @property
    def users(self) -> Mapping[str, e.User]:
        """The users, by name."""
        return Group(self, "users", e.User, str)

    @property
    def extensions(self) -> Mapping[str, e.Extension]:
        """The IP extensions, by number."""
        return Group(self, "extensions", e.Extension, str)

    @property
    def ports(self) -> Mapping[str, e.Port]:
        """Ports with a phone or a call, by name, such as `slots-1-port-3`."""
        return Group(self, "ports", e.Port, str)

    @property
    def leds(self) -> Mapping[str, e.Led]:
        """The LEDs, by name."""
        return Group(self, "leds", e.Led, str)

    @property
    def alarms(self) -> Mapping[str, e.Alarm]:
        """The active alarms, by id, such as `40-feature-key`."""
        return Group(self, "alarms", e.Alarm, str)

    @property
    def faults(self) -> Mapping[str, e.Fault]:
        """Injected faults by id, such as `card-mute`."""
        return Group(self, "faults", e.Fault, str)

    @property
    def dect(self) -> e.Dect:
        """The IP DECT system; UnknownEntity for a unit without one."""
        return self.typed("dect", e.Dect)

    def part(self, path: str) -> e.Part:
        """What is at a place of any kind, such as `slots/1/daughter`."""
        return self.typed(path, e.Part)

    def feature(self, name: str) -> e.Feature:
        """One instance pool."""
        return self.features[name]

    def alarm(self, event: int) -> e.Alarm | None:
        """The first active alarm with that event number of the maker's, if there is one."""
        return next((alarm for alarm in self.alarms.values() if alarm.event == event), None)

    def typed(self, path: str, kind: type[_E]) -> _E:
        """The entity at a path, which has to be of that kind."""
        __tracebackhide__ = True
        entity = self.entity(path)
        if not isinstance(entity, kind):
            raise UnknownEntity(f"unit {self.name}: {path} is no {kind.__name__}")
        return entity

    def unknown(self, path: str) -> UnknownEntity:
        """The error for a path at which nothing stands."""
        known = sorted(self.paths(), key=_by_number)
        near = get_close_matches(path, known, n=1)
        head, depth = path.partition("/")[0], path.count("/")
        group = [other for other in known if other.partition("/")[0] == head and other.count("/") == depth]
        if group:
            more = ", ..." if len(group) > _MAX_NAMED else ""
            hint = f"there are {', '.join(group[:_MAX_NAMED])}{more}"
        else:
            hint = f"did you mean {near[0]}?" if near else "its topics are unit, feature-key, slots/1, alarms/..., ..."
        return UnknownEntity(f"unit {self.name} has no {path}: {hint}")


def _by_number(path: str) -> list[tuple[int, str]]:
    """Sorts `slots/10` behind `slots/9`."""
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"(\d+)", path)]
