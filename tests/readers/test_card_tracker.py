"""Frames to facts, where a whole board would be in the way."""

from __future__ import annotations

import pytest

from ipo_sim.card.line_protocol import Ack, Bad, Beat, Card, Frame, Gone
from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, FeatureKeyUnreadable
from ipo_sim.core.model import KeyReason
from ipo_sim.readers.card_tracker import CardTracker, KeyFact

SERIAL = "1234567890"


def inserted(counter: int, serial: str = SERIAL) -> FeatureKeyInserted:
    return FeatureKeyInserted(serial, kind="i2c", identity=f"fkc:{serial}", counter=counter)


def card(counter: int, serial: str = SERIAL) -> Card:
    return Card(0, counter, "I2C", serial)


def beat(uptime_ms: int, counter: int, *, present: bool) -> Beat:
    return Beat(0, uptime_ms, present, counter)


def facts(*frames: Frame) -> list[KeyFact]:
    tracker = CardTracker()
    return [fact for frame in frames for fact in tracker.take(frame)]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (0x00, KeyReason.NON_SPECIFIC_ERROR),
        (0x01, KeyReason.NO_REGISTER_ACCESS),
        (0x06, KeyReason.NO_REGISTER_ACCESS),
        (0x0F, KeyReason.NO_REGISTER_ACCESS),
        (0x10, KeyReason.INVALID_REGISTERS),
        (0x13, KeyReason.INVALID_REGISTERS),
        (0x1F, KeyReason.INVALID_REGISTERS),
        (0x20, KeyReason.NON_SPECIFIC_ERROR),
        (0xFE, KeyReason.NON_SPECIFIC_ERROR),
        (0xFF, KeyReason.NO_REGISTER_ACCESS),
    ],
)
def test_each_error_byte_has_its_reason(error: int, reason: KeyReason) -> None:
    (fact,) = facts(Bad(0, 1, error))
    assert isinstance(fact, FeatureKeyUnreadable)
    assert fact.reason is reason
    assert fact.detail.endswith(f" (error {error:02X})")


def test_a_card_that_fails_and_is_read_again_was_never_out() -> None:
    bad = FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS, "the card does not answer its address (error 02)")
    assert facts(card(1), Bad(0, 1, 2), Bad(0, 1, 2), card(1), card(1)) == [inserted(1), bad, inserted(1)]


def test_another_serial_under_the_same_number_is_another_card() -> None:
    assert facts(card(1), card(1, "9999999999")) == [inserted(1), FeatureKeyRemoved(1), inserted(1, "9999999999")]


def test_the_number_of_insertions_wraps() -> None:
    tracker = CardTracker()
    for frame in (card(65535), Gone(0, 65535), card(0), Gone(0, 0)):
        assert len(tracker.take(frame)) == 1
    assert tracker.missed == 0
    assert tracker.take(card(2)) == (inserted(2),)
    assert tracker.missed == 1


def test_a_number_that_goes_back_is_a_reset_and_no_missed_card() -> None:
    tracker = CardTracker()
    tracker.take(card(500))
    tracker.take(Gone(0, 500))
    tracker.take(card(1))
    assert tracker.missed == 0


def test_absence_in_the_first_moments_is_not_believed() -> None:
    gone = FeatureKeyRemoved(0)
    assert facts(beat(249, 0, present=False)) == []
    assert facts(beat(250, 0, present=False)) == [gone]
    assert facts(beat(5_000, 0, present=False), beat(10, 0, present=False)) == [gone]


NAMELESS = FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS, "a card is in, and the reader does not say which")


def test_a_reader_is_asked_at_the_first_doubt_then_every_half_second() -> None:
    tracker = CardTracker()
    asked = []
    for uptime_ms in range(1000, 3000, 100):
        assert tracker.take(beat(uptime_ms, 1, present=True)) in ((), (NAMELESS,))
        if tracker.wants_status:
            asked.append(uptime_ms)
    assert asked == [1000, 1500, 2000, 2500]


def test_a_doubt_after_a_long_quiet_time_is_asked_at_once() -> None:
    tracker = CardTracker()
    tracker.take(card(1))
    tracker.take(beat(1_000, 1, present=True))
    assert not tracker.wants_status
    tracker.take(beat(1_100, 2, present=True))
    assert tracker.wants_status


def test_a_card_in_order_is_checked_every_ten_seconds() -> None:
    tracker = CardTracker()
    tracker.take(card(1))
    asked = []
    for uptime_ms in range(1000, 40_000, 1000):
        tracker.take(beat(uptime_ms, 1, present=True))
        if tracker.wants_status:
            asked.append(uptime_ms)
            tracker.take(card(1))
    assert asked == [11_000, 22_000, 33_000]


def test_frames_that_tell_nothing_of_the_card_make_no_fact() -> None:
    assert facts(Ack(0, 1)) == []
