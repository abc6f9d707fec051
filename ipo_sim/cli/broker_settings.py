"""From the broker of a configuration to what a connection needs."""

from __future__ import annotations

from urllib.parse import urlsplit

from ipo_sim.config.settings import BrokerSettings
from ipo_sim.mqtt.settings import ConnectionMode, MqttSettings, TlsSettings


def connection_settings(broker: BrokerSettings, url: str) -> MqttSettings:
    """How to reach `url` with the manners and credentials of the configuration; ConfigError for a URL that is none.

    A user in the URL stands for both: the configuration's name and password are then another broker's.
    """
    own_user = "@" in urlsplit(url).netloc
    tls = broker.tls
    return MqttSettings(
        url=url,
        prefix=broker.prefix,
        username=None if own_user else broker.username,
        password=None if own_user else broker.password,
        client_id=broker.client_id,
        tls=TlsSettings(tls.ca, tls.cert, tls.key, tls.insecure),
        version=broker.version,
        keepalive_s=broker.keepalive_s,
        connection=ConnectionMode(broker.connection),
    )


def wants_credentials(broker: BrokerSettings, settings: MqttSettings) -> bool:
    """Whether a client needs more than the URL: a password, or certificates."""
    return settings.username is not None or settings.password is not None or broker.tls != type(broker.tls)()
