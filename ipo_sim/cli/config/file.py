"""A configuration file that a command changes: it is replaced as a whole, once it reads as meant, or not at all."""

from __future__ import annotations

import os
import tempfile
from codecs import BOM_UTF8
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ipo_sim.config.list_edit import with_items
from ipo_sim.config.load import load_text
from ipo_sim.config.settings import Settings
from ipo_sim.core.model import UnitDefinition
from ipo_sim.errors import ConfigError


def add_items(
    path: Path,
    unit: str,
    setting: str,
    items: Sequence[str],
    change: Callable[[Settings], Settings],
) -> None:
    """Write more items into a list of a unit; `change` tells what the file says then, and nothing else may differ.

    ConfigError, and the file as it was, where they cannot be put in.
    """
    content = _read(path)
    mark = BOM_UTF8 if content.startswith(BOM_UTF8) else b""
    text = content.decode("utf-8-sig")
    old = load_text(text, str(path), path.parent)
    new_text = with_items(text, str(path), unit, setting, items)
    if _read_back(new_text, path) != change(old):
        raise ConfigError(f"{path}: there is no safe place for more {setting} of unit {unit}; add {setting}: [] to it")
    _replace(path, mark + new_text.encode())


def in_unit(name: str, change: Callable[[UnitDefinition], UnitDefinition]) -> Callable[[Settings], Settings]:
    """A change of nothing but this unit."""

    def changed(settings: Settings) -> Settings:
        units = tuple(change(unit) if unit.name == name else unit for unit in settings.units)
        return replace(settings, units=units)

    return changed


def _read_back(text: str, path: Path) -> Settings | None:
    try:
        return load_text(text, str(path), path.parent)
    except ConfigError:
        return None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error


def _replace(path: Path, content: bytes) -> None:
    """A link stays a link to the file that is replaced, and that keeps its permissions."""
    target = path.resolve()
    try:
        number, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(target.stat().st_mode & 0o7777)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
