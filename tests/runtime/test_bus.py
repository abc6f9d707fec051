"""What a subscriber finds: the latest of each entity, in an order that never puts a sum before its parts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import pytest

from ipo_sim.core.effects import Effects
from ipo_sim.core.events import Event, PowerApplied
from ipo_sim.core.model import Nanoseconds, Reader, UnitName
from ipo_sim.runtime.bus import PIECE, Bus, Record, Subscription
from ipo_sim.runtime.store import Entry

A, B = UnitName("a"), UnitName("b")
OLD, NEW = (Reader(kind, kind, attached=True, seq=0) for kind in ("virtual", "serial"))


@pytest.fixture
def bus() -> Bus:
    return Bus()


def publish(bus: Bus, of: UnitName, seq: int, **changes: Reader | None) -> Record:
    at = Nanoseconds(seq * 1_000)
    record = Record(of, Event(at, PowerApplied(), "test"), Effects(seq, at, at, changes, ()))
    bus.publish(record)
    return record


def told(subscription: Subscription, at_most: int | None = None) -> list[tuple[str, str, int, Reader | None]]:
    taken = subscription.take(at_most).entities
    return [(unit, path, entry.seq, entry.value) for (unit, path), entry in taken.items()]  # type: ignore[misc]  # all of them are readers


def test_the_latest_value_wins_and_goes_to_the_end_of_its_unit(bus: Bus) -> None:
    subscription = bus.subscribe("test")
    publish(bus, A, 1, part=OLD, unit=OLD)
    publish(bus, B, 1, unit=OLD)
    publish(bus, A, 2, part=NEW)
    publish(bus, A, 3, unit=NEW)
    assert told(subscription) == [("a", "part", 2, NEW), ("a", "unit", 3, NEW), ("b", "unit", 1, OLD)]
    assert subscription.coalesced == 2
    assert subscription.take() == ({}, [])


def test_what_has_gone_is_told_with_the_event_that_took_it(bus: Bus) -> None:
    subscription = bus.subscribe("test")
    publish(bus, A, 1, alarm=OLD)
    publish(bus, A, 2, alarm=None)
    assert dict(bus.latest(A)) == {}
    assert told(subscription) == [("a", "alarm", 2, None)]
    publish(bus, A, 3, alarm=None)
    publish(bus, A, 4, alarm=NEW)
    assert told(subscription) == [("a", "alarm", 4, NEW)]
    assert bus.latest(A)["alarm"] == Entry(4, Nanoseconds(4_000), NEW)


def test_a_piece_has_whole_units_and_the_records_of_these(bus: Bus) -> None:
    subscription = bus.subscribe("test")
    first = publish(bus, A, 1, one=OLD, two=OLD)
    other = publish(bus, B, 1, one=OLD)
    last = publish(bus, A, 2, two=NEW)
    batch = subscription.take(1)
    assert list(batch.entities) == [(A, "one"), (A, "two")]
    assert batch.records == [first, last]
    assert subscription.take(1) == ({(B, "one"): Entry(1, Nanoseconds(1_000), OLD)}, [other])


def test_pieces_end_with_what_waited_when_they_were_begun(bus: Bus) -> None:
    subscription = bus.subscribe("test")
    many = {f"p{number}": OLD for number in range(PIECE)}
    for unit in (A, B):
        publish(bus, unit, 1, **many)
    pieces = []
    for seq, piece in enumerate(subscription.pieces(), 2):
        pieces.append({unit for unit, _ in piece.entities})
        publish(bus, A, seq, unit=NEW)
    assert pieces == [{A}, {B}]
    assert told(subscription) == [("a", "unit", 3, NEW)]


@pytest.mark.parametrize(
    "other", [lambda it: it.take(PIECE), Subscription.take, Subscription.pause], ids=["piece", "all", "pause"]
)
def test_pieces_end_when_others_took_what_waited(bus: Bus, other: Callable[[Subscription], object]) -> None:
    subscription = bus.subscribe("test")
    many = {f"p{number}": OLD for number in range(PIECE)}
    for number in range(4):
        publish(bus, UnitName(str(number)), 1, **many)
    pieces = subscription.pieces()
    assert {unit for unit, _ in next(pieces).entities} == {"0"}
    other(subscription)
    assert len(list(islice(pieces, 5))) < 4
    assert subscription.take() == ({}, [])


def test_pieces_leave_to_others_what_came_after_they_were_begun(bus: Bus) -> None:
    subscription = bus.subscribe("test")
    many = {f"p{number}": OLD for number in range(PIECE)}
    for unit in (A, B):
        publish(bus, unit, 1, **many)
    pieces = subscription.pieces()
    next(pieces)
    subscription.take()
    publish(bus, A, 2, **many)
    assert list(islice(pieces, 5)) == []
    assert len(told(subscription)) == PIECE


async def test_next_comes_back_while_something_is_left(bus: Bus) -> None:
    subscription = bus.subscribe("test")
    publish(bus, A, 1, one=OLD)
    publish(bus, B, 1, one=OLD)
    assert [list((await subscription.next(1)).entities) for _ in range(2)] == [[(A, "one")], [(B, "one")]]


def test_a_paused_subscriber_takes_nothing_in_until_each_unit_is_resumed(bus: Bus) -> None:
    subscription = bus.subscribe("test", units=frozenset({A, B}))
    publish(bus, A, 1, one=OLD)
    subscription.pause()
    publish(bus, A, 2, one=NEW)
    assert subscription.take() == ({}, [])
    assert subscription.dropped == 2
    subscription.resume([B])
    publish(bus, A, 3, one=OLD)
    publish(bus, B, 1, one=NEW)
    assert told(subscription) == [("b", "one", 1, NEW)]
    assert subscription.dropped == 3
