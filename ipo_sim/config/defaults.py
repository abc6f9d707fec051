"""What an entry leaves to its model: release profile, boot policy, reader, where the feature key is."""

from __future__ import annotations

from ipo_sim.catalogue.types import ModelType
from ipo_sim.config.entries import UnitEntry
from ipo_sim.config.feature_key_entry import FeatureKeyEntry
from ipo_sim.core.words import ANY_SERVER, KEY_SERVER, NO_SERVER, BootPolicy

DEFAULT_PROFILE = "r5"
DEFAULT_SERVER_PORT = 50_800
VIRTUAL = "virtual"
SERIAL = "serial"
CASSETTE = "cassette"
PCSC = "pcsc"
PN532 = "pn532"
# The pattern that every name fits.
ANY_READER = "*"
# Plays a cassette again and again.
LOOP = "loop"


def release_profile(entry: UnitEntry, model: ModelType | None) -> str:
    """The one given; else the usual one of the model."""
    if entry.release_profile is not None:
        return entry.release_profile
    return DEFAULT_PROFILE if model is None else usual_profile(model)


def usual_profile(model: ModelType) -> str:
    """The one that most have, or the newest that the model runs."""
    return DEFAULT_PROFILE if DEFAULT_PROFILE in model.release_profiles else model.release_profiles[-1]


def boot_policy(entry: UnitEntry, model: ModelType) -> BootPolicy:
    """The one given; an IP400 system never halts."""
    given = entry.key.boot_policy
    if given is not None:
        return BootPolicy(given)
    return BootPolicy.UNLICENSED if model.runs_without_key else BootPolicy.HALT


def reader_kind(key: FeatureKeyEntry, model: ModelType | None) -> str:
    """The one given; an IP400 system asks a key server unless its dongle is said to be on the unit."""
    if key.reader is not None:
        return key.reader
    if model is None or not model.dongles or key.licence_server == NO_SERVER:
        return VIRTUAL
    return KEY_SERVER


def licence_server(key: FeatureKeyEntry, model: ModelType) -> str:
    """The License Server IP Address; a reader on an IP400 system itself says 0.0.0.0."""
    if key.licence_server is not None:
        return key.licence_server
    return NO_SERVER if model.dongles and key.reader not in (None, KEY_SERVER) else ANY_SERVER


def key_server_port(key: FeatureKeyEntry) -> int:
    """The port to poll at."""
    return DEFAULT_SERVER_PORT if key.licence_server_port is None else key.licence_server_port
