"""Records of CSV files: what a row says, which are refused, and that an export is imported again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.config.load import load_text
from ipo_sim.config.record_rows import (
    RECORD_TYPES,
    RecordRows,
    read_record_rows,
    record_item,
    with_records,
    write_record_rows,
)
from ipo_sim.core.definition import DirectoryDefinition, HuntGroupDefinition, ShortCodeDefinition, UserDefinition
from ipo_sim.core.words import HuntMode
from ipo_sim.errors import LicenceFormatError
from ipo_sim.licensing.rows import RowProblem

CATALOGUE = load_catalogue()
(UNIT,) = load_text("units: [{model: ip500, users: [{name: anna, extension: 201}]}]", "x.yaml").units
SALES = HuntGroupDefinition("Sales", "301", HuntMode.ROTARY, (), queuing=True, voicemail_email="sales@example.com")

names = st.text(st.characters(categories=["L", "N", "S", "Zs"]), min_size=1, max_size=15).filter(
    lambda text: text == text.strip() and text.isprintable()
)
numbers = st.text("0123456789", min_size=1, max_size=9)
records = {
    "Directory": st.builds(DirectoryDefinition, names, st.text("0123456789*#+", min_size=1, max_size=31)),
    "HG": st.builds(
        HuntGroupDefinition,
        names,
        numbers.filter("201".__ne__),
        st.sampled_from(HuntMode),
        st.just(()),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.just("") | names,
    ),
    "Shortcode": st.builds(ShortCodeDefinition, names, st.just("") | names, st.sampled_from(["Dial", "Voicemail2"])),
    "User": st.builds(
        UserDefinition,
        st.text("abcdefgh", min_size=1, max_size=15),
        st.text("ABC xyz", max_size=31).map(str.strip),
        st.just(""),
        st.sampled_from(["basic", "power-user"]),
        st.sampled_from([(), ("receptionist",), ("receptionist", "mobility-features")]),
    ),
}


def read(kind: str, text: str) -> RecordRows:
    return read_record_rows(RECORD_TYPES[kind], text.encode(), CATALOGUE, UNIT)


@pytest.mark.parametrize(
    ("kind", "row", "record"),
    [
        ("Directory", "Front desk,0123456789", DirectoryDefinition("Front desk", "0123456789")),
        ("Directory", '"Front desk" , "+44*1",,', DirectoryDefinition("Front desk", "+44*1")),
        ("HG", "Sales,301,0,0,1,0,1,0,0,sales@example.com", SALES),
        ("HG", "Sales,301,,no,Yes,off,TRUE,,,sales@example.com", SALES),
        ("HG", "Main,302", HuntGroupDefinition("Main", "302")),
        ("Shortcode", "*17,?U,VoicemailCollect", ShortCodeDefinition("*17", "?U", "VoicemailCollect")),
        ("Shortcode", "9,,Dial", ShortCodeDefinition("9", "", "Dial")),
        ("User", "bob", UserDefinition("bob")),
        (
            "User",
            "bob,Bob B,202,power-user,receptionist; mobility-features",
            UserDefinition("bob", "Bob B", "202", "power-user", ("receptionist", "mobility-features")),
        ),
    ],
)
def test_a_row_is_a_record(kind: str, row: str, record: object) -> None:
    assert read(kind, f"\ufeff{row}\r\n") == (1, (record,), (1,), (), ())


@pytest.mark.parametrize(
    ("kind", "row", "message"),
    [
        ("Directory", "name,number", "'number' is not a number of 1 to 31 digits, * # or +"),
        ("Directory", "a,1,2", "3 fields; a row has 2: name, number"),
        ("Directory", ",1", "'' is not a text of 1 to 31 characters"),
        ("HG", "Sales,301,1,1", "it rings in one way only, not as group and hunt"),
        ("HG", "Sales,301,maybe", "group: 1 or 0 is wanted, not 'maybe'"),
        ("HG", "Sales,201", "extension 201 is that of user anna"),
        ("HG", "Sales,x", "'x' is not an extension number"),
        ("HG", "A department of ours,301", "is not a text of 1 to 15 characters"),
        ("Shortcode", "*17,?U", "'' is not a feature"),
        ("User", "bob,,201", "extension 201 is that of user anna"),
        ("User", "bob,,,nobody", "'nobody' is not for users"),
    ],
)
def test_a_bad_row_is_told_and_costs_no_other(kind: str, row: str, message: str) -> None:
    good = {"Directory": "other,7", "HG": "other,7", "Shortcode": "other,7,Dial", "User": "other,,7"}[kind]
    rows = read(kind, f"{row}\n{good}\n")
    assert len(rows.records) == 1
    (problem,) = rows.problems
    assert problem.line == 1
    assert message in problem.message


def test_what_is_there_is_passed_over() -> None:
    assert read("User", "anna,Other,333\nbob\nbob\n").present == (
        RowProblem(1, "anna is there already"),
        RowProblem(3, "bob is there already"),
    )


def test_a_file_that_is_not_utf_8_is_refused_whole() -> None:
    with pytest.raises(LicenceFormatError, match="byte 1, in line 1, is not UTF-8"):
        read_record_rows(RECORD_TYPES["Directory"], b"\xe4,1\n", CATALOGUE, UNIT)


@pytest.mark.parametrize("kind", RECORD_TYPES)
@given(data=st.data())
def test_what_is_exported_is_imported_again(kind: str, data: st.DataObject) -> None:
    row = RECORD_TYPES[kind]
    unique = [lambda record, field=field: getattr(record, field) or id(record) for field in row.unique]
    given_records = data.draw(st.lists(records[kind], max_size=8, unique_by=tuple(unique)))
    wanted = [record for record in given_records if row.problem(CATALOGUE, record) is None]
    bare = replace(UNIT, users=())
    found = read_record_rows(row, write_record_rows(row, wanted), CATALOGUE, bare)
    assert (list(found.records), found.problems, found.present) == (wanted, (), ())
    items = "".join(f"      - {record_item(record)}\n" for record in wanted)
    text = f"units:\n  - model: ip500\n    {row.setting}:\n{items or '      []'}\n"
    (unit,) = load_text(text, "x.yaml").units
    assert unit == replace(with_records(row, bare, wanted), name=unit.name)


@pytest.mark.parametrize("kind", RECORD_TYPES)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_rows_or_refused(kind: str, content: bytes) -> None:
    try:
        rows = read_record_rows(RECORD_TYPES[kind], content, CATALOGUE, UNIT)
    except LicenceFormatError:
        return
    assert len(rows.records) + len(rows.present) + len(rows.problems) == rows.rows
