"""The section `dect` of a unit: what it comes to, and every mistake in it with its place."""

from __future__ import annotations

import pytest

from ipo_sim.config.load import load_text
from ipo_sim.core.model import BaseDefinition, DectDefinition
from ipo_sim.errors import ConfigError
from tests.core.dect_bench import ADMM, MACS, OTHER_PARK, PARK, SECOND, dect_key

SOUND = f"""\
units:
  - model: ip500
    dect:
      park: 1f-10-0a-4c-32
      licence: {dect_key().lower()}
      bases:
        - {{mac: "{SECOND.upper().replace(":", "-")}", carries_calls: false}}
        - "{ADMM}"
"""


def test_a_section_becomes_a_definition() -> None:
    (unit,) = load_text(SOUND, "x.yaml").units
    bases = (BaseDefinition(SECOND, admm=True, carries_calls=False), BaseDefinition(ADMM))
    assert unit.dect == DectDefinition(PARK, dect_key(), bases)


def test_a_unit_without_it_has_none() -> None:
    (unit,) = load_text("units: [{model: ip500}]", "x.yaml").units
    assert unit.dect is None
    (unit,) = load_text("units: [{model: ip500, dect: }]", "x.yaml").units
    assert unit.dect is None


def test_the_admm_is_the_one_that_is_said_to_be() -> None:
    text = SOUND.replace(f'"{ADMM}"', f'{{mac: "{ADMM}", admm: true}}')
    (unit,) = load_text(text, "x.yaml").units
    assert unit.dect is not None
    assert [base.admm for base in unit.dect.bases] == [False, True]


MISTAKES = [
    ("park: 1f-10-0a-4c-32", "park: 1F", "units[0].dect.park: '1F' is not a PARK: 10 hexadecimal digits"),
    ("park: 1f-10-0a-4c-32\n      ", "", "units[0].dect.park: missing"),
    (dect_key().lower(), "nonsense", "units[0].dect.licence: no licence key of an IP DECT system"),
    (f'"{ADMM}"', '"01:00:5e:00:00:01"', "units[0].dect.bases[1].mac: '01:00:5e:00:00:01' is not the MAC address"),
    (f'"{ADMM}"', f'"{SECOND}"', "units[0].dect.bases[1].mac: the same address as units[0].dect.bases[0]"),
    ("carries_calls: false}", "admm: true}", ""),
    ("model: ip500", "model: ip500\n    name: 'u{n}'\n    count: 2", "units[0].dect: the same for 2 units"),
    (
        "park:",
        "violation: true\n      park:",
        "units[0].dect.violation: unknown setting; did you mean 'violation_timer'",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_told_with_its_place(old: str, new: str, told: str) -> None:
    assert old in SOUND
    text = SOUND.replace(old, new, 1)
    if not told:
        text, told = text.replace(f'"{ADMM}"', f'{{mac: "{ADMM}", admm: true}}'), "is the ADMM already: there is one"
    with pytest.raises(ConfigError) as error:
        load_text(text, "x.yaml")
    assert told in str(error.value)


def test_a_key_of_another_park_is_taken_with_a_warning() -> None:
    loaded = load_text(SOUND.replace(dect_key().lower(), dect_key(park=OTHER_PARK)), "x.yaml")
    (warning,) = loaded.warnings
    assert f"units[0].dect.licence: issued for PARK {OTHER_PARK}: the system is inactive" in warning


def many(handsets: int, bases: int = 1, *, carries: bool = True) -> str:
    lines = ["units:", "  - model: ip500", "    dect:", f"      park: {PARK}", "      bases:"]
    lines += [f'        - {{mac: "{mac}", carries_calls: {str(carries).lower()}}}' for mac in MACS[:bases]]
    lines += ["    extensions:", *(f"      - {{number: {1000 + n}, kind: dect}}" for n in range(handsets))]
    return "\n".join(lines) + "\n"


def test_capacities_are_told() -> None:
    assert load_text(many(50, 32), "x.yaml").warnings == ()
    (warning,) = load_text(many(51), "x.yaml").warnings
    assert "51 handsets: at most 50 are advised while the ADMM carries calls" in warning
    assert load_text(many(120, carries=False), "x.yaml").warnings == ()
    with pytest.raises(ConfigError, match="at most 120 handsets, not 121"):
        load_text(many(121), "x.yaml")
    with pytest.raises(ConfigError, match="at most 32 base stations"):
        load_text(many(1, 33), "x.yaml")
