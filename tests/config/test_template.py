"""The first configuration that `ipo-sim init` writes."""

from __future__ import annotations

import re
from random import Random

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.config.load import load_text
from ipo_sim.config.template import new_configuration
from ipo_sim.errors import ConfigError
from ipo_sim.licensing.key import recognise, verify

MODELS = load_catalogue().models
KINDS = [(model.code, profile) for model in MODELS.values() for profile in model.release_profiles]


@pytest.mark.parametrize(("model", "profile"), KINDS)
def test_it_loads_and_its_keys_match_its_card(model: str, profile: str) -> None:
    loaded = load_text(new_configuration(model, release_profile=profile, serial="1234567890"), "new.yaml")
    (unit,) = loaded.units
    assert (unit.name, unit.model, unit.release_profile) == ("bench-1", model, profile)
    assert loaded.warnings == ()
    # The dongle of an IP403 is in a PC, its serial in a comment.
    assert (unit.card is None) is (model == "ip403")
    assert unit.card is None or unit.card.serial == "1234567890"
    keys = [recognise(text) for text in unit.licences]
    assert len(keys) == 3
    for key in keys:
        assert key is not None
        assert verify(key, "1234567890", unit.secret)
        kind = load_catalogue().licences[key.licence_code]
        assert profile in kind.profiles
        assert model in kind.models
    rooms = {"slots", "expansion"} if MODELS[model].expansion_ports else {"slots"}
    assert {part.path.split("/")[0] for part in unit.parts} == rooms


@pytest.mark.parametrize(("model", "profile"), KINDS)
def test_it_loads_with_everything_taken_in_that_is_commented_out(model: str, profile: str) -> None:
    text = new_configuration(model, release_profile=profile)
    head, rest = text.split("units:", 1)
    opened = re.sub(r"^( *)# ", r"\1", rest, flags=re.MULTILINE)
    assert opened != rest
    loaded = load_text(f"units:{opened}", "new.yaml")
    (unit,) = loaded.units
    assert (unit.utc_offset_minutes, unit.card) == (60, None)
    assert loaded.mqtt.url == "mqtt://127.0.0.1:1883"
    assert head.startswith("# ")


def test_each_one_has_a_card_of_its_own() -> None:
    assert new_configuration() != new_configuration()
    assert new_configuration(draw=Random(1).randrange) == new_configuration(draw=Random(1).randrange)


def test_name_and_serial_can_be_given() -> None:
    (unit,) = load_text(new_configuration(name="lab", serial="0123456789"), "new.yaml").units
    assert unit.name == "lab"
    assert unit.card is not None
    assert unit.card.serial == "0123456789"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"model": "ip50"},
            "'ip50' is not a control unit; did you mean 'ip500'? allowed: ip403, ip406v2, ip412, ip500, ip500v2, soe",
        ),
        ({"release_profile": "r7"}, "'r7' is not a release profile; allowed: r4, r5, r6"),
        ({"name": "a b"}, "'a b' is no name: letters, digits, - and _, a letter or digit first"),
        ({"serial": "12"}, "'12' is not a serial: 10 decimal digits"),
    ],
)
def test_what_there_cannot_be(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        new_configuration(**arguments)  # type: ignore[arg-type]  # `draw` is not among them
    assert str(caught.value) == message


def test_its_comments_stand_in_one_column() -> None:
    lines = [line for line in new_configuration().splitlines() if re.search(r"\S +#", line) and '- "' not in line]
    assert {line.rindex("#") for line in lines} == {36}
