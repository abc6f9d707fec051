"""The section `dect` of a unit: what it comes to, and every mistake in it with its place."""

from __future__ import annotations

import pytest

from ipo_sim.config.load import load_text
from ipo_sim.core.model import BaseDefinition, DectDefinition
from ipo_sim.errors import ConfigError
from ipo_sim.licensing.dect_key import recognise, verify
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


MANY = "model: ip500\n    name: 'u{n}'\n    count: 2"
MISTAKES = [
    ("park: 1f-10-0a-4c-32", "park: 1F", "units[0].dect.park: '1F' is not a PARK: 10 hexadecimal digits"),
    ("park: 1f-10-0a-4c-32\n      ", "", "units[0].dect.park: missing"),
    (dect_key().lower(), "nonsense", "units[0].dect.licence: no licence key of an IP DECT system"),
    (f'"{ADMM}"', '"01:00:5e:00:00:01"', "units[0].dect.bases[1].mac: '01:00:5e:00:00:01' is not the MAC address"),
    (f'"{ADMM}"', f'"{SECOND}"', "units[0].dect.bases[1].mac: the same address as units[0].dect.bases[0]"),
    ("carries_calls: false}", "admm: true}", ""),
    ("model: ip500", MANY, "units[0].dect.park: the same for 2 units: write {n} or {n:04}"),
    ("model: ip500", MANY, "units[0].dect.bases[1].mac: the same for 2 units: write {n} or {n:04}"),
    ("model: ip500", MANY, "units[0].dect.licence: the same for 2 units: a key belongs to one system; licensed_bases"),
    (
        "park: 1f-10-0a-4c-32",
        "park: 1f-10-0a-4c-{n:02}",
        "units[0].dect.park: '1f-10-0a-4c-{n:02}' stands for a number",
    ),
    ("park:", "licensed_bases: 2\n      park:", "units[0].dect.licensed_bases: a system holds a key: mint one with"),
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
    (warning,) = map(str, loaded.warnings)
    assert f"units[0].dect.licence: issued for PARK {OTHER_PARK}: the system is inactive" in warning


def fleet(dect: str) -> str:
    return f"units: [{{name: 'u{{n}}', count: 12, first: 90, model: ip500, key: {{secret: ours}}, dect: {dect}}}]"


def test_many_units_have_systems_and_keys_of_their_own() -> None:
    text = "{park: '1F100A{n:04}', licensed_bases: 4, bases: ['02005e{n:04}01', '02005e{n:04}02', '02005e{n:04}03']}"
    units = load_text(fleet(text), "x.yaml").units
    assert [unit.dect.park for unit in units if unit.dect][::11] == ["1F100A0090", "1F100A0101"]
    for number, unit in enumerate(units, start=90):
        assert unit.dect is not None
        high, low = divmod(number, 100)
        macs = tuple(f"02:00:5e:{high:02}:{low:02}:0{base}" for base in (1, 2, 3))
        key = recognise(unit.dect.key)
        assert key is not None
        assert verify(key, unit.dect.park, b"ours")
        assert (key.bases, key.macs) == (4, macs) == (4, tuple(base.mac for base in unit.dect.bases))


def test_what_no_key_can_hold_is_told() -> None:
    with pytest.raises(
        ConfigError, match=r"licensed_bases: a key for 4 base stations is bound to the MACs of 3, not 1"
    ):
        load_text(fleet("{park: '1F100A{n:04}', licensed_bases: 4, bases: ['02005e{n:04}01']}"), "x.yaml")
    both = "{park: '1F100A{n:04}', licensed_bases: 1, licence: x, bases: ['02005e{n:04}01']}"
    with pytest.raises(ConfigError, match="either a licence or licensed_bases, not both"):
        load_text(fleet(both), "x.yaml")


def many(handsets: int, bases: int = 1, *, carries: bool = True) -> str:
    lines = ["units:", "  - model: ip500", "    dect:", f"      park: {PARK}", "      bases:"]
    lines += [f'        - {{mac: "{mac}", carries_calls: {str(carries).lower()}}}' for mac in MACS[:bases]]
    lines += ["    extensions:", *(f"      - {{number: {1000 + n}, kind: dect}}" for n in range(handsets))]
    return "\n".join(lines) + "\n"


def test_capacities_are_told() -> None:
    assert load_text(many(50, 32), "x.yaml").warnings == ()
    (warning,) = map(str, load_text(many(51), "x.yaml").warnings)
    assert "51 handsets: at most 50 are advised while the ADMM carries calls" in warning
    assert load_text(many(120, carries=False), "x.yaml").warnings == ()
    with pytest.raises(ConfigError, match="at most 120 handsets, not 121"):
        load_text(many(121), "x.yaml")
    with pytest.raises(ConfigError, match="at most 32 base stations"):
        load_text(many(1, 33), "x.yaml")
