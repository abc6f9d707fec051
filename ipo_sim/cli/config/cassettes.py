"""The recordings that a configuration's units play, read before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ipo_sim.config.settings import Settings
from ipo_sim.core.model import UnitName
from ipo_sim.errors import ConfigError, ConfigMistake, ReaderError

if TYPE_CHECKING:
    from ipo_sim.readers.recording import Recording

Cassettes = Mapping[UnitName, "Recording"]


def load_settings(config: Path) -> tuple[Settings, Cassettes]:
    """A configuration with the recordings of its cassette readers; ConfigError: there is a mistake in either.

    A unit with a cassette has the reader that was recorded, so that its history becomes that of the recorded unit.
    """
    from ipo_sim.config.load import load_config  # noqa: PLC0415 - a daemon has its configuration from elsewhere

    return with_cassettes(load_config(config), str(config))


def with_cassettes(settings: Settings, name: str) -> tuple[Settings, Cassettes]:
    """The same for settings that are at hand; `name` is what mistakes call them."""
    cassettes = _cassettes(settings, name)
    if not cassettes:
        return settings, {}
    units = []
    for unit in settings.units:
        if unit.name in cassettes:
            header = cassettes[unit.name].header
            units.append(replace(unit, reader_kind=header.kind, reader_name=header.name))
        else:
            units.append(unit)
    return replace(settings, units=tuple(units)), cassettes


def _cassettes(settings: Settings, name: str) -> Cassettes:
    wanted = {unit: reader.cassette for unit, reader in settings.readers.items() if reader.cassette is not None}
    if not wanted:
        return {}
    from ipo_sim.readers.recording import load_recording  # noqa: PLC0415 - only who has a cassette pays for it

    recordings, problems = {}, []
    for path in dict.fromkeys(wanted.values()):
        try:
            recordings[path] = load_recording(path)
        except ReaderError as error:
            problems.append(ConfigMistake(name, str(error)))
    if problems:
        raise ConfigError.of(*problems)
    return {unit: recordings[path] for unit, path in wanted.items()}
