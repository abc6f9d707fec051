"""Units that the figures are of: the demonstration unit, and a fleet of any size."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.config.load import load_config, load_text
from ipo_sim.core.model import SECOND_NS, Nanoseconds, Unit, UnitDefinition
from ipo_sim.core.unit import new_unit

ROOT = Path(__file__).parents[1]
# Four base cards with daughter cards, eight expansion modules, eight licences.
FULL_CONFIG = ROOT / "configs" / "full.yaml"

NOON = Nanoseconds(1_767_614_400 * SECOND_NS)  # 2026-01-05 12:00 UTC
_MIDNIGHT_AHEAD = "2026-01-05"

_FLEET = """\
units:
  - name: "unit-{{n:04}}"
    count: {count}
    model: ip500
    release_profile: r5
    feature_key: {{reader: virtual, serial: "500000{{n:04}}"}}
    slots:
      1: {{card: DS8, daughter: PRI-1}}
      2: POT8
      3: VCM32
    expansion:
      1: DS30V2
      2: PHONE16V2
    licences:
      - {{licence: IP500 Upgrade Standard to Professional}}
      - {{licence: IP500 VCM Channels, instances: 28, expiry: {expiry}}}
      - {{licence: "Voicemail Pro (4 ports)"}}
mqtt: {{connection: shared}}
"""
_MINIMAL_FLEET = """\
units: [{{name: "unit-{{n:04}}", count: {count}, model: ip500}}]
mqtt: {{connection: shared}}
"""


def full_definition() -> UnitDefinition:
    """The unit of `make run`."""
    return load_config(FULL_CONFIG).units[0]


def full_unit() -> Unit:
    """It as delivered, powered off."""
    return new_unit(full_definition(), load_catalogue())


def fleet_text(count: int) -> str:
    """A configuration of so many units, each as in `configs/fleet.yaml`, but one licence expires at midnight."""
    return _FLEET.format(count=count, expiry=_MIDNIGHT_AHEAD)


def minimal_fleet_text(count: int) -> str:
    """A configuration of so many units with nothing but a feature key."""
    return _MINIMAL_FLEET.format(count=count)


@cache
def fleet(count: int) -> tuple[UnitDefinition, ...]:
    """The definitions of such a fleet."""
    return load_text(fleet_text(count), "fleet").units
