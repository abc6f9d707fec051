"""The client over a broker that loses what is published while a subscription begins."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ipo_sim.client import AsyncClient
from ipo_sim.testing.broker import BrokerUnderTest
from ipo_sim.testing.unit import SimulatedUnit
from tests.mqtt.forgetful import ForgetfulBroker

ALARM = "alarms/40-feature-key"

Act = Callable[[SimulatedUnit], object]


def nothing(_: SimulatedUnit) -> None:
    pass


def remove(unit: SimulatedUnit) -> None:
    unit.remove_card()


def insert(unit: SimulatedUnit) -> None:
    unit.insert_card()


@pytest.mark.parametrize(
    ("before", "in_gap", "lost"),
    [
        pytest.param(nothing, remove, ("feature-key", ALARM), id="a-change-and-a-new-alarm"),
        pytest.param(remove, insert, ("feature-key", ALARM), id="a-change-and-a-withdrawn-alarm"),
    ],
)
async def test_what_a_broker_loses_while_a_subscription_begins_is_there_all_the_same(
    ipo_unit: SimulatedUnit,
    ipo_broker: BrokerUnderTest,
    before: Act,
    in_gap: Act,
    lost: tuple[str, ...],
) -> None:
    before(ipo_unit)
    forgetful = ForgetfulBroker(ipo_broker.port, lambda: in_gap(ipo_unit), until="bench-1/events")
    async with (
        forgetful.running() as port,
        AsyncClient(f"mqtt://127.0.0.1:{port}", prefix=ipo_broker.prefix, timeout=20) as client,
    ):
        unit = await client.unit("bench-1")
        assert {ipo_broker.topic("bench-1", path) for path in lost} <= set(forgetful.lost)
        assert set(unit.paths()) == set(ipo_unit.paths())
        # But not the reader's: it has the counters of its last change, and a unit of this process those of now.
        for path in set(unit.paths()) - {"reader"}:
            assert unit.entity(path) == ipo_unit.entity(path)
        # Two pairs, each sent at once: as many round trips as without a second telling.
        assert forgetful.subscribes == 4
