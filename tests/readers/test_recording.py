"""The lines of docs/reference/cassette.md: written and read again, cut off anywhere, damaged anywhere."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.core.events import (
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    KeyServerPollMissed,
    PowerRemoved,
    ReaderAttached,
    ReaderLost,
)
from ipo_sim.core.model import KeyReason
from ipo_sim.errors import ReaderError
from ipo_sim.readers import recording as recording_module
from ipo_sim.readers.recording import (
    Header,
    Recording,
    Timed,
    apdu_line,
    end_line,
    fact_line,
    header_line,
    is_reader_fact,
    load_recording,
    parse_recording,
)

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "cassette.md").read_text(encoding="utf-8")
HEADER = Header("serial", "/dev/fkc0", "bench-1", 1_795_514_400_000_000_000, "ipo-sim 0.1.0")
CARD = FeatureKeyInserted("1234567890", kind="i2c", identity="fkc:1234567890", counter=1)

_texts = st.text(st.characters(codec="utf-8"), max_size=20)
facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(ReaderAttached, _texts),
    st.builds(ReaderLost, _texts),
    st.builds(KeyServerPollMissed, st.integers(1, 9)),
    st.builds(FeatureKeyInserted, _texts, _texts, _texts, _texts, _texts, st.integers(0, 65_535)),
    st.builds(FeatureKeyRemoved, st.integers(0, 65_535)),
    st.builds(FeatureKeyUnreadable, st.sampled_from(KeyReason)),
)
timed = st.lists(st.builds(Timed, st.integers(0, 10**18), facts, _texts), max_size=8).map(
    lambda items: sorted(items, key=lambda item: item.at)
)


def whole(items: list[Timed], end: int | None = None) -> bytes:
    lines = [header_line(HEADER), *(fact_line(item, 0) for item in items)]
    return b"".join(lines if end is None else [*lines, end_line(end, 0)])


def mistake(data: bytes) -> str:
    with pytest.raises(ReaderError) as caught:
        parse_recording(data, "x.jsonl")
    return str(caught.value)


@given(timed)
def test_what_is_written_is_read_again(items: list[Timed]) -> None:
    length = max((item.at for item in items), default=0)
    assert parse_recording(whole(items), "x") == Recording(HEADER, tuple(items), (), length, is_whole=False)
    assert parse_recording(whole(items, 10**18), "x") == Recording(HEADER, tuple(items), (), 10**18, is_whole=True)


def test_apdus_are_pairs_and_a_card_that_fell_silent_has_no_response() -> None:
    lines = [header_line(HEADER)]
    lines += [apdu_line("command", b"\x00\xa4", 1), apdu_line("response", b"\x90\x00", 2)]
    lines += [apdu_line("command", b"\x00\xb0", 3), fact_line(Timed(4, CARD), 4), apdu_line("command", b"\x01", 5)]
    read = parse_recording(b"".join(lines), "x")
    assert read.apdus == ((b"\x00\xa4", b"\x90\x00"), (b"\x00\xb0", None), (b"\x01", None))


def test_the_example_of_the_page_is_what_is_written() -> None:
    example = re.search(r'^    \{"cassette".*?^$', PAGE, re.MULTILINE | re.DOTALL)
    assert example is not None
    lines = [
        header_line(HEADER),
        fact_line(Timed(4_210_554, ReaderAttached("/dev/fkc0")), 4_188_020),
        apdu_line("command", bytes.fromhex("00A4040006F0464B432D3100"), 9_120_077),
        apdu_line("response", bytes.fromhex("9000"), 9_641_200),
        fact_line(Timed(30_418_210, CARD), 30_395_112),
        end_line(8_000_000_000, 7_999_977_912),
    ]
    assert re.sub("^    ", "", example[0], flags=re.MULTILINE).encode() == b"".join(lines)


def test_the_page_names_every_fact_and_its_fields() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (`\w+`(?:, `\w+`)*)(?:,.*)? \|$", PAGE, re.MULTILINE))
    assert len(recording_module._FACTS) == 6
    for name, types in recording_module._FACTS.items():
        assert re.findall(r"\w+", rows[name]) == [field for field in types if field != "TYPE"]
    assert not is_reader_fact(PowerRemoved())


def test_a_recording_that_was_cut_off_anywhere_has_all_whole_lines() -> None:
    items = [Timed(0, ReaderAttached("é")), Timed(5, CARD), Timed(9, FeatureKeyRemoved(1))]
    data = whole(items, 9)
    begin = data.index(b"\n") + 1
    for cut in range(begin, len(data)):
        read = parse_recording(data[:cut], "x")
        assert read.facts == tuple(items[: data[begin:cut].count(b"\n")])
        assert not read.is_whole
    assert parse_recording(data, "x").is_whole
    assert "cut off" in mistake(data[: begin - 1])


@given(st.data())
def test_damage_is_an_error_or_does_no_harm(data: st.DataObject) -> None:
    damaged = bytearray(whole([Timed(0, ReaderAttached("x")), Timed(5, CARD), Timed(9, FeatureKeyRemoved(1))], 9))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = parse_recording(bytes(damaged), "x")
    except ReaderError as error:
        assert re.match(r"x:(\d+)?", str(error))  # noqa: PT017 - the other outcome is as good
    else:
        assert [item.at for item in read.facts] == sorted(item.at for item in read.facts)
        assert all(is_reader_fact(item.fact) for item in read.facts)


@given(st.binary(max_size=200))
def test_anything_else_is_an_error(data: bytes) -> None:
    assert mistake(data).startswith("x.jsonl:")


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(list(recording_module._FACTS))
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["at", "ns", "fact", "data", "command", "end", "cause"]), _values))
def test_any_json_behind_the_header_is_taken_or_refused(line: dict[str, Any]) -> None:
    try:
        parse_recording(header_line(HEADER) + json.dumps(line).encode() + b"\n", "x")
    except ReaderError as error:
        assert str(error).startswith("x:2: ")  # noqa: PT017 - the other outcome is as good


INSERTED = {"at": 5, "ns": 0, "fact": "feature-key-inserted", "data": {"serial": "1234567890"}}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"at": 5, "fact": "power-removed", "data": {}}, "no reader says 'power-removed'; there are reader-attached,"),
        ({"at": 5, "fact": ["x"], "data": {}}, "no reader says ['x']"),
        ({**INSERTED, "data": {"serial": 7}}, "serial of feature-key-inserted is 7"),
        ({**INSERTED, "data": {"serial": "7", "counter": True}}, "counter of feature-key-inserted is True"),
        ({**INSERTED, "data": {"serial": "7", "colour": "red"}}, "data is not that of feature-key-inserted"),
        ({**INSERTED, "data": {}}, "serial"),
        ({**INSERTED, "data": {"serial": "\ud800"}}, "surrogates not allowed"),
        ({**INSERTED, "at": -1}, "at is no offset in nanoseconds: -1"),
        ({**INSERTED, "at": 1.5}, "at is no offset in nanoseconds: 1.5"),
        ({**INSERTED, "cause": None}, "cause is no text: None"),
        ({"at": 5, "fact": "feature-key-unreadable", "data": {"reason": 99}}, "99 is not a valid KeyReason"),
        ({"ns": 1, "response": "9000"}, "a response without its command"),
        ({"ns": 1, "command": "9"}, "hex"),
        ([], "no JSON object"),
    ],
)
def test_a_line_that_is_wrong(line: object, said: str) -> None:
    text = mistake(header_line(HEADER) + json.dumps(line).encode() + b"\n")
    assert text.startswith("x.jsonl:2: ")
    assert said in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cassette": 2}, "format 2; this release reads format 1"),
        ({"cassette": True}, "format True"),
        ({"reader": "serial"}, "reader is no object"),
        ({"reader": {"kind": "serial"}}, "name is no text: None"),
        ({"unit": 7}, "unit is no text: 7"),
        ({"started": "now"}, "started is no time: 'now'"),
        ({"started": 1 << 63}, "started is no time"),
    ],
)
def test_a_header_that_is_wrong(change: dict[str, object], said: str) -> None:
    text = mistake(json.dumps({**json.loads(header_line(HEADER)), **change}).encode() + b"\n")
    assert text.startswith("x.jsonl:1: ")
    assert said in text


def test_time_that_goes_back_and_lines_behind_the_end() -> None:
    assert "x.jsonl:3: time goes back from 9 to 5" in mistake(whole([Timed(9, CARD), Timed(5, CARD)]))
    assert "x.jsonl:3: a line behind the end" in mistake(whole([], 9) + fact_line(Timed(9, CARD), 0))


def test_what_later_releases_may_add_is_passed_over() -> None:
    more = {**json.loads(fact_line(Timed(5, CARD), 0)), "voltage": 3.3}
    lines = [header_line(HEADER), b'{"ns":5,"note":"a person came in"}\n', json.dumps(more).encode() + b"\n"]
    assert parse_recording(b"".join(lines), "x").facts == (Timed(5, CARD),)


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, said in [
        (tmp_path / "none", "No such file"),
        (tmp_path, "Is a directory"),
        (Path("a\0b"), "null byte"),
    ]:
        with pytest.raises(ReaderError, match=said):
            load_recording(path)
    monkeypatch.setattr(recording_module, "MAX_BYTES", 1024)
    (tmp_path / "big").write_bytes(whole([Timed(0, CARD)] * 100))
    with pytest.raises(ReaderError, match="a recording of more than 0 MiB"):
        load_recording(tmp_path / "big")


def test_a_file_that_is_no_recording() -> None:
    said = "no line of a recording, which is JSON: Expecting value at character 1"
    assert mistake(b"units:\n  - model: ip500\n") == f"x.jsonl:1: {said}"


def test_a_line_that_is_nested_without_end() -> None:
    assert "x.jsonl:2: " in mistake(header_line(HEADER) + b"[" * 200_000 + b"\n")
