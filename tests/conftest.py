"""What every test stands on: the leak fixtures, Hypothesis profiles, options."""

from __future__ import annotations

import os

from hypothesis import settings

from tests.leaks import no_leaked_resources, no_leaked_tasks
from tests.readers.contract.options import pytest_addoption

__all__ = ["no_leaked_resources", "no_leaked_tasks", "pytest_addoption"]

pytest_plugins = ["pytester"]

# Machines that share their cores make no promise about single examples; pytest-timeout guards the whole test.
settings.register_profile("local", deadline=None)
# CI must give the same verdict on the same commit.
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")
