"""The way into this room: a YAML file in, settings out, or all its mistakes at once."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.types import Catalogue
from ipo_sim.config.build import Builder
from ipo_sim.config.check import check_file
from ipo_sim.config.connection_entries import MqttEntry
from ipo_sim.config.entries import ConfigFile
from ipo_sim.config.mistakes import Findings, Location
from ipo_sim.config.secret_file import first_line
from ipo_sim.config.settings import BrokerSettings, HttpSettings, ReaderSettings, Settings, TlsSettings
from ipo_sim.config.shape import read_shape
from ipo_sim.config.source import Source, read_source
from ipo_sim.config.words import MQTT_VERSIONS, token_problem
from ipo_sim.core.model import UnitDefinition, UnitName
from ipo_sim.errors import ConfigMistake
from ipo_sim.licensing.key import DEFAULT_SECRET


class Secrets(NamedTuple):
    """What stands in files of its own, or beside them in the configuration."""

    password: str | None = None
    token: str | None = None


def load_config(path: Path) -> Settings:
    """The settings in a file; ConfigError holds every mistake, one a line. Relative paths in it start at its folder."""
    return _load(read_source(path), path.parent)


def load_text(text: str, name: str, folder: Path | None = None) -> Settings:
    """The same for a text that is at hand; `name` is what mistakes call it."""
    return _load(Source(text, name), folder or Path())


def _load(source: Source, folder: Path) -> Settings:
    catalogue = load_catalogue()
    findings = Findings()
    file, salvage = read_shape(source, findings)
    secrets = Secrets()
    if file is not None:
        check_file(catalogue, file, findings, salvage)
        secrets = _secrets(file, folder, findings)
    if file is None or findings.mistakes or source.repeated:
        raise source.error(findings.mistakes)
    warnings = tuple(source.told(warning) for warning in findings.warnings)
    return _settings(catalogue, file, folder, secrets, warnings)


def _settings(
    catalogue: Catalogue, file: ConfigFile, folder: Path, secrets: Secrets, warnings: tuple[ConfigMistake, ...]
) -> Settings:
    secret = DEFAULT_SECRET if file.bench.secret is None else file.bench.secret.encode()
    builder = Builder(catalogue, secret, folder, seed=file.bench.seed)
    units: list[UnitDefinition] = []
    readers: dict[UnitName, ReaderSettings] = {}
    for index, entry in enumerate(file.units):
        for unit, reader in builder.units(entry, index):
            units.append(unit)
            readers[unit.name] = reader
    return Settings(
        units=tuple(units),
        readers=readers,
        mqtt=_broker(file.mqtt, folder, secrets.password),
        time_scale=None if file.time.scale is None else float(file.time.scale),
        state_dir=_path(folder, file.state_dir),
        http=None if file.http is None else HttpSettings(file.http.port, file.http.host, secrets.token),
        warnings=warnings,
    )


def _broker(mqtt: MqttEntry, folder: Path, password: str | None) -> BrokerSettings:
    tls = mqtt.tls
    return BrokerSettings(
        url=mqtt.url,
        prefix=mqtt.prefix,
        username=mqtt.username,
        password=password,
        client_id=mqtt.client_id,
        version=MQTT_VERSIONS[mqtt.version],
        keepalive_s=mqtt.keepalive,
        connection=mqtt.connection,
        tls=TlsSettings(_path(folder, tls.ca), _path(folder, tls.cert), _path(folder, tls.key), tls.insecure)
        if tls is not None
        else TlsSettings(),
    )


def _secrets(file: ConfigFile, folder: Path, findings: Findings) -> Secrets:
    password = file.mqtt.password
    if file.mqtt.password_file is not None:
        password = first_line(_path(folder, file.mqtt.password_file), ("mqtt", "password_file"), findings)
    if file.http is None or file.http.token_file is None:
        return Secrets(password)
    here: Location = ("http", "token_file")
    token = first_line(_path(folder, file.http.token_file), here, findings)
    problem = None if token is None else token_problem(token)
    if problem is not None:
        findings.mistake(here, problem)
    return Secrets(password, token)


def _path(folder: Path, text: str | None) -> Path | None:
    return None if text is None else folder / Path(text).expanduser()
