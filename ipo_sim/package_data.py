"""Data files that the package carries."""

from __future__ import annotations

from pkgutil import get_data


def package_data(package: str, name: str) -> bytes:
    """The bytes of a file beside a package's modules; FileNotFoundError when there is none.

    `importlib.resources` does the same and takes a megabyte of modules along, which every daemon would hold.
    """
    data = get_data(package, name)
    if data is None:
        raise FileNotFoundError(f"{package} cannot read {name}")
    return data
