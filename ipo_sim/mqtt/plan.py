"""Which connections serve which units."""

from __future__ import annotations

from collections.abc import Sequence

from ipo_sim.api.answers import Execute
from ipo_sim.api.encoder import Counters, Encoder
from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.model import UnitName
from ipo_sim.errors import ConfigError
from ipo_sim.mqtt.commands import CommandDesk
from ipo_sim.mqtt.link import Identity, Link
from ipo_sim.mqtt.settings import ConnectionMode, MqttSettings
from ipo_sim.mqtt.tampering import Tampering
from ipo_sim.mqtt.topics import Topics
from ipo_sim.runtime.bus import Bus

# A client costs 16 KiB and a place at the broker; up to here every unit gets a last will of its own for it.
MAX_OWN_CONNECTIONS = 16

DEFAULT_CLIENT_ID = "ipo-sim"


def identities(settings: MqttSettings, units: Sequence[UnitName]) -> tuple[Identity, ...]:
    """The connections for these units, at least one unit; ConfigError when a unit is named as the shared client id.

    A configured client id is taken as it is for a single connection and as a beginning for several.
    """
    mode = settings.connection
    shared = mode is ConnectionMode.SHARED or (mode is ConnectionMode.AUTO and len(units) > MAX_OWN_CONNECTIONS)
    if shared:
        client_id = settings.client_id or f"{DEFAULT_CLIENT_ID}-{units[0]}"
        if client_id in units:
            message = f"mqtt client_id {client_id!r}: a unit has that name, and both would have the same availability"
            raise ConfigError(message)
        return (Identity(client_id, client_id, tuple(units)),)
    if settings.client_id is not None and len(units) == 1:
        return (Identity(settings.client_id, units[0], tuple(units)),)
    start = settings.client_id or DEFAULT_CLIENT_ID
    return tuple(Identity(f"{start}-{unit}", unit, (unit,)) for unit in units)


def build_links(
    settings: MqttSettings,
    units: Sequence[UnitName],
    bus: Bus,
    catalogue: Catalogue,
    execute: Execute,
    *,
    counters: Counters | None = None,
) -> tuple[Link, ...]:
    """The links for these units, not yet running. `counters` are those of a unit's reader."""
    links = []
    for identity in identities(settings, units):
        daemon = None if identity.owner in identity.units else identity.owner
        encoder = Encoder(bus, catalogue, daemon=daemon, counters=counters)
        desk = CommandDesk(Topics(settings.prefix), execute)
        links.append(Link(identity, settings, bus, encoder, desk, Tampering(execute)))
    return tuple(links)
