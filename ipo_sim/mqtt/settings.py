"""What a connection to a broker needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ipo_sim.errors import ConfigError

_PORTS = {"mqtt": 1883, "mqtts": 8883}

MQTT_VERSIONS = (4, 5)


class ConnectionMode(StrEnum):
    """`auto`: a connection for each unit while they are few, else one for all of them."""

    AUTO = "auto"
    PER_UNIT = "per-unit"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Files in PEM: `ca` to trust instead of the system's, `cert` and `key` to show. `insecure` trusts any broker."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Broker and manners. `url`: `mqtt://` or `mqtts://`, `[user[:password]@]host[:port]`.

    `version` 4 is MQTT 3.1.1, 5 is MQTT 5. `keepalive_s`: a silent broker is given up after at most twice that.
    `timeout_s`: how long a broker may take to answer a connection, a subscription or a full window of messages.
    ConfigError names what cannot be used.
    """

    url: str = "mqtt://127.0.0.1:1883"
    prefix: str = "ipo-sim"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    client_id: str | None = None
    tls: TlsSettings = TlsSettings()
    version: int = 4
    keepalive_s: int = 30
    timeout_s: float = 10.0
    connection: ConnectionMode = ConnectionMode.AUTO

    def __post_init__(self) -> None:
        if self.version not in MQTT_VERSIONS:
            message = f"mqtt version {self.version}: 4 (MQTT 3.1.1) or 5"
            raise ConfigError(message)
        self.endpoint()

    def endpoint(self) -> Endpoint:
        """The parts of the URL, its user and password behind those set on their own."""
        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError as error:
            message = f"mqtt url {self.url!r}: {error}"
            raise ConfigError(message) from None
        if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
            message = f"mqtt url {self.url!r}: expected mqtt://HOST[:PORT] or mqtts://HOST[:PORT]"
            raise ConfigError(message)
        return Endpoint(
            host=parts.hostname,
            port=port or _PORTS[parts.scheme],
            secure=parts.scheme == "mqtts",
            username=self.username if self.username is not None else _decoded(parts.username),
            password=self.password if self.password is not None else _decoded(parts.password),
        )


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a broker is and who we are to it."""

    host: str
    port: int
    secure: bool
    username: str | None
    password: str | None = field(repr=False)

    def __str__(self) -> str:
        """The URL without user and password, for logs and errors."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.secure else 'mqtt'}://{host}:{self.port}"


def _decoded(text: str | None) -> str | None:
    return None if text is None else unquote(text)
