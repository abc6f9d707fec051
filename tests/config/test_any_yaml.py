"""Whatever is in the file: settings or ConfigError, and every line of it with a place."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.config.entries import ConfigFile
from ipo_sim.config.load import load_text
from ipo_sim.errors import ConfigError

CATALOGUE = load_catalogue()
TOLD = re.compile(r"x\.yaml(:\d+:\d+: .+|:\d+: .+|: and \d+ more)")
NAMES = sorted(
    {name for entry in ConfigFile.model_json_schema()["$defs"].values() for name in entry["properties"]}
    | set(ConfigFile.model_fields)
    | {"license", "licenses", "colour"}
)
WORDS = st.sampled_from(
    [
        *CATALOGUE.parts,
        *CATALOGUE.models,
        *CATALOGUE.licences_by_name,
        "r5",
        "virtual",
        "serial",
        "1234567890",
        "{n}",
        "a{n}",
    ]
)
TOKENS = [
    *"{}[],#%=~|?'\"\n",
    *("units:", "model", "ip500", "- ", "  ", ": ", "? ", "---\n", "|\n"),
    *("&a ", "*a", "<<: ", "!!int ", "!!bool ", "!!binary ", "!!timestamp ", "!!float ", "!!set ", "!!omap "),
    *("0x_", "1:59", "2027-13-45", ".inf", "null"),
]
SCALARS = st.one_of(
    WORDS, st.none(), st.booleans(), st.integers(-2, 14), st.integers(), st.floats(), st.text(max_size=40), st.dates()
)
KEYS = st.one_of(st.sampled_from(NAMES), st.integers(0, 13), st.text(max_size=8), st.none(), st.booleans(), st.dates())
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)


def entries(depth: int = 0) -> st.SearchStrategy[Any]:
    """Files that are nearly right, so that the rules beyond the shape are reached."""
    number = st.integers(0, 13)
    part = st.sampled_from(list(CATALOGUE.parts))
    slot = part | st.fixed_dictionaries({}, optional={"card": part, "daughter": part, "configured": part | SCALARS})
    key = st.fixed_dictionaries(
        {},
        optional={
            "reader": st.sampled_from(["virtual", "serial"]),
            "serial": WORDS,
            "port": st.sampled_from(["/dev/ttyACM0", "/dev/tty{n}", "socket://h:1"]),
            "present": st.booleans(),
        },
    )
    licence = st.fixed_dictionaries(
        {},
        optional={"licence": WORDS, "key": WORDS, "instances": st.integers(), "expiry": st.dates()},
    )
    unit = st.fixed_dictionaries(
        {"model": st.sampled_from([*CATALOGUE.models, "ip400"])},
        optional={
            "name": WORDS | st.text(max_size=5),
            "count": st.integers(0, 20),
            "first": st.integers(0, 9),
            "release_profile": st.sampled_from(["r4", "r5", "r6", "r7"]),
            "feature_key": key,
            "slots": st.dictionaries(number, slot, max_size=5),
            "expansion": st.dictionaries(number, part, max_size=5),
            "licences": st.lists(licence | WORDS, max_size=4),
            "mac": SCALARS,
            "timezone": SCALARS,
        },
    )
    return st.fixed_dictionaries({"units": st.lists(unit | ANYTHING, max_size=4)}, optional={"mqtt": ANYTHING})


def check(text: str) -> None:
    try:
        loaded = load_text(text, "x.yaml")
    except ConfigError as error:
        lines = str(error).split("\n")
        assert all(TOLD.fullmatch(line) for line in lines), lines
    else:
        assert loaded.units
        assert len({unit.name for unit in loaded.units}) == len(loaded.units)
        assert set(loaded.readers) == {unit.name for unit in loaded.units}


@given(st.text())
def test_any_text(text: str) -> None:
    check(text)


@given(ANYTHING)
@example({"[key]": None})
@example({"units": [{"model": "ip500", "slots": {"[key]": 1}}]})
def test_any_data(data: Any) -> None:
    check(yaml.safe_dump(data, allow_unicode=True))


@given(st.dictionaries(st.sampled_from(sorted(ConfigFile.model_fields)), ANYTHING, min_size=1))
def test_any_data_under_known_names(data: Any) -> None:
    check(yaml.safe_dump(data))


@given(entries())
def test_files_that_are_nearly_right(data: Any) -> None:
    check(yaml.safe_dump(data, default_flow_style=None))


@given(entries())
def test_the_same_file_as_json(data: Any) -> None:
    check(json.dumps(data, default=str, skipkeys=True))


@given(st.lists(st.sampled_from(TOKENS)))
def test_any_heap_of_yaml_tokens(tokens: list[str]) -> None:
    check("".join(tokens))
