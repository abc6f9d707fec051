"""Which version is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


def version() -> str:
    """The version of the installed package; `unknown` when it runs from sources that nobody installed."""
    try:
        return installed("ipo-sim")
    except PackageNotFoundError:
        return "unknown"
