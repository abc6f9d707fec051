"""Which units a test gets: those of its marker, of the configuration of the run, or the demonstration unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from ipo_sim.cli.config.cassettes import Cassettes, with_cassettes
from ipo_sim.cli.config.demo import demo_settings
from ipo_sim.config.load import load_config, load_text
from ipo_sim.config.settings import Settings
from ipo_sim.core.model import Nanoseconds
from ipo_sim.errors import ConfigError
from ipo_sim.runtime.moment import parse_moment
from ipo_sim.testing.found import find_file

# When the simulated world of a test begins, so that two runs are alike: a Monday at noon.
START = "2026-01-05T12:00:00Z"
UNIT = "bench-1"
# The setting that says which reader of a kind it is, where it is not the port.
_WHICH = {"pcsc": "pcsc_reader", "cassette": "cassette"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a marker asks for. `source` is a file, a text or the whole configuration as values; `unit` one unit's.

    `boot`: the test begins when all units have started; else at the moment of power-up.
    """

    source: object = None
    boot: bool = True
    time: str = START
    unit: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, arguments: tuple[object, ...], keywords: Mapping[str, Any]) -> Wanted:
        """What stands in the brackets of a marker; ConfigError for what does not go together."""
        settings = dict(keywords)
        if len(arguments) > 1 or (arguments and set(settings) - {"boot", "time"}):
            raise ConfigError(
                "ipo_config takes one file, text or configuration, or the settings of one unit by name, not both"
            )
        source = arguments[0] if arguments else None
        boot = settings.pop("boot", True)
        if not isinstance(boot, bool):
            raise ConfigError(f"ipo_config: boot is True or False, not {boot!r}")
        return cls(source, boot, settings.pop("time", START), settings)

    @property
    def start(self) -> Nanoseconds:
        """The moment at which power is applied; ConfigError for a time that is none."""
        try:
            return parse_moment(self.time, 0)
        except (ValueError, OverflowError, TypeError):
            raise ConfigError(f"ipo_config: time {self.time!r} is none; write it as {START}") from None


def settings_for(
    wanted: Wanted, folders: tuple[Path, ...], default: Path | None, reader: str, seed: int
) -> tuple[Settings, Cassettes]:
    """The settings that are asked for, and the recordings that their readers play; ConfigError with every mistake.

    Files are looked for in these folders. `seed` is added to those of the units, which decide all their chance.

    `reader` `virtual`: as the configuration says; else the first unit's card is read there: `serial:/dev/ttyUSB0`,
    `pcsc`, `cassette:FILE`.
    """
    text, name, folder = _text(wanted, folders, default)
    if reader != "virtual":
        text = _with_reader(text, reader)
    if text is None:
        return _seeded(demo_settings(), seed), {}
    return with_cassettes(_seeded(load_text(text, name, folder), seed), name)


def _seeded(settings: Settings, seed: int) -> Settings:
    return replace(settings, units=tuple(replace(unit, seed=unit.seed + seed) for unit in settings.units))


def _text(wanted: Wanted, folders: tuple[Path, ...], default: Path | None) -> tuple[str | None, str, Path | None]:
    source = wanted.source
    if wanted.unit:
        source = {"units": [{"name": UNIT, "model": "ip500", **wanted.unit}]}
    if isinstance(source, Mapping):
        return _dumped(source), "ipo_config", None
    if isinstance(source, str) and "\n" in source:
        return source, "ipo_config", None
    if source is None and default is None:
        return None, "demonstration", None
    path = default if source is None else _file(source, folders)
    assert path is not None
    try:
        return path.read_text(encoding="utf-8"), str(path), path.parent
    except (OSError, UnicodeDecodeError):
        load_config(path)  # says what is wrong with the file
        raise


def _file(source: object, folders: tuple[Path, ...]) -> Path:
    if not isinstance(source, str | Path):
        raise ConfigError(f"ipo_config: a file, a text or a mapping is wanted, not {source!r}")
    return find_file("ipo_config", source, folders)


def _with_reader(text: str | None, reader: str) -> str:
    from importlib.resources import files  # noqa: PLC0415 - only who has a reader of his own

    demo = files("ipo_sim.cli.config").joinpath("demo.yaml")
    values = yaml.safe_load(text if text is not None else demo.read_text(encoding="utf-8"))
    kind, _, which = reader.partition(":")
    where = {_WHICH.get(kind, "port"): str(Path(which).absolute()) if kind == "cassette" else which} if which else {}
    try:
        values["units"][0]["feature_key"] = {"reader": kind, **where}
    except (KeyError, IndexError, TypeError):
        raise ConfigError("--ipo-reader: the configuration has no unit that a reader could be given to") from None
    return _dumped(values)


def _dumped(values: Mapping[str, Any]) -> str:
    try:
        return yaml.safe_dump(_plain(values), sort_keys=False)
    except yaml.YAMLError as error:
        raise ConfigError(f"ipo_config: only plain values can be configured: {error}") from None


def _plain(value: Any) -> Any:  # noqa: ANN401 - values of a configuration
    """Tuples as lists and paths and dates as text, as a file would hold them."""
    if isinstance(value, Mapping):
        return {str(key) if isinstance(key, Path) else key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Path | datetime) else value
