"""Moments as people write them: RFC 3339, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from ipo_sim.core.model import Nanoseconds

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def rfc3339(moment: Nanoseconds) -> str:
    """Nanoseconds since 1970 as UTC date and time, cut to milliseconds; OverflowError beyond the year 9999."""
    text = (_EPOCH + timedelta(microseconds=moment // 1000)).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def parse_moment(text: str, utc_offset_minutes: int) -> Nanoseconds:
    """Nanoseconds since 1970 of an ISO 8601 date or date and time; ValueError.

    Without an offset of its own it is local time at `utc_offset_minutes`; the microsecond is the finest.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=utc_offset_minutes)))
    return Nanoseconds((moment - _EPOCH) // _MICROSECOND * 1000)
