"""What licence strings are worth: statuses in the stated order, dormancy to a fixed point, expiry, editions, pools."""

from __future__ import annotations

from datetime import date

import pytest

from ipo_sim.core.events import (
    ConfigurationLoaded,
    DateSet,
    FeatureKeyRemoved,
    LicenceAdded,
    LicenceRemoved,
    PowerApplied,
    RestartRequested,
)
from ipo_sim.core.model import SECOND_NS, Nanoseconds
from ipo_sim.core.unit import next_deadline
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.status import LicenceStatus
from tests.core.bench import OTHER_SERIAL, PROFESSIONAL, VOICEMAIL_PRO, Bench, definition, key

UNKNOWN, INVALID, EXPIRED, OBSOLETE, DORMANT, VALID = LicenceStatus
DAY_NS = 86_400 * SECOND_NS
YESTERDAY, TODAY, TOMORROW = date(2026, 1, 4), date(2026, 1, 5), date(2026, 1, 6)
ADDITIONAL_PORTS = "Additional Voicemail Pro (ports)"
SOE_ONLY = "Small Office Edition WiFi"


def statuses(bench: Bench) -> list[LicenceStatus]:
    return [licence.status for licence in bench.unit.licences]


ORDER = [
    pytest.param(key(serial=OTHER_SERIAL, expiry=YESTERDAY), INVALID, id="invalid before expired"),
    pytest.param(key(SOE_ONLY, expiry=YESTERDAY), EXPIRED, id="expired before obsolete"),
    pytest.param(key(SOE_ONLY), OBSOLETE, id="obsolete"),
    pytest.param(key(VOICEMAIL_PRO, expiry=YESTERDAY), EXPIRED, id="expired before dormant"),
    pytest.param(key(VOICEMAIL_PRO), DORMANT, id="dormant"),
    pytest.param(key(), VALID, id="valid"),
    pytest.param("Z" * 32, INVALID, id="a string that is not recognised"),
    pytest.param(key(secret=b"another bench"), INVALID, id="another secret"),
]


@pytest.mark.parametrize(("text", "status"), ORDER)
def test_the_first_status_that_fits_wins(text: str, status: LicenceStatus) -> None:
    assert statuses(Bench(definition(text)).boot()) == [status]


def test_not_recognised_and_wrong_card_are_two_things() -> None:
    bench = Bench(definition("Z" * 32, key(serial=OTHER_SERIAL))).boot()
    unrecognised, wrong_card = bench.unit.licences
    assert (unrecognised.type_name, unrecognised.status) == ("Invalid", INVALID)
    assert (wrong_card.type_name, wrong_card.status) == (PROFESSIONAL, INVALID)
    assert unrecognised.cause[0] == "licence-string"
    assert wrong_card.cause[0] == "feature-key"


def test_an_entered_string_is_unknown_until_the_configuration_is_loaded() -> None:
    bench = Bench(definition()).boot()
    seq = bench.apply(LicenceAdded(key())).seq
    assert bench.licence().status is UNKNOWN
    assert bench.licence().cause == ("configuration", f"event:{seq}")
    assert bench.unit.edition.name == "standard"
    bench.apply(ConfigurationLoaded())
    assert bench.licence().status is VALID
    assert bench.unit.edition.name == "professional"
    assert bench.modules_in_service == 8


def test_a_restart_loads_the_configuration_too() -> None:
    bench = Bench(definition()).boot()
    bench.apply(LicenceAdded(key()), RestartRequested())
    bench.advance(10)
    assert bench.licence().status is VALID


def test_removing_the_edition_licence_closes_the_modules_and_wakes_nobody_else() -> None:
    bench = Bench(definition(key(), key(VOICEMAIL_PRO))).boot()
    assert statuses(bench) == [VALID, VALID]
    bench.notified()
    seq = bench.apply(LicenceRemoved(key())).seq
    assert statuses(bench) == [DORMANT]
    assert bench.licence(2).cause == (f"licence:{PROFESSIONAL}", f"event:{seq}")
    assert bench.modules_in_service == 0
    assert bench.part("expansion/1").service.cause == (f"licence:{PROFESSIONAL}", f"event:{seq}")
    assert {number for number, _, _ in bench.notified()} == {20, 46}


def test_dormancy_settles_along_a_chain_and_names_the_nearest_missing_licence() -> None:
    bench = Bench(definition(key(ADDITIONAL_PORTS), key(VOICEMAIL_PRO))).boot()
    assert statuses(bench) == [DORMANT, DORMANT]
    ports, base = bench.unit.licences
    assert base.cause[0] == f"licence:{PROFESSIONAL}"
    assert ports.cause[0] == f"licence:{VOICEMAIL_PRO}"
    assert ports.cause[1] == f"licence:{PROFESSIONAL}"
    bench.apply(LicenceAdded(key()), ConfigurationLoaded())
    assert statuses(bench) == [VALID, VALID, VALID]


def test_a_prerequisite_that_expired_leaves_dormant_with_the_expiry_in_its_chain() -> None:
    bench = Bench(definition(key(expiry=TODAY), key(VOICEMAIL_PRO))).boot()
    assert statuses(bench) == [VALID, VALID]
    bench.advance(hours=12)
    assert statuses(bench) == [EXPIRED, DORMANT]
    assert bench.licence(2).cause[:2] == (f"licence:{PROFESSIONAL}", "expiry:2026-01-05")


@pytest.mark.parametrize(("offset", "midnight_in_hours"), [(0, 12), (60, 11), (-300, 17)], ids=["utc", "cet", "est"])
def test_a_licence_holds_to_the_end_of_its_day_in_local_time(offset: int, midnight_in_hours: int) -> None:
    bench = Bench(definition(key(expiry=TODAY), utc_offset_minutes=offset)).boot()
    expiry = next_deadline(bench.unit)
    assert expiry == bench.history[0][0].at + midnight_in_hours * 3_600 * SECOND_NS
    bench.advance((expiry - bench.at) / SECOND_NS - 1)
    assert bench.licence().status is VALID
    bench.advance(1)
    assert bench.licence().status is EXPIRED
    assert bench.unit.edition.name == "standard"
    assert next_deadline(bench.unit) is None


def test_setting_the_date_expires_and_revives() -> None:
    bench = Bench(definition(key(expiry=TOMORROW))).boot()
    bench.apply(DateSet(Nanoseconds(2 * DAY_NS)))
    assert bench.licence().status is EXPIRED
    bench.apply(DateSet(Nanoseconds(DAY_NS)))
    assert bench.licence().status is VALID


def test_several_strings_add_up_and_only_valid_ones_count() -> None:
    vcm = "IP500 VCM Channels"
    bench = Bench(
        definition(
            key(),
            key(vcm, instances=4, nonce=1),
            key(vcm, instances=8, nonce=2),
            key(vcm, instances=60, serial=OTHER_SERIAL),
        )
    ).boot()
    pools = {feature.licence: (feature.licensed, feature.free, feature.usable) for feature in bench.unit.features}
    assert pools == {
        PROFESSIONAL: (1, 0, 1),
        vcm: (12, 4, 16),
        "IP500 Universal PRI (additional channels)": (0, 8, 8),
    }
    bench.apply(FeatureKeyRemoved())
    bench.advance(hours=2)
    assert {feature.licensed for feature in bench.unit.features} == {0}
    assert all(feature.cause for feature in bench.unit.features if feature.licence in (PROFESSIONAL, vcm))


def test_the_same_string_twice_counts_once() -> None:
    text = key(VOICEMAIL_PRO, instances=4)
    bench = Bench(definition(key(), text, text.lower())).boot()
    assert len(bench.unit.licences) == 2
    with pytest.raises(CommandRejected, match="counts once") as caught:
        bench.apply(LicenceAdded(f" {text.lower()} "))
    assert caught.value.reason == "duplicate-licence"


def test_numbers_of_licences_are_never_used_again() -> None:
    bench = Bench(definition(key(), key(VOICEMAIL_PRO))).boot()
    bench.apply(LicenceRemoved(key(VOICEMAIL_PRO)), LicenceAdded(key(ADDITIONAL_PORTS)))
    assert [licence.number for licence in bench.unit.licences] == [1, 3]


@pytest.mark.parametrize("text", ["", "ABC", "A" * 31, "A" * 33])
def test_a_key_of_another_length_is_refused(text: str) -> None:
    bench = Bench(definition()).boot()
    with pytest.raises(CommandRejected) as caught:
        bench.apply(LicenceAdded(text))
    assert caught.value.reason == "bad-licence"


R6 = [
    pytest.param([], "basic", id="none"),
    pytest.param(["Essential Edition"], "essential", id="essential"),
    pytest.param(["Essential Edition", "Preferred Edition"], "preferred", id="preferred"),
    pytest.param(["Essential Edition", "Preferred Edition", "Advanced Edition"], "advanced", id="advanced"),
    pytest.param(["Advanced Edition", "Essential Edition"], "essential", id="advanced without preferred"),
    pytest.param(["Preferred Edition"], "preferred", id="preferred needs no essential before R8.0"),
]


@pytest.mark.parametrize(("licences", "edition"), R6)
def test_editions_of_r6_follow_from_the_valid_licences(licences: list[str], edition: str) -> None:
    bench = Bench(definition(*map(key, licences), profile="r6")).boot()
    assert bench.unit.edition.name == edition


def test_while_the_unit_starts_its_licences_are_unknown() -> None:
    bench = Bench()
    seq = bench.apply(PowerApplied()).seq
    assert bench.licence().status is UNKNOWN
    assert bench.licence().cause == ("unit:starting", f"event:{seq}")
