"""Which cards are feature keys, as a configuration says it."""

from __future__ import annotations

from typing import get_args

import pytest

from ipo_sim.card.assurance import Assurance
from ipo_sim.card.kinds import Kind
from ipo_sim.config.card_entries import AssuranceLevel, CardKind
from ipo_sim.config.load import load_text
from ipo_sim.config.settings import CardSettings, ReaderSettings


def reader(feature_key: str) -> ReaderSettings:
    loaded = load_text(f"units: [{{name: a, model: ip500, feature_key: {feature_key}}}]", "x.yaml")
    (found,) = loaded.readers.values()
    return found


def test_the_words_are_those_of_the_cards() -> None:
    assert get_args(CardKind) == tuple(map(str, Kind))
    assert get_args(AssuranceLevel) == tuple(map(str, Assurance))


def test_a_reader_that_is_told_nothing_takes_every_card_and_the_bench_issuer() -> None:
    found = reader("{reader: pcsc}")
    assert (found.kind, found.name, found.pcsc_reader) == ("pcsc", "*", "*")
    assert found.cards == CardSettings(tuple(map(str, Kind)))


def test_everything_that_can_be_said() -> None:
    issuer = "ab" * 32
    found = reader(
        "{reader: pcsc, pcsc_reader: ACR39U, law: mulaw, card_kinds: [openpgp, fkc, fkc], least_assurance: signed, "
        f"issuers: ['{issuer}'], derive: true, enrolled: [{{identity: OpenPGP:00061234abcd, serial: '0000000001'}}]}}"
    )
    assert (found.name, found.law) == ("ACR39U", "mulaw")
    assert found.cards == CardSettings(
        ("openpgp", "fkc"), "signed", (bytes.fromhex(issuer),), (("openpgp:00061234ABCD", "0000000001"),), derive=True
    )


def test_each_unit_of_many_has_a_reader_of_its_own() -> None:
    loaded = load_text(
        "units: [{name: 'a{n}', model: ip500, count: 2, feature_key: {reader: pcsc, pcsc_reader: 'ACR 0{n}'}}]",
        "x.yaml",
    )
    assert [found.pcsc_reader for found in loaded.readers.values()] == ["ACR 01", "ACR 02"]


def test_no_issuer_at_all_is_not_the_bench_issuer() -> None:
    cards = reader("{reader: pcsc, issuers: []}").cards
    assert cards is not None
    assert cards.issuers == ()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            "card_kinds: [fkc, piv], enrolled: [{identity: 'openpgp:000612345678', serial: '0000000001'}]",
            ["enrolled[0].identity: card_kinds does not take openpgp: this one is not taken"],
        ),
        (
            "least_assurance: signed, derive: true, enrolled: [{identity: 'uid:04AABBCC', serial: '0000000001'}]",
            [
                "derive: no ordinary card can be signed: it has no effect",
                "enrolled[0].identity: no ordinary card can be signed: this one is not taken",
            ],
        ),
        ("card_kinds: [fkc, fkc-tag], derive: true", ["derive: card_kinds takes no ordinary cards: it has no effect"]),
        ("card_kinds: [piv], derive: true, enrolled: [{identity: 'piv:41424344', serial: '0000000001'}]", []),
        ("least_assurance: signed, derive: false", []),
    ],
)
def test_what_can_have_no_effect_is_warned_of(settings: str, said: list[str]) -> None:
    loaded = load_text(f"units: [{{model: ip500, feature_key: {{reader: pcsc, {settings}}}}}]", "x.yaml")
    assert [str(warning).partition("units[0].feature_key.")[2] for warning in loaded.warnings] == said
