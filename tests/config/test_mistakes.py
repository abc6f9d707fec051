"""Mistakes one by one, for programs: place, value, what is allowed, what was probably meant; and no secret in any."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.config.load import load_config, load_text
from ipo_sim.errors import ConfigError, ConfigMistake
from tests.config.test_broken import CASES


def mistakes(text: str) -> tuple[ConfigMistake, ...]:
    with pytest.raises(ConfigError) as caught:
        load_text(text, "x.yaml")
    return caught.value.mistakes


def only(text: str) -> ConfigMistake:
    (mistake,) = mistakes(text)
    return mistake


@pytest.mark.parametrize("title", CASES)
def test_their_lines_are_the_text_of_the_error(title: str) -> None:
    text, said = CASES[title]
    assert "\n".join(map(str, mistakes(text))) == said


def test_a_word_that_is_not_allowed_has_those_that_are() -> None:
    models = tuple(sorted(load_catalogue().models))
    told = only("units:\n  - model: ip50\n")
    assert told[:1] + told[2:] == ("x.yaml", 2, 12, "units[0].model", "ip50", models, "ip500")
    assert told.message.startswith("'ip50' is not a control unit; did you mean 'ip500'?")


def test_of_many_words_all_are_told_though_the_line_has_only_some() -> None:
    text = "units: [{model: ip500, count: 2, licences: [{licence: IP500 Voice Networking Chanels}]}]"
    told = only(text)
    assert told.allowed == tuple(sorted(load_catalogue().licences_by_name))
    assert told.nearest in told.allowed
    assert len(told.message) < 400


def test_a_setting_that_is_unknown_is_its_own_value() -> None:
    told = only("units: [{model: ip500, licenses_: []}]")
    assert (told.path, told.value, told.nearest) == ("units[0].licenses_", "licenses_", "licences")
    assert "model" in (told.allowed or ())


def test_what_is_like_nothing_has_no_nearest_word() -> None:
    told = only("units: [{model: zzz}]")
    assert told.nearest is None
    assert told.allowed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("units: [{model: ip500, count: 0}]", 0),
        ("units: [{model: ip500}]\ntime: {scale: .nan}", ".nan"),
        ("units: [{model: ip500}]\nmqtt: {keepalive: 1.5}", 1.5),
        ("units: [{model: ip500, name: true}]", True),
        ("units: [{model: ip500, name: 2026-01-05}]", "2026-01-05"),
        ("units: 5", 5),
        ("units: {a: b}", None),
        ("units: [{name: a}]", None),
    ],
)
def test_the_value_is_what_stands_there(text: str, value: object) -> None:
    told = only(text)
    assert (told.value, type(told.value)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        "units: [{model: ip500}]\nbench: {secret: 4711}",
        "units: [{model: ip500, key: {secret: 4711}}]",
        "units: [{model: ip406v2, feature_key: {licence_server_secret: 4711}}]",
        "units: [{model: ip500}]\nmqtt: {username: u, password: 4711}",
        "units: [{model: ip500}]\nmqtt: {url: 'http://me:4711@broker'}",
    ],
)
def test_no_secret_is_told(text: str) -> None:
    for told in mistakes(text):
        assert told.path
        assert "4711" not in f"{told} {told!r}"


def test_a_file_that_is_not_there_has_no_line(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert caught.value.mistakes == (ConfigMistake(str(path), "No such file or directory"),)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("units: [\n", 2, 1), ("a: 1\nb: !x 2\n", 2, 4), ("units:\n\t- a\n", 2, 1), ("a: \x07\n", 1, None)],
)
def test_what_is_no_yaml_has_its_place(text: str, line: int, column: int | None) -> None:
    told = only(text)
    assert (told.file, told.line, told.column, told.path) == ("x.yaml", line, column, None)


def test_a_name_given_twice_has_its_place() -> None:
    told = only("units: [{model: ip500, name: a, name: b}]\n")
    assert (told.line, told.column, told.path) == (1, 33, None)
    assert told.message == "'name' is given twice, first in line 1"


def test_the_last_of_many_says_how_many_more_there_are() -> None:
    told = mistakes("units:\n" + "  - model: zzz\n" * 130)
    assert len(told) == 101
    assert told[-1] == ConfigMistake("x.yaml", "and 30 more")
    assert [mistake.line for mistake in told[:100]] == list(range(2, 102))
