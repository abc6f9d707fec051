"""The connection that an address asks for, of the kinds that there are."""

from __future__ import annotations

from ipo_sim.client.connection import Address, Connection
from ipo_sim.errors import ConfigError
from ipo_sim.mqtt.settings import MqttSettings


def connection_to(address: Address, timeout_s: float, *, program: str = "client") -> Connection:
    """A connection, not yet open; ConfigError: the extra that it needs is not installed."""
    if isinstance(address, MqttSettings):
        from ipo_sim.client.mqtt_connection import MqttConnection  # noqa: PLC0415 - one of them is enough

        return MqttConnection(address, timeout_s, program=program)
    try:
        from ipo_sim.client.http_connection import HttpConnection  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        message = f"{address}: HTTP needs {error.name}: install the extra `http`, pip install 'ipo-sim[http]'"
        raise ConfigError(message) from error
    return HttpConnection(address, timeout_s, program=program)
