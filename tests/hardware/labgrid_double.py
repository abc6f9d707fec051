"""As much of labgrid 26.0 as the driver uses, so that it runs where labgrid is not installed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import attr


class ExecutionError(Exception):
    """labgrid.driver.exception.ExecutionError."""


@attr.s(eq=False)
class Driver:
    """labgrid.driver.common.Driver: a target, what is bound to it by name, and methods for the time of being active."""

    target: Any = attr.ib()
    active = False

    def __attrs_post_init__(self) -> None:
        pass

    @staticmethod
    def check_active(function: Callable[..., Any]) -> Callable[..., Any]:
        def checked(self: Driver, *arguments: Any, **more: Any) -> Any:
            assert self.active, "labgrid refuses what is not active"
            return function(self, *arguments, **more)

        return checked


class Timeout:
    """labgrid.util.Timeout."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def expired(self) -> bool:
        return time.monotonic() >= self._end


def _step(**_: Any) -> Callable[[Any], Any]:
    return lambda function: function


class _Factory:
    @staticmethod
    def reg_driver(driver: type) -> type:
        assert issubclass(driver, Driver)
        return driver


@contextmanager
def labgrid() -> Iterator[None]:
    """Let `import labgrid` find the double."""
    parts: dict[str, dict[str, Any]] = {
        "labgrid": {},
        "labgrid.driver": {},
        "labgrid.driver.common": {"Driver": Driver},
        "labgrid.driver.exception": {"ExecutionError": ExecutionError},
        "labgrid.factory": {"target_factory": _Factory},
        "labgrid.step": {"step": _step},
        "labgrid.util": {"Timeout": Timeout},
    }
    modules = {name: ModuleType(name) for name in parts}
    for name, content in parts.items():
        vars(modules[name]).update(content)
    before = {name: sys.modules.get(name) for name in parts}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def target(tool: str) -> Any:
    """A target whose environment names the tool."""
    return SimpleNamespace(env=SimpleNamespace(config=SimpleNamespace(get_tool=lambda _: tool)))
