"""The licence form: Type, Status, Instances, Expiry of each key, and whose dongle it is (licensing.md 2 and 10)."""

from __future__ import annotations

from datetime import date

import pytest

from ipo_sim.core.events import FeatureKeyRemoved, FeatureKeyUnreadable, LicenceAdded
from ipo_sim.core.licence_form import FormRow, dongle_serial_number, licence_form
from ipo_sim.core.model import FeatureKey, KeyCondition, KeyPresence, KeyReason, LicenceStatus
from tests.core.bench import OTHER_SERIAL, PROFESSIONAL, SERIAL, VOICEMAIL_PRO, Bench, definition, key

STRANGE = "Z" * 32


def test_every_key_has_its_type_status_instances_and_expiry() -> None:
    keys = (key(), key(VOICEMAIL_PRO, instances=4, expiry=date(2026, 1, 4)), key(serial=OTHER_SERIAL), STRANGE)
    bench = Bench(definition(*keys)).boot()
    added = key("Phone Manager Pro (users)", instances=5, expiry=date(2030, 12, 31))
    bench.apply(LicenceAdded(added))
    form = licence_form(bench.unit)
    assert form.dongle_serial_number == f"Local {SERIAL}"
    assert form.licences == (
        FormRow(1, keys[0], PROFESSIONAL, LicenceStatus.VALID, 1, None),
        FormRow(2, keys[1], VOICEMAIL_PRO, LicenceStatus.EXPIRED, 4, date(2026, 1, 4)),
        FormRow(3, keys[2], PROFESSIONAL, LicenceStatus.INVALID, 1, None),
        FormRow(4, STRANGE, "Invalid", LicenceStatus.INVALID, None, None),
        FormRow(5, added, "Phone Manager Pro (users)", LicenceStatus.UNKNOWN, 5, date(2030, 12, 31)),
    )


def test_a_dongle_that_cannot_be_read_is_none_though_its_licences_hold() -> None:
    bench = Bench().boot()
    bench.apply(FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS))
    form = licence_form(bench.unit)
    assert (form.dongle_serial_number, form.licences[0].status) == ("None", LicenceStatus.VALID)
    bench.apply(FeatureKeyRemoved())
    assert licence_form(bench.unit).dongle_serial_number == "None"


@pytest.mark.parametrize(
    ("kind", "reader", "text"),
    [
        (None, "virtual", "Local"),
        ("smart-card", "serial", "Local"),
        ("dongle-serial", "virtual", "Local"),
        ("dongle-parallel", "virtual", "Remote"),
        ("dongle-usb", "virtual", "Remote"),
        (None, "key-server", "Remote"),
    ],
)
def test_a_parallel_or_usb_dongle_is_behind_a_key_server(kind: str | None, reader: str, text: str) -> None:
    present = FeatureKey(
        KeyPresence.PRESENT, KeyReason.NO_REASON, KeyCondition.IN_ORDER, seq=1, serial=SERIAL, kind=kind
    )
    assert dongle_serial_number(present, reader) == f"{text} {SERIAL}"
    gone = FeatureKey(KeyPresence.ABSENT, KeyReason.NOT_PRESENT, KeyCondition.GRACE, seq=2, validated_serial=SERIAL)
    assert dongle_serial_number(gone, reader) == "None"
