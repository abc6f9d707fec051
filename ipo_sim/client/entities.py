"""Entities of a unit as tests see them: the payloads of MQTT, typed, each able to say why it is as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic import BaseModel, PrivateAttr

from ipo_sim.api import payloads as p
from ipo_sim.api.paths import FEATURE_KEY, READER, UNIT

Ask = Callable[[str], Sequence[str]]


class Entity(p.EntityPayload):
    """What all have in common. Values are those of one moment: ask the unit again for later ones."""

    _path: str = PrivateAttr("")
    _ask: Ask | None = PrivateAttr(None)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self._path, self.seq))

    @property
    def path(self) -> str:
        """Where it stands below its unit, such as `slots/1`."""
        return self._path

    @property
    def in_order(self) -> bool:
        """Whether nothing is wrong with it."""
        return not getattr(self, "cause", ())

    @property
    def why(self) -> tuple[str, ...]:
        """The causes in words, from near to far; of what is in order, the event that made it so."""
        if self._ask is None:
            raise RuntimeError(f"{self._path} came over an asynchronous client: ask by await unit.why({self._path!r})")
        return tuple(self._ask(self._path))


class UnitStatus(Entity, p.UnitPayload):
    """The control unit in one line."""


class FeatureKey(Entity, p.FeatureKeyPayload):
    """The feature key as the unit sees it."""


class Reader(Entity, p.ReaderPayload):
    """The reader of the feature key."""


class Licence(Entity, p.LicencePayload):
    """One licence string."""


class Feature(Entity, p.FeaturePayload):
    """The instance pool of a licensed feature."""


class User(Entity, p.UserPayload):
    """A configured user."""


class Extension(Entity, p.ExtensionPayload):
    """An IP extension and its phone."""


class BaseStation(Entity, p.BaseStationPayload):
    """A base station of the IP DECT system."""


class Dect(Entity, p.DectPayload):
    """The IP DECT system."""


class Part(Entity, p.PartPayload):
    """A slot, daughter card place or expansion port, and what is at it."""


class Port(Entity, p.PortPayload):
    """A port with a phone, or with calls on its line."""


class Led(Entity, p.LedPayload):
    """One LED."""


class Alarm(Entity, p.AlarmPayload):
    """An active alarm."""


class Fault(Entity, p.FaultPayload):
    """An injected fault."""


_WHOLE: Mapping[str, type[Entity]] = {UNIT: UnitStatus, FEATURE_KEY: FeatureKey, READER: Reader, "dect": Dect}
_GROUPS: Mapping[str, type[Entity]] = {
    "licences": Licence,
    "features": Feature,
    "users": User,
    "extensions": Extension,
    "dect": BaseStation,
    "slots": Part,
    "expansion": Part,
    "ports": Port,
    "leds": Led,
    "faults": Fault,
    "alarms": Alarm,
}


def kind_of(path: str) -> type[Entity] | None:
    """What stands at a path; None: nothing that is an entity."""
    return _WHOLE.get(path) or _GROUPS.get(path.partition("/")[0])


def read_entity(path: str, payload: bytes, ask: Ask | None = None) -> Entity:
    """The entity in a payload; ValueError when it is none of this version."""
    kind = kind_of(path)
    if kind is None:
        raise ValueError(f"no entity stands at {path}")
    entity = kind.model_validate_json(payload)
    entity._path, entity._ask = path, ask  # noqa: SLF001 - made here, and read-only for everybody else
    return entity


def fields_of(entity: BaseModel) -> str:
    """All that it says, in one line, for messages."""
    return ", ".join(f"{name}={value}" for name, value in entity.model_dump(mode="json").items() if name != "v")
