"""Licences in CSV files: what is read from any file, what is written, and that both are the same."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipo_sim.errors import LicenceFormatError
from ipo_sim.licensing.key import DEFAULT_SECRET, issue, key_problem, normalise
from ipo_sim.licensing.rows import LicenceRows, RowProblem, read_licence_rows, write_licence_rows

FOREIGN = "cIvJZQhvDYUzOlYbTDxjR4mHLxe0kYUx"


def a_key(nonce: int) -> str:
    return issue(
        licence_code=8, instances=20, expiry=None, serial="1234567890", secret=DEFAULT_SECRET, nonce=nonce
    ).text


A, B, C = map(a_key, range(3))

ours = st.integers(0, 0xFFFF).map(a_key)
foreign = st.text("0123456789ABCDEFabcdefxyzUILO@_", min_size=32, max_size=32).map(normalise)
keys = st.lists(ours | foreign, max_size=30)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def read(text: str) -> LicenceRows:
    return read_licence_rows(text.encode())


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_marks_and_line_ends_make_no_difference(mark: str, line_end: str) -> None:
    text = mark + line_end.join([f"SIP Trunk Channels,{A}", "", f"Änderung,{B}", ""])
    assert read(text) == (2, {A: 1, B: 3}, (), ())


@pytest.mark.parametrize(
    "row",
    [
        f"name,{A}",
        f",{A}",
        A,
        f"name,{A},,",
        f"a, b and c,{A}",
        f'"name","{A}"',
        f'"a, b","{A}"',
        f'stray " mark,{A}',
        f"name,  {A}  ",
        f"name,{A[:8]}-{A[8:16]} {A[16:24]}-{A[24:]}",
        f"name,{A.lower()}",
        "x" * 200_000 + f",{A}",
    ],
)
def test_forms_of_a_good_row(row: str) -> None:
    rows = read(f"{row}\nother,{B}\n")
    assert (dict(rows.keys), rows.problems, rows.repeated) == ({A: 1, B: 2}, (), ())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("name,key", "a licence key has 32 characters, this one 3"),
        (f"name,{A[:-1]}", "a licence key has 32 characters, this one 31"),
        ("name,", "no licence key behind the name"),
        ("name,,,", "no licence key behind the name"),
        (f'name,"{A}', ""),
        (f"name,{A[:-1]}é", "a licence key has letters and digits, this one other characters"),
        (f"name,{A[:-1]}\x00", "a licence key has letters and digits, this one other characters"),
        ("x" * 200_000, "a licence key has 32 characters, this one 200000"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_costs_no_other(row: str, message: str) -> None:
    rows = read(f"one,{B}\n{row}\nthree,{C}\n")
    assert {B: 1, C: 3}.items() <= rows.keys.items()
    assert rows.problems == ((RowProblem(2, message),) if message else ())
    assert rows.rows == 3


def test_a_key_counts_once() -> None:
    rows = read(f"a,{A}\nb,{B}\nc,{A.lower()}\n")
    assert rows.keys == {A: 1, B: 2}
    assert rows.repeated == (RowProblem(3, "the same key as in line 1; it counts once"),)


def test_what_is_no_key_of_ours_is_kept_letter_by_letter() -> None:
    assert read(f"theirs,{FOREIGN}\n").keys == {FOREIGN: 1}


def test_a_file_that_is_not_utf_8_is_refused_whole() -> None:
    with pytest.raises(LicenceFormatError, match=r"^byte 39, in line 2, is not UTF-8; save the file as UTF-8"):
        read_licence_rows(f"name,{A}\n".encode() + "ß".encode("latin-1") + f",{B}\n".encode())


def test_what_is_written() -> None:
    written = write_licence_rows([("SIP Trunk Channels", A), ('a, "b"\r\nc', B)])
    assert written == f"SIP Trunk Channels,{A}\r\na   b   c,{B}\r\n".encode()


@given(licences=st.lists(st.tuples(names, ours | foreign)))
@example([("\ufeffname", A)])
def test_what_is_written_is_read_back(licences: list[tuple[str, str]]) -> None:
    rows = read_licence_rows(write_licence_rows(licences))
    wanted = [key for _, key in licences if key_problem(key) is None]
    assert list(rows.keys) == list(dict.fromkeys(wanted))
    assert rows.rows == len(licences)
    assert len(rows.keys) + len(rows.repeated) + len(rows.problems) == rows.rows


@given(good=st.lists(ours, max_size=20), noise=st.lists(st.binary(max_size=60), min_size=20, max_size=20))
def test_no_noise_between_them_costs_a_good_row(good: list[str], noise: list[bytes]) -> None:
    lines = [line for key, junk in zip(good, noise, strict=False) for line in (junk, f"name,{key}".encode())]
    try:
        rows = read_licence_rows(b"\n".join(lines))
    except LicenceFormatError:
        with pytest.raises(UnicodeDecodeError):
            b"\n".join(lines).decode()
        return
    assert set(good) <= set(rows.keys)


@given(content=st.binary(max_size=400))
def test_any_bytes_are_rows_or_refused(content: bytes) -> None:
    try:
        rows = read_licence_rows(content)
    except LicenceFormatError:
        return
    assert len(rows.keys) + len(rows.repeated) + len(rows.problems) == rows.rows
    assert all(key_problem(key) is None for key in rows.keys)
