"""The configuration that `ipo-sim run` runs when it is given none."""

from __future__ import annotations

from importlib.resources import files

from ipo_sim.config.load import load_text
from ipo_sim.config.settings import Settings

NAME = "demonstration"


def demo_settings() -> Settings:
    """The settings of the demonstration unit: configs/full.yaml, which the package carries as demo.yaml."""
    return load_text(files("ipo_sim.cli.config").joinpath("demo.yaml").read_text(encoding="utf-8"), NAME)
