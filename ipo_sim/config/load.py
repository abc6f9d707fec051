"""The way into this room: a YAML file in, settings out, or all its mistakes at once."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.types import Catalogue
from ipo_sim.config.build import Builder
from ipo_sim.config.check import check_file
from ipo_sim.config.entries import ConfigFile, MqttEntry
from ipo_sim.config.mistakes import Findings
from ipo_sim.config.settings import BrokerSettings, ReaderSettings, Settings, TlsSettings
from ipo_sim.config.shape import read_shape
from ipo_sim.config.source import Source, read_source
from ipo_sim.config.words import MQTT_VERSIONS
from ipo_sim.core.model import UnitDefinition, UnitName
from ipo_sim.licensing.key import DEFAULT_SECRET

# A password is one line that somebody can still type.
MAX_PASSWORD_FILE = 4096


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
    password = None
    if file is not None:
        check_file(catalogue, file, findings, salvage)
        password = _password(file.mqtt, folder, findings)
    if file is None or findings.mistakes or source.repeated:
        raise source.error(findings.mistakes)
    warnings = tuple(source.line(warning) for warning in findings.warnings)
    return _settings(catalogue, file, folder, password, warnings)


def _settings(
    catalogue: Catalogue, file: ConfigFile, folder: Path, password: str | None, warnings: tuple[str, ...]
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
        readers=MappingProxyType(readers),
        mqtt=_broker(file.mqtt, folder, password),
        time_scale=None if file.time.scale is None else float(file.time.scale),
        state_dir=_path(folder, file.state_dir),
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


def _password(mqtt: MqttEntry, folder: Path, findings: Findings) -> str | None:
    """The password as given, or the first line of its file."""
    path = _path(folder, mqtt.password_file)
    if path is None:
        return mqtt.password
    try:
        with path.open("rb") as file:
            return file.read(MAX_PASSWORD_FILE).decode().partition("\n")[0].rstrip("\r")
    except OSError as error:
        findings.mistake(("mqtt", "password_file"), f"{path}: {error.strerror or error}")
    except UnicodeDecodeError:
        findings.mistake(("mqtt", "password_file"), f"{path}: not UTF-8 text")
    except ValueError as error:
        findings.mistake(("mqtt", "password_file"), f"{str(path)!r}: {error}")
    return None


def _path(folder: Path, text: str | None) -> Path | None:
    return None if text is None else folder / Path(text).expanduser()
