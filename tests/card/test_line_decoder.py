"""The decoder against a second, slower reading of the same bytes, and against every way to cut them."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.card.line_decoder import COUNTERS, Decoder
from ipo_sim.card.line_protocol import HOST_TAG, MAX_LINE, Beat, Card, Frame, Gone, Hello, Line, Ping
from tests.card.wire import line, sound_lines

BOOT = line("FKC", 0, "HELLO", 1, "0.1.0", "328P", "01")
BULK_ROUNDS = 300


def decode(data: bytes, cuts: Iterable[int] = ()) -> tuple[list[Frame], dict[str, int]]:
    """Frames and counters of a new decoder that gets the data cut at these places."""
    decoder = Decoder()
    edges = [0, *sorted(cuts), len(data)]
    frames = [frame for a, b in itertools.pairwise(edges) for frame in decoder.feed(data[a:b])]
    return frames, dict(decoder.counters)


def counted(data: bytes) -> dict[str, int]:
    """The counters that are not 0."""
    return {name: count for name, count in decode(data)[1].items() if count}


def understood(frames: Iterable[Frame]) -> list[bytes]:
    return [frame.to_bytes()[1:-7] for frame in frames]


def session(random: Random, lines: int) -> Iterator[bytes]:
    """What a reader may say."""
    for seq in range(lines):
        number = random.randrange(100)
        yield random.choice(
            [
                line("FKC", seq, "BEAT", seq * 1000, number % 2, number),
                line("FKC", seq, "CARD", number, "I2C", f"{random.randrange(10**10):010}"),
                line("FKC", seq, "GONE", number),
                line("FKC", seq, "BAD", number, "12"),
                line("FKC", seq, "ACK", f"{number:02X}"),
            ]
        )


# Bytes that mean something to a decoder are likely.
NOISE = st.lists(
    st.one_of(
        st.binary(max_size=8),
        st.sampled_from([b"$", b"*", b"\r", b"\n", b",", b"$FKC,00,", b"*0000\r\n", b"x" * 130, BOOT, BOOT[:-2]]),
        st.builds(lambda seq, n: line("FKC", seq, "GONE", n), st.integers(0, 255), st.integers(0, 70_000)),
        st.builds(lambda seq: line("HST", seq, "PING"), st.integers(0, 255)),
    ),
    max_size=20,
).map(b"".join)


@given(NOISE, st.data())
def test_how_bytes_are_cut_makes_no_difference(data: bytes, drawn: st.DataObject) -> None:
    cuts = drawn.draw(st.lists(st.integers(0, len(data))))
    assert decode(data, cuts) == decode(data) == decode(data, range(len(data)))


@given(NOISE)
def test_nothing_is_understood_that_a_second_reading_does_not_find(data: bytes) -> None:
    frames, counters = decode(data)
    sound = sound_lines(data)
    left = iter(sound)
    assert all(body in left for body in understood(frames)), "not a subsequence of the sound lines"
    dropped = ("field_errors", "unknown_types", "foreign", "duplicates")
    assert len(frames) + sum(counters[name] for name in dropped) == len(sound)
    assert counters["frames"] == len(frames)


@given(NOISE)
def test_a_line_behind_any_noise_is_understood(noise: bytes) -> None:
    decoder = Decoder()
    decoder.feed(noise)
    (beat,) = decoder.feed(line("FKC", 77, "BEAT", 123, 1, 9))[-1:]
    assert beat == Beat(77, 123, present=True, counter=9)


@pytest.mark.parametrize("seed", range(4))
def test_one_altered_byte_never_makes_another_line(seed: int) -> None:
    random = Random(seed)
    for _ in range(BULK_ROUNDS):
        lines = list(session(random, 6))
        stream = bytearray(b"".join(lines))
        stream[random.randrange(len(stream))] ^= random.randrange(1, 256)
        frames, counters = decode(bytes(stream), [random.randrange(len(stream)) for _ in range(5)])
        sent = iter(text[1:-7] for text in lines)
        assert all(body in sent for body in understood(frames)), stream
        assert len(frames) >= len(lines) - 2
        assert counters["frames"] == len(frames)


@pytest.mark.parametrize("seed", range(4))
def test_a_stream_that_loses_alters_and_invents_bytes(seed: int) -> None:
    random = Random(seed)
    decoder, received, heard = Decoder(), bytearray(), []
    for text in itertools.chain.from_iterable(session(random, 250) for _ in range(BULK_ROUNDS // 30)):
        damaged = bytearray(text)
        for _ in range(random.choice((0, 0, 0, 1, 2, 5))):
            at = random.randrange(len(damaged) or 1)
            damaged[at : at + random.randrange(3)] = random.randbytes(random.randrange(3))
        received += damaged
        heard += decoder.feed(bytes(damaged))
    left = iter(sound_lines(bytes(received)))
    assert all(body in left for body in understood(heard))
    assert decoder.counters["crc_errors"] > 50
    assert decoder.counters["frame_errors"] > 50
    assert len(heard) > 1000


def test_a_flood_without_an_end_takes_no_memory() -> None:
    decoder = Decoder()
    for flood in (b"$" + b"x" * 100_000, b"$" * 100_000, b"\xff" * 100_000, b"$FKC,00,GONE," * 10_000):
        assert decoder.feed(flood) == []
        assert decoder._line is None or sys.getsizeof(decoder._line) <= 4 * MAX_LINE


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (BOOT, {"frames": 1}),
        (BOOT[:-1], {"frames": 1}),
        (BOOT[:-2] + b"\n", {"frames": 1}),
        (b"\r\n\n\r" + BOOT + b"\r\n", {"frames": 1}),
        (b"boot\r\n" + BOOT, {"frames": 1, "junk": 4}),
        (b"$FKC,0" + BOOT, {"frames": 1, "frame_errors": 1}),
        (b"$" + BOOT, {"frames": 1, "frame_errors": 1}),
        (b"$FKC,0\x00GONE,1*1308\r\n", {"frame_errors": 1, "junk": 12}),
        (BOOT.replace(b"0.1.0", b"0.1.1"), {"crc_errors": 1}),
        (b"$" + b"x" * (MAX_LINE - 1) + b"\r\n", {"frame_errors": 1}),
        (b"$" + b"x" * MAX_LINE + b"\r\n", {"overlong": 1, "junk": 1}),
        (b"$" + b"x" * MAX_LINE + BOOT, {"overlong": 1, "junk": 1, "frames": 1}),
        (line("FKC", 0, "NEWS") + line("FKC", 1, "GONE", 1), {"unknown_types": 1, "frames": 1}),
        (line("FKC", 0, "GONE") + line("FKC", 1, "GONE", 1), {"field_errors": 1, "frames": 1}),
        (line("HST", 9, "PING") + BOOT, {"foreign": 1, "frames": 1}),
        (line("FKC", 7, "GONE", 1) * 2, {"frames": 1, "duplicates": 1}),
        (line("FKC", 7, "GONE", 1) + line("FKC", 10, "GONE", 1), {"frames": 2, "lost_lines": 2}),
        (line("FKC", 254, "GONE", 1) + line("FKC", 1, "GONE", 2), {"frames": 2, "lost_lines": 2}),
        (line("FKC", 7, "GONE", 1) + BOOT, {"frames": 2}),
        (BOOT + BOOT, {"frames": 2}),
        (line("FKC", 7, "GONE", 1) + line("FKC", 9, "HELLO", 1, "1", "1", "01"), {"frames": 2, "lost_lines": 1}),
    ],
)
def test_each_kind_of_damage_has_its_counter(data: bytes, expected: dict[str, int]) -> None:
    assert counted(data) == expected


def test_a_new_link_forgets_half_a_line_and_the_sequence_but_no_count() -> None:
    decoder = Decoder()
    decoder.feed(line("FKC", 7, "GONE", 1) + b"$FKC,08,GO")
    decoder.reset()
    assert decoder.feed(b"NE,1*0000\r\n" + line("FKC", 99, "GONE", 2)) == [Gone(99, 2)]
    assert decoder.counters["frames"] == 2
    assert decoder.counters["lost_lines"] == 0


def test_the_other_side_listens_with_the_same_decoder() -> None:
    decoder = Decoder(HOST_TAG)
    assert decoder.feed(line("HST", 1, "PING") + BOOT) == [Ping(1)]
    assert decoder.counters["foreign"] == 1


def test_counters_are_all_there_from_the_start_and_cannot_be_written() -> None:
    decoder = Decoder()
    assert dict(decoder.counters) == dict.fromkeys(COUNTERS, 0)
    with pytest.raises(TypeError):
        decoder.counters["frames"] = 1  # type: ignore[index]  # a caller that does it all the same


def test_a_whole_session_is_understood() -> None:
    card = Card(1, 1, "I2C", "1234567890")
    talk = BOOT + card.to_bytes() + Beat(2, 1000, present=True, counter=1).to_bytes() + Gone(3, 1).to_bytes()
    assert decode(talk)[0] == [
        Hello(0, 1, "0.1.0", "328P", 1),
        card,
        Beat(2, 1000, present=True, counter=1),
        Gone(3, 1),
    ]
    assert Line.from_bytes(BOOT).type == "HELLO"
