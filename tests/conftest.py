"""What every test stands on: leak fixtures, a log that no other test has set up, Hypothesis profiles, options."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
import structlog
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


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """A command that runs in the test's process sets up the log of that process: the next test shall not inherit it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
