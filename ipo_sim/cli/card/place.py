"""Which reader a command means: what `--reader` says, or the reader of a configured unit."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import NamedTuple

from ipo_sim.card.reading import CardPolicy
from ipo_sim.cli.card.policy import card_reader_of, policy_of
from ipo_sim.cli.failure import UsageError
from ipo_sim.config.settings import ReaderSettings

PCSC_SCHEME = "pcsc://"
PN532_SCHEME = "pn532:"
_SERIAL_STARTS = ("/", "serial:", "socket:")
ANY = "*"


class Way(Enum):
    """How a reader is reached, which says what it can do."""

    PCSC = "pcsc"
    PN532 = "pn532"
    SERIAL = "serial"


class Place(NamedTuple):
    """A reader: a pattern of PC/SC names, or the line to a PN532 or a serial reader."""

    way: Way
    address: str


def place_of(text: str) -> Place:
    """What `--reader` means."""
    if text.startswith(_SERIAL_STARTS):
        return Place(Way.SERIAL, text)
    if not text.startswith(PN532_SCHEME):
        return Place(Way.PCSC, text.removeprefix(PCSC_SCHEME).strip("/") or ANY)
    line = text.removeprefix(PN532_SCHEME)
    if not line.startswith("//"):
        return Place(Way.PN532, line)
    return Place(Way.PN532, line[2:] if line.startswith("///") else f"socket:{line}")


def commanded(text: str) -> Place:
    """A reader that hands commands to its card; UsageError for a serial one, which does not."""
    place = place_of(text)
    if place.way is Way.SERIAL:
        raise UsageError(f"--reader {text}: a serial reader tells who its card is and takes no commands for it")
    return place


def meant(reader: str, config: Path | None, unit: str | None) -> tuple[Place, CardPolicy | None]:
    """The reader that `--reader` means, by default that of the unit, and the policy of the unit if there is one.

    UsageError: no unit of the configuration has a policy, or there is no configuration for the unit.
    """
    if config is None:
        if unit is not None:
            raise UsageError("--unit: of which configuration? --config CONFIG")
        return place_of(reader), None
    _, settings = card_reader_of(config, unit)
    assert settings.cards is not None
    place = place_of(reader) if reader else _place_in(settings)
    if place.way is Way.SERIAL:
        raise UsageError("--config: a serial reader judges its cards itself")
    return place, policy_of(settings.cards, settings.law)


def meant_by_unit(reader: str, settings: ReaderSettings) -> Place:
    """The reader that `--reader` means, by default that of a unit; UsageError for one that takes no commands."""
    return commanded(reader) if reader else _place_in(settings)


def _place_in(settings: ReaderSettings) -> Place:
    if settings.port is not None:
        return Place(Way.PN532, settings.port)
    return Place(Way.PCSC, settings.name)
