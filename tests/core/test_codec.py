from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.codec import Decoder, encode, encode_unit
from ipo_sim.core.model import Unit
from ipo_sim.core.unit import new_unit
from tests.core.bench import VOICEMAIL_PRO, Bench, definition, key
from tests.runtime.bench import A, open_bench
from tests.runtime.histories import histories, play

CATALOGUE = load_catalogue()


def through_text(value: object) -> Any:
    return json.loads(json.dumps(value))


def back(unit: Unit, decoder: Decoder | None = None) -> Unit:
    data = through_text(encode_unit(unit))
    return (decoder or Decoder(CATALOGUE.parts)).unit(data, unit.definition, CATALOGUE)


def test_a_definition_comes_back_as_it_was() -> None:
    original = definition(key(), key(VOICEMAIL_PRO))
    assert Decoder(CATALOGUE.parts).definition(through_text(encode(original))) == original


def test_a_secret_is_kept_as_hexadecimal_text() -> None:
    assert encode(definition())["secret"] == definition().secret.hex()


@given(histories)
def test_every_state_comes_back_as_it_was(history: Any) -> None:
    runtime = open_bench()
    play(runtime.engine, history)
    unit = runtime.engine.unit(A)
    runtime.close()
    assert back(unit) == unit
    assert repr(back(unit)) == repr(unit)


def test_units_that_are_alike_share_what_is_alike() -> None:
    decoder = Decoder(CATALOGUE.parts)
    unit = Bench().boot().unit
    first, second = back(unit, decoder), back(unit, decoder)
    assert first.parts[-1] is second.parts[-1]
    assert first.parts[0].fitted is CATALOGUE.parts["DS8"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seq", "1"),
        ("seq", True),
        ("life", {}),
        ("life", None),
        ("parts", [1]),
        ("status", {"name": "a"}),
    ],
)
def test_what_was_not_encoded_here_is_refused(field: str, value: object) -> None:
    data = encode_unit(new_unit(definition(), CATALOGUE))
    with pytest.raises((ValueError, KeyError, TypeError)):
        Decoder(CATALOGUE.parts).unit({**data, field: value}, definition(), CATALOGUE)


def test_only_values_of_the_model_are_encoded() -> None:
    with pytest.raises(TypeError, match="no model value: set"):
        encode({1, 2})
