"""The licence form of a unit as the maker's management tool shows it (licensing.md 2 and 10)."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from ipo_sim.core.model import FeatureKey, KeyPresence, Licence, LicenceStatus, Unit

# A parallel or USB dongle sits in a PC that runs the key server; a serial dongle or a card is at the unit itself.
REMOTE_KINDS = frozenset({"dongle-parallel", "dongle-usb"})
REMOTE_READERS = frozenset({"key-server"})
NO_DONGLE = "None"


class FormRow(NamedTuple):
    """One licence key: `type` is `Invalid` and `instances` None when the string is not recognised."""

    number: int
    key: str
    type: str
    status: LicenceStatus
    instances: int | None
    expiry: date | None


class LicenceForm(NamedTuple):
    """All that the form shows of one unit."""

    dongle_serial_number: str
    licences: tuple[FormRow, ...]


def licence_form(unit: Unit) -> LicenceForm:
    """The form as it stands now."""
    return LicenceForm(dongle_serial_number(unit.key, unit.reader.kind), tuple(map(_row, unit.licences)))


def dongle_serial_number(key: FeatureKey, reader_kind: str) -> str:
    """`Local 1234567890`, `Remote 1234567890`, or `None` while no key can be read."""
    if key.presence is not KeyPresence.PRESENT or key.serial is None:
        return NO_DONGLE
    remote = key.kind in REMOTE_KINDS or reader_kind in REMOTE_READERS
    return f"{'Remote' if remote else 'Local'} {key.serial}"


def _row(licence: Licence) -> FormRow:
    decoded = licence.decoded
    return FormRow(
        licence.number,
        licence.text,
        licence.type_name,
        licence.status,
        decoded.instances if decoded else None,
        decoded.expiry if decoded else None,
    )
