"""Server-sent events out of bytes: as they were, wherever the bytes are cut."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.client import event_stream
from ipo_sim.client.event_stream import EventParser, StreamedEvent
from ipo_sim.errors import PayloadError
from ipo_sim.panel.frames import STILL_HERE, frame


@given(
    events=st.lists(st.tuples(st.sampled_from(["entity", "event"]), st.text())),
    cuts=st.lists(st.integers(0, 400)),
    seq=st.none() | st.integers(0, 99),
)
def test_what_the_server_writes_is_read(events: list[tuple[str, str]], cuts: list[int], seq: int | None) -> None:
    said = [(name, json.dumps(text, ensure_ascii=True)) for name, text in events]
    data = STILL_HERE.join(frame(name, text.encode(), seq) for name, text in said)
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    parser = EventParser()
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert [event for piece in pieces for event in parser.feed(piece)] == said


@given(st.lists(st.binary(max_size=50)))
def test_any_bytes_are_taken(pieces: list[bytes]) -> None:
    parser = EventParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    assert all(event.event for event in events)


def test_other_servers_may_write_it_otherwise() -> None:
    data = b"\xef\xbb\xbf: hello\r\nevent:a\r\ndata: 1\r\ndata:2\r\nretry: 5\r\n\r\ndata\n\ndata: 3\n\nevent: lost\n\n"
    assert list(EventParser().feed(data)) == [
        StreamedEvent("a", "1\n2"),
        StreamedEvent("message", ""),
        StreamedEvent("message", "3"),
    ]


@pytest.mark.parametrize("data", [b"data: " + b"x" * 200, b"data: xxxxxxxxxx\n" * 20], ids=["line", "lines"])
def test_an_event_that_does_not_end(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "MAX_EVENT_BYTES", 100)
    with pytest.raises(PayloadError, match="an event of more than 100 bytes"):
        list(EventParser().feed(data))
