"""Scenarios in a test: each is played in units and a time of its own, and fails the test as a wrong assertion does."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipo_sim.cli.config.demo import demo_settings
from ipo_sim.client.loop_thread import LoopThread
from ipo_sim.errors import ConfigError
from ipo_sim.scenario.model import Scenario
from ipo_sim.scenario.outcome import Outcome
from ipo_sim.scenario.play import play
from ipo_sim.scenario.reading import read_scenario
from ipo_sim.scenario.virtual import virtual_world
from ipo_sim.testing.found import find_file


class ScenarioPlayer:
    """Plays the files that it is called with; they are looked for in these folders."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self._folders = folders

    def __call__(self, file: str | Path, **parameters: object) -> Outcome:
        """Play a scenario, with these parameters instead of its own; the test fails where it does."""
        __tracebackhide__ = True
        outcome = self.play(file, **parameters)
        if not outcome.passed:
            told = [line for failure in outcome.failures for line in failure.lines()]
            pytest.fail("\n".join([f"{outcome.scenario.path}: {outcome.scenario.name}", *told]), pytrace=False)
        return outcome

    def play(self, file: str | Path, **parameters: object) -> Outcome:
        """Play a scenario; what became of it, passed or not."""
        __tracebackhide__ = True
        scenario = self.read(file, **parameters)
        thread = LoopThread("ipo-scenario")
        try:
            return thread.call(_played(scenario))
        finally:
            thread.close()

    def read(self, file: str | Path, **parameters: object) -> Scenario:
        """The scenario without playing it; the test fails with all its mistakes."""
        __tracebackhide__ = True
        try:
            path = find_file("ipo_scenario", file, self._folders)
            return read_scenario(path, {name: str(value) for name, value in parameters.items()}, demo_settings)
        except ConfigError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None


async def _played(scenario: Scenario) -> Outcome:
    async with virtual_world(scenario.setup) as world:
        return await play(scenario, world)
