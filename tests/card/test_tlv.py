"""BER-TLV: any objects come back, and garbage is told as such."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipo_sim.card.tlv import MAX_OBJECTS, Tlv, TlvError, encode, parse, values

TAGS = st.sampled_from([0x53, 0x5A, 0xC0, 0xC5, 0x5F52, 0x7F49, 0x9F7F, 0xDF8101])
OBJECTS = st.lists(st.builds(Tlv, TAGS, st.binary(max_size=300)), max_size=MAX_OBJECTS)
PADDING = st.sampled_from([b"", b"\x00", b"\xff\xff"])


@given(OBJECTS, PADDING)
def test_objects_come_back(objects: list[Tlv], padding: bytes) -> None:
    assert list(parse(padding.join((b"", *(encode(*each) for each in objects), b"")))) == objects


@pytest.mark.parametrize(
    ("tag", "size", "head"),
    [(0xC0, 0, "C000"), (0xC0, 127, "C07F"), (0xC0, 128, "C08180"), (0xC0, 256, "C0820100"), (0x9F7F, 1, "9F7F01")],
)
def test_lengths_take_their_shortest_form(tag: int, size: int, head: str) -> None:
    assert encode(tag, bytes(size)) == bytes.fromhex(head) + bytes(size)


def test_no_object_is_longer_than_three_length_bytes_say() -> None:
    with pytest.raises(ValueError, match="16 MiB"):
        encode(0xC0, bytes(1 << 24))


def test_values_at_a_path() -> None:
    chuid = encode(0x53, encode(0x30, b"a") + encode(0x34, b"b") + encode(0x34, b"c"))
    assert list(values(chuid, 0x53, 0x34)) == [b"b", b"c"]
    assert list(values(chuid, 0x34)) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("C0", "before a length"),
        ("C002AA", "has 2 bytes, 1 are there"),
        ("5F", "within a tag"),
        ("DFFFFFFF01", "more than 3 bytes"),
        ("C080", "begins with 80"),
        ("C084", "begins with 84"),
        ("C0820", "within a length"),
        ("C000" * (MAX_OBJECTS + 1), "more than 64"),
    ],
)
def test_what_is_wrong_is_told(text: str, why: str) -> None:
    with pytest.raises(TlvError, match=why):
        parse(bytes.fromhex(text + "0" * (len(text) % 2)))


@given(st.binary(max_size=400))
@example(b"\xc0\x83\xff\xff\xff")
def test_garbage_is_no_crash(data: bytes) -> None:
    try:
        objects = parse(data)
    except TlvError:
        return
    assert sum(len(each.value) for each in objects) <= len(data)
