"""Settings of recordings, of cassettes, and of the PN532, whose cards a policy judges."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ipo_sim.config.load import load_config, load_text
from ipo_sim.config.settings import ReaderSettings
from ipo_sim.core.model import UnitName
from ipo_sim.errors import ConfigError

A = UnitName("a")


def reader(feature_key: str, model: str = "ip500") -> ReaderSettings:
    return load_text(
        f"units: [{{name: a, model: {model}, feature_key: {feature_key}}}]", "x.yaml", Path("lab")
    ).readers[A]


def mistakes(feature_key: str, more: str = "name: a", model: str = "ip500") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_text(f"units: [{{{more}, model: {model}, feature_key: {feature_key}}}]", "x.yaml")
    return [line.partition(" units[0].feature_key")[2] for line in str(caught.value).splitlines()]


@pytest.mark.parametrize(
    ("text", "path"),
    [("tapes/a.jsonl", Path("lab/tapes/a.jsonl")), ("/tmp/a.jsonl", Path("/tmp/a.jsonl"))],  # noqa: S108 - nothing is made
    ids=["relative", "absolute"],
)
def test_paths_begin_at_the_folder_of_the_file(text: str, path: Path) -> None:
    assert reader(f"{{record: {text}}}").record == path
    played = reader(f"{{reader: cassette, cassette: {text}}}")
    assert played == ReaderSettings("cassette", str(path), cassette=path)
    assert reader(f"{{reader: cassette, cassette: {text}, replay: loop}}") == replace(played, loop=True)


def test_the_home_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert reader("{record: ~/a.jsonl}").record == tmp_path / "a.jsonl"


def test_each_of_many_units_has_a_recording_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(
        'units: [{name: "a-{n}", model: ip500, count: 3, feature_key: {record: "tape-{n:02}.jsonl"}}]'
    )
    recorded = [settings.record for settings in load_config(tmp_path / "x.yaml").readers.values()]
    assert recorded == [tmp_path / f"tape-0{n}.jsonl" for n in (1, 2, 3)]


def test_many_units_may_play_one_cassette() -> None:
    text = 'units: [{name: "a-{n}", model: ip500, count: 3, feature_key: {reader: cassette, cassette: a.jsonl}}]'
    assert {settings.cassette for settings in load_text(text, "x").readers.values()} == {Path("a.jsonl")}


@pytest.mark.parametrize("model", ["ip403", "ip406v2", "ip500v2"])
def test_a_cassette_goes_with_every_model(model: str) -> None:
    assert reader("{reader: cassette, cassette: a.jsonl}", model).kind == "cassette"


@pytest.mark.parametrize(
    ("feature_key", "said"),
    [
        ("{reader: cassette}", ": cassette is missing: the file that the cassette reader plays"),
        ("{cassette: a}", ".cassette: only a cassette reader plays a recording; did you mean reader: cassette?"),
        ("{replay: loop}", ".replay: only a cassette reader plays a recording; did you mean reader: cassette?"),
        ("{reader: cassette, cassette: a, law: alaw}", ".law: the recording tells that: leave it out"),
        ("{reader: cassette, cassette: a, port: /dev/a}", ".port: the recording tells that: leave it out"),
        (
            "{reader: cassette, cassette: a, record: b}",
            ".record: what a cassette plays is recorded already: leave it out",
        ),
        ("{reader: cassette, cassette: a, replay: twice}", ".replay: 'twice' is not allowed; allowed: loop, once"),
        ('{record: "~somebody/a"}', ".record: '~somebody/a' is no name of a file"),
        ('{record: "a\\nb"}', ".record: 'a\\nb' is no name of a file"),
        ('{record: "a-{n}"}', ".record: 'a-{n}' stands for a number, and only an entry with a count numbers its units"),
        ("{reader: pn532}", ": port is missing: a pn532 reader is at /dev/... or socket://HOST:PORT"),
        ("{reader: pn532, port: /dev/a, present: true}", ".present: a pn532 reader finds that out by itself"),
        (
            "{reader: serial, port: /dev/a, derive: true}",
            ".derive: a serial reader does not judge cards; did you mean reader: pcsc or reader: pn532?",
        ),
    ],
)
def test_what_does_not_go_together(feature_key: str, said: str) -> None:
    (told,) = mistakes(feature_key)
    assert told.startswith(said)


def test_two_units_never_record_into_one_file() -> None:
    (told,) = mistakes("{record: a.jsonl}", 'name: "a-{n}", count: 2')
    assert told == ".record: the same for 2 units: write {n} or {n:04} where the number of the unit belongs"
    with pytest.raises(ConfigError, match=r"'a.jsonl' is taken by units\[0\]"):
        load_text(
            "units: [{name: a, model: ip500, feature_key: &tape {record: a.jsonl}},"
            "{name: b, model: ip500, feature_key: *tape}]",
            "x",
        )


def test_a_pn532_judges_cards_by_the_policy() -> None:
    enrolled = "enrolled: [{identity: 'uid:04a1b2c3', serial: '1234567890'}]"
    settings = reader(f"{{reader: pn532, port: /dev/nfc0, {enrolled}, least_assurance: identifier}}")
    assert (settings.kind, settings.port, settings.name) == ("pn532", "/dev/nfc0", "/dev/nfc0")
    assert settings.cards is not None
    assert settings.cards.enrolled == (("uid:04A1B2C3", "1234567890"),)
