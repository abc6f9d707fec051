"""Where the units of a test can be reached; apart from the broker, whose client units without one do not pay for."""

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


class HttpUnderTest(NamedTuple):
    """The control API as a test has it: `http://127.0.0.1:PORT`."""

    url: str
