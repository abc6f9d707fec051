"""A unit with an IP DECT system of three licensed base stations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from ipo_sim.core.dect_events import BaseStationLost
from ipo_sim.core.events import ExtensionConfigured, Fact, PhoneRegistered
from ipo_sim.core.model import BaseDefinition, Dect, DectDefinition, ExtensionKind, PartDefinition, UnitDefinition
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.dect_key import issue
from ipo_sim.licensing.key import DEFAULT_SECRET
from tests.core.bench import Bench, definition, key

PARK, OTHER_PARK = "1F100A4C32", "1F100A4C33"
MACS = tuple(f"02:00:5e:10:00:{n:02x}" for n in range(1, 41))
ADMM, SECOND, THIRD, FOURTH = MACS[:4]


def dect_key(macs: Iterable[str] = MACS[:3], bases: int = 3, park: str = PARK, secret: bytes = DEFAULT_SECRET) -> str:
    return issue(park=park, macs=tuple(macs), bases=bases, secret=secret).text


def system(
    bases: int = 3, *, licence: str | None = None, timer: bool = False, admm_carries: bool = True
) -> DectDefinition:
    stations = tuple(
        BaseDefinition(mac, admm=mac == ADMM, carries_calls=admm_carries or mac != ADMM) for mac in MACS[:bases]
    )
    return DectDefinition(PARK, dect_key() if licence is None else licence, stations, timer)


def with_dect(dect: DectDefinition, *, profile: str = "r5", parts: tuple[PartDefinition, ...] = ()) -> UnitDefinition:
    licences = (key("Essential Edition"), key("Preferred Edition", instances=4)) if profile == "r6" else (key(),)
    return replace(definition(*licences, profile=profile, parts=parts), dect=dect)


def dect_bench(dect: DectDefinition, **options: object) -> Bench:
    bench = Bench(with_dect(dect, **options)).boot()  # type: ignore[arg-type]  # passed on as they are
    bench.notified()
    return bench


def handsets(bench: Bench, count: int, first: int = 301) -> None:
    for number in range(first, first + count):
        bench.apply(ExtensionConfigured(str(number), ExtensionKind.DECT), PhoneRegistered(str(number)))


def lose(bench: Bench, *macs: str) -> None:
    for mac in macs:
        bench.apply(BaseStationLost(mac))


def dect(bench: Bench) -> Dect:
    assert bench.unit.dect is not None
    return bench.unit.dect.dect


def refused(bench: Bench, fact: Fact) -> str:
    """The reason for which the unit refuses; nothing changes by it."""
    before = bench.unit
    with pytest.raises(CommandRejected) as caught:
        bench.apply(fact)
    assert bench.unit is before
    return caught.value.reason
