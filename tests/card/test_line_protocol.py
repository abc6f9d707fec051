"""FKC/1 frames: the bytes that the specification gives, and values that no line can carry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.card.line_protocol import (
    MAX_LINE,
    Ack,
    AskHello,
    AskStatus,
    Bad,
    Beat,
    Card,
    CrcError,
    FieldError,
    Frame,
    FrameError,
    Gone,
    Hello,
    Line,
    Nak,
    Ping,
    Reset,
    UnknownTypeError,
    crc16,
)
from tests.card.wire import line, slow_crc

SPECIFICATION = Path(__file__).parents[2] / "docs" / "reference" / "line-protocol.md"

EXAMPLES: list[tuple[Frame, str]] = [
    (Hello(0x00, 1, "0.1.0", "328P", 1), "$FKC,00,HELLO,1,0.1.0,328P,01*BF30"),
    (Card(0x01, 1, "I2C", "1234567890"), "$FKC,01,CARD,1,I2C,1234567890*8A36"),
    (Card(0x02, 2, "ISO", "1234567890", "mulaw"), "$FKC,02,CARD,2,ISO,1234567890,mulaw*7A2F"),
    (Gone(0x03, 1), "$FKC,03,GONE,1*1308"),
    (Bad(0x04, 2, 0x12), "$FKC,04,BAD,2,12*1E3C"),
    (Beat(0x05, 61034, present=True, counter=2), "$FKC,05,BEAT,61034,1,2*6DC6"),
    (Beat(0xFF, 4294967295, present=False, counter=65535), "$FKC,FF,BEAT,4294967295,0,65535*9672"),
    (Ack(0x06, 0x0A), "$FKC,06,ACK,0A*DC4A"),
    (Nak(0x07, None, "CRC"), "$FKC,07,NAK,--,CRC*4435"),
    (Nak(0x08, 0x0B, "VERB"), "$FKC,08,NAK,0B,VERB*82AD"),
    (AskHello(0x01), "$HST,01,HELLO*B357"),
    (AskStatus(0x02), "$HST,02,STAT*A9BB"),
    (Ping(0x03), "$HST,03,PING*4499"),
    (Reset(0xFF), "$HST,FF,RESET*2AD1"),
]

BYTES = st.integers(0, 0xFF)
UINT16 = st.integers(0, 0xFFFF)
WORDS = st.text(st.sampled_from([chr(c) for c in range(0x21, 0x7F) if chr(c) not in "$*,"]), min_size=1, max_size=24)
FRAMES = st.one_of(
    st.builds(Hello, BYTES, UINT16, WORDS, WORDS, BYTES),
    st.builds(Card, BYTES, UINT16, WORDS, WORDS, st.none() | WORDS),
    st.builds(Gone, BYTES, UINT16),
    st.builds(Bad, BYTES, UINT16, BYTES),
    st.builds(Beat, BYTES, st.integers(0, 0xFFFF_FFFF), st.booleans(), UINT16),
    st.builds(Ack, BYTES, BYTES),
    st.builds(Nak, BYTES, st.none() | BYTES, WORDS),
    *(st.builds(command, BYTES) for command in (AskHello, AskStatus, Ping, Reset)),
)


def test_the_crc_is_ccitt_false() -> None:
    assert crc16(b"123456789") == 0x29B1


@given(st.binary(max_size=MAX_LINE))
def test_the_crc_is_the_one_that_a_microcontroller_computes(data: bytes) -> None:
    assert crc16(data) == slow_crc(data)


@pytest.mark.parametrize(("frame", "text"), EXAMPLES, ids=[text for _, text in EXAMPLES])
def test_an_example_of_the_specification(frame: Frame, text: str) -> None:
    assert frame.to_bytes() == text.encode() + b"\r\n"
    assert Frame.from_bytes(text.encode()) == frame
    assert type(frame).from_bytes(text.encode() + b"\r\n") == frame


def test_the_specification_shows_exactly_the_examples_that_are_tested() -> None:
    shown = re.findall(r"^\| `(\$[^`]+)` \|", SPECIFICATION.read_text(), re.MULTILINE)
    assert shown == [text for _, text in EXAMPLES]


@given(FRAMES)
def test_a_frame_survives_the_way_to_bytes_and_back(frame: Frame) -> None:
    data = frame.to_bytes()
    assert len(data) <= MAX_LINE + 2
    assert Frame.from_bytes(data) == frame


@given(FRAMES)
def test_fields_that_a_later_version_adds_are_ignored(frame: Frame) -> None:
    longer = line(frame.TAG, frame.seq, frame.TYPE, *frame.fields(), *([""] if isinstance(frame, Card) else []), "new")
    if isinstance(frame, Card) and frame.law:
        longer = line(frame.TAG, frame.seq, frame.TYPE, *frame.fields(), "new")
    if len(longer) <= MAX_LINE + 2:
        assert Frame.from_bytes(longer) == frame


@pytest.mark.parametrize(
    "frame",
    [
        Gone(0, 65536),
        Gone(0, -1),
        Gone(256, 1),
        Gone(-1, 1),
        Bad(0, 1, 0x100),
        Beat(0, 1 << 32, present=True, counter=1),
        Hello(0, 1, "", "328P", 0),
        Hello(0, 1, "1,0", "328P", 0),
        Card(0, 1, "I2C", "12*34"),
        Card(0, 1, "I2C", "12$34"),
        Card(0, 1, "I2C", "12 34"),
        Card(0, 1, "I2C", "1234567890\r"),
        Card(0, 1, "I2C", "٣"),
        Card(0, 1, "I2C", "1" * 25),
        Card(0, 1, "I2C", "1234567890", ""),
        Nak(0, 0x100, "CRC"),
    ],
)
def test_a_value_that_no_line_can_carry_is_refused(frame: Frame) -> None:
    with pytest.raises(FrameError):
        frame.to_bytes()


def test_a_line_that_is_too_long_is_refused() -> None:
    fits = Line("FKC", 0, "NEW", ("x" * (MAX_LINE - len("$FKC,00,NEW,*0000")),))
    assert len(fits.to_bytes()) == MAX_LINE + 2
    assert Line.from_bytes(fits.to_bytes()) == fits
    with pytest.raises(FrameError):
        fits._replace(fields=(fits.fields[0] + "x",)).to_bytes()
    with pytest.raises(FrameError):
        Line.from_bytes(line("FKC", 0, "NEW", fits.fields[0] + "x"))


@pytest.mark.parametrize("field", ["a,b", "a*b", "a$b", "a\r", "ä", "\udce4"])
def test_a_field_cannot_break_out_of_its_line(field: str) -> None:
    with pytest.raises(FrameError):
        Line("FKC", 0, "NEW", (field,)).to_bytes()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", FrameError),
        (b"$", FrameError),
        (b"FKC,00,GONE,1*0000", FrameError),
        (b"$FKC,00,GONE,1", FrameError),
        (b"$FKC,00,GONE,1*130", FrameError),
        (b"$FKC,03,GONE,1*1308 ", FrameError),
        (b"$FKC,03,GONE,1*0x13", FrameError),
        (b"$FKC,03,GONE,1*+308", FrameError),
        (b"$FKC,03,GONE,1*1_08", FrameError),
        (b"$FKC,03,GONE,1*1309", CrcError),
        (b"$FKC,04,GONE,1*1308", CrcError),
        (line("fkc", 0, "GONE", 1), FrameError),
        (line("FKC", 0, "gone", 1), FrameError),
        (line("FKC", 0, "GONE", 1).lower(), FrameError),
        (line("FKC", 0), FrameError),
        (line("FKC", 0, "NEWS", 1), UnknownTypeError),
        (line("ABC", 0, "GONE", 1), UnknownTypeError),
        (line("HST", 0, "GONE", 1), UnknownTypeError),
        (line("FKC", 0, "GONE"), FieldError),
        (line("FKC", 0, "GONE", ""), FieldError),
        (line("FKC", 0, "GONE", "01"), FieldError),
        (line("FKC", 0, "GONE", "-1"), FieldError),
        (line("FKC", 0, "GONE", "1 "), FieldError),
        (line("FKC", 0, "GONE", "65536"), FieldError),
        (line("FKC", 0, "BEAT", 1, 2, 1), FieldError),
        (line("FKC", 0, "BEAT", 1 << 32, 1, 1), FieldError),
        (line("FKC", 0, "BEAT", "9" * 40, 1, 1), FieldError),
        (line("FKC", 0, "BAD", 1, "1"), FieldError),
        (line("FKC", 0, "BAD", 1, "0a"), FieldError),
        (line("FKC", 0, "CARD", 1, "I2C", ""), FieldError),
        (line("FKC", 0, "NAK", "-1", "CRC"), FieldError),
    ],
)
def test_what_is_no_frame_says_how(data: bytes, error: type[FrameError]) -> None:
    with pytest.raises(FrameError) as caught:
        Frame.from_bytes(data)
    assert type(caught.value) is error


def test_a_frame_of_another_class_is_refused() -> None:
    with pytest.raises(FieldError, match="expected FKC GONE, got FKC BAD"):
        Gone.from_bytes(Bad(0, 1, 2).to_bytes())


def test_an_empty_law_is_none() -> None:
    assert Card.from_bytes(line("FKC", 0, "CARD", 1, "I2C", "1234567890", "")) == Card(0, 1, "I2C", "1234567890")
