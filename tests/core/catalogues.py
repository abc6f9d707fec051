"""Catalogues at random: valid data files of licences, editions and pools around the real hardware."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from hypothesis import strategies as st

from ipo_sim.catalogue.licences import KNOWN_FEATURES, POOL_CAPS, POOL_SOURCES
from ipo_sim.catalogue.load import build_catalogue, load_catalogue
from ipo_sim.catalogue.source import Cell, parse, read
from ipo_sim.catalogue.types import Catalogue, Consumption, LicenceKind, OnExhaustion

NEEDED = tuple(sorted(KNOWN_FEATURES))
OTHERS = ("alpha", "beta", "gamma")
FEATURES = (*NEEDED, *OTHERS)
PROFILES = ("r4", "r5", "r6")
MODELS = ("ip500", "ip500v2", "ip403", "ip406v2", "ip412", "soe")
HARDWARE = ("soe", "VCM8", "VCM32", "PRI-1", "DS8")

_read = cache(read)


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    """A catalogue that the loader takes: any licences, prerequisites in circles included, any editions and pools."""
    names = [f"Licence {number}" for number in range(1, draw(st.integers(len(NEEDED), 12)) + 1)]
    some = st.lists(st.sampled_from(names), unique=True, max_size=3)
    licences = {
        name: _licence(draw, code, NEEDED[code - 1] if code <= len(NEEDED) else None, some)
        for code, name in enumerate(names, 1)
    }
    rules = [rule for profile in load_catalogue().editions for rule in _editions(draw, profile, some)]
    data = {"licences.yaml": licences, "editions.yaml": rules, "pools.yaml": _pools(draw, licences)}
    return build(data)


def build(data: dict[str, Any]) -> Catalogue:
    """The catalogue of these files, and of the real ones where there is none here."""

    def source(name: str) -> Cell:
        return parse(name, json.dumps(data[name]).encode()) if name in data else _read(name)

    return build_catalogue(source)


def _licence(draw: st.DrawFn, code: int, feature: str | None, some: st.SearchStrategy[list[str]]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "code": code,
        "feature": feature or draw(st.sampled_from(FEATURES)),
        "kind": draw(st.sampled_from(LicenceKind)),
        "packs": draw(st.lists(st.integers(1, 60), unique=True, max_size=3)),
        "prerequisites": _distinct(draw(st.lists(some.filter(bool), max_size=draw(st.sampled_from([0, 1, 1, 2]))))),
        "consumption": draw(st.sampled_from(Consumption)),
        "on_exhaustion": draw(st.sampled_from(OnExhaustion)),
        "grade": "C",
    }
    if draw(st.integers(0, 4)) == 0:
        row["profiles"] = draw(st.lists(st.sampled_from(PROFILES), unique=True, max_size=3))
    if draw(st.integers(0, 4)) == 0:
        row["models"] = draw(st.lists(st.sampled_from(MODELS), unique=True))
    if draw(st.integers(0, 4)) == 0:
        row["hardware"] = draw(st.lists(st.sampled_from(HARDWARE), unique=True, min_size=1))
    return row


def _editions(draw: st.DrawFn, profile: str, some: st.SearchStrategy[list[str]]) -> list[dict[str, Any]]:
    """From the highest down; what one holds back, those below it hold back too."""
    rules = []
    dormant: list[str] = []
    for number in range(draw(st.integers(0, 2)) + 1):
        held_back = draw(some) if draw(st.booleans()) else []
        dormant = list(dict.fromkeys([*dormant, *held_back]))
        rules.append(_edition(draw, profile, f"edition-{number}", dormant, draw(some.filter(bool))))
    del rules[-1]["any_of"]
    return rules


def _edition(draw: st.DrawFn, profile: str, name: str, dormant: list[str], any_of: list[str]) -> dict[str, Any]:
    modules = draw(st.sampled_from([0, 2, 8]))
    rule = {
        "profiles": [profile],
        "edition": name,
        "any_of": any_of,
        "max_modules": modules,
        "max_modules_extended": modules + draw(st.sampled_from([0, 4])),
        "pri_free_channels": draw(st.integers(0, 30)),
        "sip_free": draw(st.integers(0, 3)),
        "ip_endpoints_free_per_card": draw(st.integers(0, 3)),
        "ip_endpoints_free_per_channel": draw(st.integers(0, 1)),
        "dormant_licences": dormant,
        "phones_licensed": draw(st.booleans()),
        "grade": "C",
    }
    if not modules:
        rule["modules_any_of"] = any_of
    for field, most in (("max_users", 5), ("vcm_free_per_card", 4), ("sip_max", 4)):
        if draw(st.booleans()):
            rule[field] = draw(st.integers(0, most))
    return rule


def _pools(draw: st.DrawFn, licences: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    pools = {}
    for feature in sorted({row["feature"] for row in licences.values()}):
        if draw(st.booleans()):
            continue
        row: dict[str, Any] = {"grade": "C"}
        if draw(st.booleans()):
            row["free"] = draw(st.sampled_from(sorted(POOL_SOURCES)))
        if draw(st.booleans()):
            row["cap"] = draw(st.sampled_from(sorted(POOL_CAPS)))
        if draw(st.booleans()):
            row["maximum"] = {profile: draw(st.integers(1, 6)) for profile in PROFILES[: draw(st.integers(1, 3))]}
        pools[feature] = row
    return pools


def _distinct(sets: list[list[str]]) -> list[list[str]]:
    return [list(names) for names in dict.fromkeys(map(tuple, sets))]
