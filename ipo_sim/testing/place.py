"""Where the units of a test are on a broker; apart from the broker, whose client units without one do not pay for."""

from __future__ import annotations

from typing import NamedTuple

from ipo_sim.mqtt.settings import MqttSettings

# A test does not wait for a broker that is not there.
TIMEOUT_S = 10.0


class Place(NamedTuple):
    """Where units are on a broker."""

    url: str
    prefix: str

    def settings(self) -> MqttSettings:
        """How to reach it; ConfigError for a URL that is none."""
        return MqttSettings(url=self.url, prefix=self.prefix, timeout_s=TIMEOUT_S)
