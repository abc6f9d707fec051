"""The ready scenarios: each passes, and makes the same history every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario.scenarios import READY, played, read


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_it_passes_twice_with_equal_journals(path: Path) -> None:
    scenario = read(path)
    first, second = played(scenario), played(scenario)
    assert ["\n".join(failure.lines()) for failure in first.failures] == []
    assert second.passed
    assert first.digest == second.digest
    assert first.checks > 3
    assert scenario.description


def test_no_two_have_the_same_history() -> None:
    digests = {played(read(path)).digest for path in READY}
    assert len(digests) == len(READY)


def test_a_parameter_makes_another_history_or_another_outcome() -> None:
    path = next(path for path in READY if path.stem == "card-back-in-grace")
    usual, longer, too_long = (played(read(path, {"away": away})) for away in ("90m", "119m", "121m"))
    assert usual.passed
    assert longer.passed
    assert usual.digest != longer.digest
    assert not too_long.passed
    assert too_long.failures[0].at == 7_260 * 10**9
