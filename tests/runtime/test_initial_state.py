"""Units that start in the middle of their life."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.states import load_states
from ipo_sim.config.load import load_text
from ipo_sim.config.variants import with_state
from ipo_sim.core.model import Card, UnitDefinition
from ipo_sim.errors import ConfigError
from ipo_sim.runtime.assembly import open_runtime
from ipo_sim.runtime.clock import stepped
from tests.core.bench import NOON
from tests.runtime.bench import HOUR, A, B, open_bench, small

# State, condition of the key, edition of each.
REACHED = {
    "cold": ("starting", "unchecked", "standard"),
    "running": ("running", "in_order", "professional"),
    "in-grace": ("running", "grace", "professional"),
    "grace-over": ("awaiting_feature_key", "not_in_order", "standard"),
    "no-card": ("awaiting_feature_key", "not_in_order", "standard"),
    "wrong-card": ("running", "in_order", "standard"),
    "unreadable-card": ("awaiting_feature_key", "not_in_order", "standard"),
    "reader-lost": ("running", "grace", "professional"),
    "unlicensed": ("running", "in_order", "standard"),
    "corrupt": ("running", "in_order", "standard"),
    "shutdown": ("shutdown", "unchecked", "standard"),
    "powered-off": ("off", "unchecked", "standard"),
}


def in_state(name: str, state: str) -> UnitDefinition:
    return with_state(replace(small(name), card=Card("1234567890")), state)


def test_every_state_of_the_catalogue_is_looked_at() -> None:
    assert set(REACHED) == set(load_states().states)


@pytest.mark.parametrize("state", [state for state in REACHED if state != "cold"])
def test_a_state_is_reached_before_the_daemon_s_time(state: str) -> None:
    runtime = open_bench(None, in_state("a", state))
    unit = runtime.engine.unit(A)
    assert (unit.life.state, unit.key.condition, unit.edition.name) == REACHED[state]
    assert unit.at <= runtime.clock.now() == NOON
    runtime.close()


def test_units_reach_their_states_together_and_others_start_cold() -> None:
    runtime = open_bench(None, in_state("a", "grace-over"), small(B))
    assert runtime.engine.unit(A).life.state == "awaiting_feature_key"
    assert runtime.engine.unit(B).life.state == "starting"
    assert runtime.clock.now() == NOON
    runtime.close()


def test_a_daemon_that_starts_again_goes_on(tmp_path: Path) -> None:
    runtime = open_bench(tmp_path, in_state("a", "in-grace"))
    before = runtime.engine.unit(A)
    assert before.key.grace_until == NOON + HOUR
    runtime.close()
    again = open_bench(tmp_path, in_state("a", "in-grace"))
    assert again.engine.unit(A) == before
    again.close()


def test_a_new_unit_beside_an_old_one_moves_the_clock_on(tmp_path: Path) -> None:
    runtime = open_bench(tmp_path, small(B))
    runtime.close()
    again = open_runtime(tmp_path, [small(B), in_state("a", "in-grace")], load_catalogue(), clock=stepped(NOON))
    assert again.engine.unit(A).key.condition == "grace"
    assert again.clock.now() == NOON + HOUR + HOUR // 60
    again.close()


UNIT = """\
units:
  - {model: ip500v2, name: a, slots: {1: {card: DS8, daughter: PRI-1}, 4: EXP4}, expansion: {1: DS30V2, 9: DS30V2}%s}
"""


@pytest.mark.parametrize(
    ("feature_set", "paths", "profile"),
    [
        ("full", ["slots/1", "slots/1/daughter", "slots/4", "expansion/1", "expansion/9"], "r5"),
        ("old-release", ["slots/1", "slots/1/daughter", "expansion/1"], "r4"),
        ("no-expansion-card", ["slots/1", "slots/1/daughter", "expansion/1"], "r5"),
        ("no-expansion", ["slots/1", "slots/1/daughter"], "r5"),
        ("no-daughters", ["slots/1", "slots/4", "expansion/1", "expansion/9"], "r5"),
        ("bare", [], "r5"),
        ("no-licences", ["slots/1", "slots/1/daughter", "slots/4", "expansion/1", "expansion/9"], "r5"),
    ],
)
def test_a_feature_set_makes_a_poorer_unit(feature_set: str, paths: list[str], profile: str) -> None:
    (unit,) = load_text(UNIT % f", feature_set: {feature_set}", "x.yaml").units
    assert sorted(part.path for part in unit.parts) == sorted(paths)
    assert unit.release_profile == profile
    runtime = open_bench(None, unit)
    assert runtime.engine.unit(A).life.state == "starting"
    runtime.close()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (", state: in-grase", "units[0].state: 'in-grase' is no initial state; did you mean 'in-grace'?"),
        (", feature_set: old", "units[0].feature_set: 'old' is no feature set; "),
        (
            ", state: in-grace, feature_key: {reader: serial, port: /dev/null}",
            "in-grace needs a virtual reader, in which the card goes in and out by command",
        ),
    ],
)
def test_words_that_are_none_are_told(more: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(UNIT % more, "x.yaml")
    assert said in str(caught.value)
