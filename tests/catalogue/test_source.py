"""Strict reading: whatever is wrong in a data file is said with file, line and row."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from ipo_sim.catalogue.grade import Grade
from ipo_sim.catalogue.source import LOADER, Cell, parse, share
from ipo_sim.errors import CatalogueError


def root(text: str) -> Cell:
    return parse("data.yaml", text.encode())


def field(text: str) -> Cell:
    """The value of field `x` of row `DS8`, on line 2."""
    (_, row), *_ = root(f"DS8:\n  x: {text}").table()
    (_, cell), *_ = row.table()
    return Cell(cell.file, "DS8", cell.node)


def message(action: Callable[[], object]) -> str:
    with pytest.raises(CatalogueError) as error:
        action()
    return str(error.value)


def test_libyaml_reads_the_data_where_it_is_there() -> None:
    assert yaml.__with_libyaml__ is (LOADER is getattr(yaml, "CBaseLoader", None))


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "data.yaml: empty"), ("# only a comment", "data.yaml: empty")],
)
def test_an_empty_file(text: str, said: str) -> None:
    assert message(lambda: root(text)) == said


def test_a_file_that_is_no_yaml_is_one_line_with_its_place() -> None:
    said = message(lambda: root("a: [1, 2\nb: 3"))
    assert said.startswith("data.yaml: ")
    assert "line 2" in said
    assert "\n" not in said


def test_what_yaml_would_turn_into_something_else_stays_a_word() -> None:
    assert [field(text).text() for text in ("on", "no", "2000-01-01", "1_000", "~")] == [
        "on",
        "no",
        "2000-01-01",
        "1_000",
        "~",
    ]


@pytest.mark.parametrize(
    ("text", "read", "said"),
    [
        ("''", Cell.text, "expected a value"),
        ("[a]", Cell.text, "expected a value"),
        ("-1", Cell.integer, "expected a whole number from 0 to 65535, not '-1'"),
        ("65536", Cell.integer, "expected a whole number from 0 to 65535, not '65536'"),
        ("1.5", Cell.integer, "expected a whole number from 0 to 65535, not '1.5'"),
        ("\u0661", Cell.integer, "expected a whole number from 0 to 65535, not '\u0661'"),
        ("soon", Cell.number, "expected a number, not 'soon'"),
        ("-0.5", Cell.number, "expected a number, not '-0.5'"),
        ("nan", Cell.number, "expected a number, not 'nan'"),
        ("yes", Cell.flag, "expected true or false, not 'yes'"),
        ("E", lambda cell: cell.choice(Grade), "expected one of A, B, C, decision, not 'E'"),
        ("a", Cell.cells, "expected a list"),
        ("[a, b, a]", lambda cell: cell.tuple_of(Cell.text), "a value stands twice in the list"),
        ("a", Cell.row, "expected a mapping"),
        ("{a: 1, b: 2, a: 3}", Cell.row, "'a' stands twice"),
        ("{[a]: 1}", Cell.row, "expected a value"),
        ("{}", lambda cell: cell.row().take("a"), "field 'a' is missing"),
    ],
)
def test_a_wrong_value_is_named_with_its_place_and_row(text: str, read: Callable[[Cell], object], said: str) -> None:
    cell = field(text)
    assert message(lambda: read(cell)) == f"data.yaml:2: DS8: {said}"


def test_right_values_are_read_as_what_they_are() -> None:
    assert field("65535").integer() == 65_535
    assert field("0.5").number() == 0.5
    assert [field("true").flag(), field("false").flag()] == [True, False]
    assert field("decision").choice(Grade) is Grade.DECISION
    assert field("[b, a]").tuple_of(Cell.text) == ("b", "a")


def test_a_field_that_nobody_asked_for_is_unknown() -> None:
    def read() -> None:
        with field("{known: 1, unknown: 2}").row() as row:
            row.take("known")

    assert message(read) == "data.yaml:2: DS8: unknown field 'unknown'"


def test_the_first_mistake_of_a_row_is_not_hidden_by_its_unknown_fields() -> None:
    def read() -> None:
        with field("{known: x, unknown: 2}").row() as row:
            row.take("known").integer()

    assert message(read).endswith("expected a whole number from 0 to 65535, not 'x'")


def test_a_row_can_be_named_by_one_of_its_fields() -> None:
    (row,) = root("- {edition: standard, grade: X}").cells()
    named = row.named_by("edition").row()
    assert message(lambda: named.take("grade").choice(Grade)).startswith("data.yaml:1: standard: ")
    assert message(lambda: row.named_by("name").row().take("name")) == "data.yaml:1: field 'name' is missing"


def test_equal_texts_and_tuples_are_one_object() -> None:
    first, second = root("[[alpha, beta], [alpha, beta]]").cells()
    assert first.tuple_of(Cell.text) is second.tuple_of(Cell.text)
    assert share(("alpha", "beta")) is first.tuple_of(Cell.text)
    assert first.cells()[0].text() is second.cells()[0].text()
