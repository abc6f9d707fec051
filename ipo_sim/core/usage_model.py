"""Instance pools, and who has what of them: features, holdings, users, IP extensions."""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.catalogue.types import Consumption
from ipo_sim.core.words import Cause, ExtensionKind, PhoneState, Reserve


class Feature(NamedTuple):
    """The instance pool of one licensed feature.

    `licensed` instances come from Valid strings, `free` ones need no licence, `usable` is what of both the unit's
    hardware and capacity can use, `available` what is left of that. `refused`: a use was refused, none is free since.
    `wanting` counts configured instances that are inactive for want of a licence.
    """

    name: str
    licence: str
    licensed: int
    free: int
    usable: int
    in_use: int
    available: int
    refused: bool = False
    wanting: int = 0
    cause: Cause = ()


class Holding(NamedTuple):
    """A claim on instances of one feature. `request` tells several claims of one holder apart.

    `active`: the instances are really there. `first`: served before others when one is freed (DECT handsets).
    """

    feature: str
    holder: str
    request: str
    instances: int
    consumption: Consumption
    seq: int
    active: bool = True
    first: bool = False


class User(NamedTuple):
    """A configured user; `active` is False while a licence of profile or features is wanting, `cause` says which."""

    name: str
    full_name: str
    extension: str
    profile: str
    features: tuple[str, ...]
    seq: int
    active: bool
    cause: Cause = ()


class Extension(NamedTuple):
    """An IP extension.

    `registered` is the event of its phone's registration; `reserved` is in force since the last start, `reserve` from
    the next one on.
    """

    number: str
    kind: ExtensionKind
    reserve: Reserve
    reserved: Reserve
    seq: int
    registered: int | None
    state: PhoneState
    mac: str = ""
    address: str = ""
    cause: Cause = ()
