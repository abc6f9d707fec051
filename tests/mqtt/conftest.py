"""Brokers to test against."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.mqtt.brokers import Broker, Mosquitto, Nats

BROKERS: dict[str, type[Mosquitto | Nats]] = {"mosquitto": Mosquitto, "nats": Nats}


@pytest.fixture(params=BROKERS)
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    """Each of the brokers that we promise to work with, running."""
    made = BROKERS[request.param](tmp_path)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    """The reference broker, for what needs MQTT 5 or what only one broker has to show."""
    made = Mosquitto(tmp_path)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()
