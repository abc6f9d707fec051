"""Frames of a PN532: by the manual's examples, cut and damaged in every way, and never more than a frame kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.card.pn532_frames import ACK, CHIP, HOST, MAX_LENGTH, NACK, Frame, FrameDecoder, Signal, encode

H = bytes.fromhex

payloads = st.binary(min_size=1, max_size=MAX_LENGTH - 1)


def decoded(data: bytes, sender: int = CHIP) -> list[Frame | Signal]:
    return list(FrameDecoder(sender).feed(data))


def by_hand(body: bytes) -> bytes:
    """A frame by the tables of the manual, 6.2.1.1 and 6.2.1.2."""
    size = len(body)
    upper, lower = divmod(size, 256)
    head = [size, 256 - size] if size < 255 else [255, 255, upper, lower, (512 - upper - lower) % 256]
    return b"\x00\x00\xff" + bytes([*head, *body, -sum(body) % 256, 0])


# GetFirmwareVersion and its answer, SAMConfiguration, as application notes print them.
@pytest.mark.parametrize(
    ("data", "frame"),
    [("02", "0000FF02FED4022A00"), ("14010001", "0000FF05FBD4140100011600"), ("4A0100", "0000FF04FCD44A0100E100")],
)
def test_commands_that_application_notes_print(data: str, frame: str) -> None:
    assert encode(H(data)) == H(frame)
    assert decoded(H(frame), HOST) == [Frame(H(data))]


def test_an_answer_and_the_signals() -> None:
    assert decoded(ACK + H("0000FF06FAD50332010607E800")) == [Signal.ACK, Frame(H("0332010607"))]
    assert (H("0000FF00FF00"), H("0000FFFF0000")) == (ACK, NACK)
    assert decoded(NACK + H("0000FF01FF7F8100")) == [Signal.NACK, Signal.ERROR]


@given(payloads, st.sampled_from([HOST, CHIP]))
def test_what_is_encoded_is_decoded_and_as_the_manual_has_it(data: bytes, sender: int) -> None:
    assert encode(data, sender) == by_hand(bytes((sender,)) + data)
    assert decoded(encode(data, sender), sender) == [Frame(data)]


@pytest.mark.parametrize("size", [0, MAX_LENGTH])
def test_a_frame_has_its_limits(size: int) -> None:
    with pytest.raises(ValueError, match=f"a frame holds 1 to 264 bytes, not {size}"):
        encode(bytes(size))


@given(payloads, st.data())
def test_no_frame_with_one_wrong_byte_is_taken_for_another(data: bytes, draw: st.DataObject) -> None:
    frame = bytearray(encode(data, CHIP))
    at = draw.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= draw.draw(st.integers(1, 255))
    found = [item for item in decoded(bytes(frame)) if isinstance(item, Frame)]
    # The bytes around a frame are no part of it.
    assert found == ([Frame(data)] if at in (0, len(frame) - 1) else [])


@given(payloads, payloads, st.data())
def test_the_frame_behind_half_a_frame_is_found(first: bytes, second: bytes, draw: st.DataObject) -> None:
    whole = encode(first, CHIP)
    cut = draw.draw(st.integers(0, len(whole) - 2))
    # As on a line: silence follows, and what was missing comes again from the start.
    decoder = FrameDecoder()
    assert Frame(first) not in decoder.feed(whole[:cut])
    decoder.reset()
    assert list(decoder.feed(encode(second, CHIP))) == [Frame(second)]


_streams = st.lists(
    st.one_of(
        payloads.map(lambda data: encode(data, CHIP)),
        payloads.map(lambda data: encode(data, HOST)),
        st.sampled_from([ACK, NACK, H("0000FF01FF7F8100"), H("0000FF"), H("00FFFFFF"), H("0000FFFFFF010AF5")]),
        st.binary(max_size=40),
    ),
    max_size=8,
).map(b"".join)


@given(_streams, st.lists(st.integers(1, 300), max_size=30))
def test_it_makes_no_difference_how_bytes_arrive_and_little_is_kept(stream: bytes, cuts: list[int]) -> None:
    decoder, at = FrameDecoder(), 0
    pieces: list[Frame | Signal] = []
    for size in [*cuts, len(stream)]:
        pieces += decoder.feed(stream[at : at + size])
        at += size
        assert len(decoder._buffer) < 300
    whole = FrameDecoder()
    assert pieces == list(whole.feed(stream))
    assert decoder.counters == whole.counters


def test_a_flood_is_not_kept() -> None:
    decoder = FrameDecoder()
    for _ in range(100):
        assert list(decoder.feed(b"\xaa" * 10_000)) == []
    assert len(decoder._buffer) <= 1
    assert decoder.counters["junk"] == 1_000_000


@pytest.mark.parametrize("noise", ["", "00", "0000000000", "AA", "FF", "00FF", "5500", "0000FF"])
def test_noise_before_a_frame(noise: str) -> None:
    assert Frame(b"\x4b\x00") in decoded(H(noise) + encode(b"\x4b\x00", CHIP))


def test_what_is_counted() -> None:
    decoder = FrameDecoder()
    damaged = bytearray(encode(b"\x03\x32", CHIP))
    damaged[6] ^= 1
    assert list(decoder.feed(b"\xaa\xbb" + encode(b"\x02") + bytes(damaged) + encode(b"\x03", CHIP))) == [
        Signal.DAMAGED,
        Frame(b"\x03"),
    ]
    counters = decoder.counters
    assert (counters["foreign"], counters["damaged"], counters["frames"]) == (1, 1, 1)
    assert counters["junk"] >= 2


@pytest.mark.parametrize("head", ["0000FFFFFF0000 00", "0000FFFFFF010AF500", "0000FFFFFFFFFF02"])
def test_lengths_that_no_frame_has(head: str) -> None:
    assert decoded(H(head))[0] is Signal.DAMAGED
