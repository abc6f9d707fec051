"""Test runs of users, in this process."""

from __future__ import annotations

import pytest

# A run takes back what it has imported, and what is written in C cannot be imported twice: it is here before.
import ipo_sim.panel.server
import ipo_sim.testing.bench
import ipo_sim.testing.daemon
import ipo_sim.testing.scenario  # noqa: F401 - as above

INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"


def run(pytester: pytest.Pytester, *arguments: str, ini: str = INI) -> pytest.RunResult:
    """A run in the order of the file."""
    pytester.makeini(ini)
    return pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider", *arguments)
