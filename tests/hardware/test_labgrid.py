"""The labgrid driver with a real daemon and the simulated board; only labgrid itself is a double."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cli.daemons import environment
from tests.hardware.builds import HARDWARE
from tests.hardware.labgrid_double import ExecutionError, labgrid, target
from tests.readers.firmware_sim import firmware_sim

DRIVER = HARDWARE / "labgrid" / "ipo_sim_driver.py"
TOOL = str(Path(sys.executable).with_name("ipo-sim"))

Bind = Callable[[Any], Any]


@pytest.fixture
def bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bind:
    """A driver bound to a port, not active yet."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    specification = importlib.util.spec_from_file_location("ipo_sim_driver", DRIVER)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    with labgrid():
        specification.loader.exec_module(module)

    def bind(port: Any) -> Any:
        driver = module.IpoSimDriver(target(TOOL))
        assert set(driver.bindings) == {"port"}
        driver.port = port
        return driver

    return bind


@contextmanager
def active(driver: Any) -> Iterator[Any]:
    driver.on_activate()
    driver.active = True
    try:
        yield driver
    finally:
        driver.active = False
        driver.on_deactivate()


@pytest.mark.slow
def test_a_unit_at_the_places_reader(bound: Bind, tmp_path: Path) -> None:
    with firmware_sim(tmp_path) as board:
        board.insert()
        with active(bound(SimpleNamespace(port=str(board.path)))) as driver:
            driver.wait_for("feature-key.presence=present")
            assert driver.entity("feature-key")["serial"] == "1234567890"
            board.remove()
            driver.wait_for("feature-key.presence=absent")
            assert driver.execute("why", "feature-key")["ok"]
            with pytest.raises(ExecutionError, match="no command dance"):
                driver.execute("dance")
            with pytest.raises(ExecutionError, match=r"not seen within 0\.1 s"):
                driver.wait_for("feature-key.presence=present", timeout=0.1)


@pytest.mark.slow
def test_a_daemon_that_does_not_start_says_why(bound: Bind) -> None:
    driver = bound(SimpleNamespace(port="/dev/fkc0"))
    driver.model = "ip5000"
    with pytest.raises(ExecutionError, match=r"(?s)the unit does not answer:.*ip5000"):
        driver.on_activate()


def test_a_port_on_another_machine(bound: Bind) -> None:
    raw = SimpleNamespace(host="exporter", port=4000, protocol="raw")
    assert bound(raw)._reader() == "socket://exporter:4000"
    with pytest.raises(ExecutionError, match="protocol: raw"):
        bound(SimpleNamespace(host="exporter", port=4000, protocol="rfc2217"))._reader()


def test_what_is_not_active_is_refused(bound: Bind) -> None:
    with pytest.raises(AssertionError, match="not active"):
        bound(SimpleNamespace(port="/dev/fkc0")).entity("unit")
