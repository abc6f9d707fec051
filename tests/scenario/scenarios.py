"""Scenarios for tests: written to a file, read, and played in a world of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from ipo_sim.cli.config.demo import demo_settings
from ipo_sim.scenario.model import Scenario
from ipo_sim.scenario.outcome import Outcome
from ipo_sim.scenario.play import play
from ipo_sim.scenario.reading import read_scenario
from ipo_sim.scenario.virtual import virtual_world

ROOT = Path(__file__).parents[2]
READY = sorted((ROOT / "configs" / "scenarios").glob("*.yaml"))


def written(folder: Path, text: str, name: str = "x.yaml") -> Path:
    """A scenario file; `text` is indented as its test is."""
    path = folder / name
    path.write_text(dedent(text), encoding="utf-8")
    return path


def read(path: Path, parameters: Mapping[str, str] | None = None) -> Scenario:
    return read_scenario(path, parameters or {}, demo_settings)


def played(scenario: Scenario) -> Outcome:
    async def run() -> Outcome:
        async with virtual_world(scenario.setup) as world:
            return await play(scenario, world)

    return asyncio.run(run())


def outcome_of(folder: Path, text: str, parameters: Mapping[str, str] | None = None) -> Outcome:
    return played(read(written(folder, text), parameters))
