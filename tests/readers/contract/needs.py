"""What a test of the contract asks of a bench, beyond what all can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tests.readers.contract.story import Step

Test = TypeVar("Test", bound=Callable[..., Any])
_ASKED = "asked_of_bench"


def needs(*steps: Step) -> Callable[[Test], Test]:
    """The test does these steps; benches that cannot are left out."""

    def mark(test: Test) -> Test:
        setattr(test, _ASKED, frozenset(steps))
        return test

    return mark


def asked_by(test: Callable[..., Any]) -> frozenset[Step]:
    """The steps that a test needs."""
    return getattr(test, _ASKED, frozenset())
