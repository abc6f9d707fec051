"""Instances: features whole, for a number of users or channels, or both; who gets them, who is refused, who yields."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipo_sim.core.events import (
    CallEnded,
    CallStarted,
    ConfigurationLoaded,
    ExtensionConfigured,
    ExtensionRemoved,
    Fact,
    FaultSet,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    InstancesReleased,
    InstancesRequested,
    LicenceAdded,
    LicenceRemoved,
    PhoneRegistered,
    PhoneUnregistered,
    UserConfigured,
    UserRemoved,
)
from ipo_sim.core.model import (
    ExtensionKind,
    Feature,
    PartDefinition,
    PhoneState,
    UserDefinition,
)
from ipo_sim.errors import CommandRejected
from tests.core.bench import PROFESSIONAL, SERIAL, VOICEMAIL_PRO, Bench, definition, key

ESSENTIAL, PREFERRED, POWER_USER = "Essential Edition", "Preferred Edition", "Power User"
VCM, PRI = "IP500 VCM Channels", "IP500 Universal PRI (additional channels)"
AVAYA, THIRD_PARTY = "Avaya IP Endpoints", "3rd Party IP Endpoints"
VCM_CARD = PartDefinition("slots/1", "VCM32")
PRI_CARDS = (PartDefinition("slots/1", "DS8"), PartDefinition("slots/1/daughter", "PRI-1"))


def pool(bench: Bench, name: str) -> Feature:
    return next(feature for feature in bench.unit.features if feature.name == name)


def numbers(bench: Bench, name: str) -> tuple[int, int, int, int, int]:
    feature = pool(bench, name)
    return (feature.licensed, feature.free, feature.usable, feature.in_use, feature.available)


def r6(
    *licences: str, parts: tuple[PartDefinition, ...] = (VCM_CARD,), extensions: int = 0, kind: str = "avaya-ip"
) -> Bench:
    unit = definition(key(ESSENTIAL), *licences, profile="r6", parts=parts)
    bench = Bench(unit).boot()
    for number in range(201, 201 + extensions):
        bench.apply(ExtensionConfigured(str(number), ExtensionKind(kind)))
    return bench


def phone(bench: Bench, number: str) -> PhoneState:
    return next(extension.state for extension in bench.unit.extensions if extension.number == number)


def user(bench: Bench, name: str) -> tuple[str, bool]:
    known = next(user for user in bench.unit.users if user.name == name)
    return known.profile, known.active


KINDS = [
    pytest.param(PROFESSIONAL, 7, "professional-upgrade", 1, id="a feature whole, whatever number the string has"),
    pytest.param("Phone Manager Pro (users)", 5, "phone-manager-pro", 5, id="a number of users"),
    pytest.param("SIP Trunk Channels", 10, "sip-trunk-channels", 10, id="a number of channels"),
    pytest.param(VOICEMAIL_PRO, 4, "voicemail-pro-ports", 4, id="feature and number in one string"),
]


@pytest.mark.parametrize(("licence", "instances", "feature", "licensed"), KINDS)
def test_features_enabled_whole_for_a_number_or_both(licence: str, instances: int, feature: str, licensed: int) -> None:
    upgrade = [] if licence == PROFESSIONAL else [key()]
    bench = Bench(definition(*upgrade, key(licence, instances=instances), parts=(VCM_CARD,))).boot()
    assert pool(bench, feature).licensed == licensed


def test_keys_are_cumulative() -> None:
    bench = Bench(
        definition(key(), key(VOICEMAIL_PRO, instances=4), key("Additional Voicemail Pro (ports)", instances=8))
    ).boot()
    assert pool(bench, "voicemail-pro-ports").licensed == 12


def test_what_exceeds_the_capacity_is_not_used() -> None:
    bench = Bench(definition(key(), key(VCM, instances=60), parts=(VCM_CARD,))).boot()
    assert numbers(bench, "vcm-channels") == (60, 4, 32, 0, 32)


ALLOWANCES = [
    pytest.param("r5", (VCM_CARD,), "vcm-channels", (0, 4, 4, 0, 4), id="4 VCM channels for each card"),
    pytest.param(
        "r5",
        (VCM_CARD, PartDefinition("slots/2", "VCM64")),
        "vcm-channels",
        (0, 8, 8, 0, 8),
        id="twice with two cards",
    ),
    pytest.param("r6", (VCM_CARD,), "vcm-channels", (0, 32, 32, 0, 32), id="all VCM channels in r6"),
    pytest.param("r6", (VCM_CARD,), "avaya-ip-endpoints", (0, 12, 12, 0, 12), id="12 endpoints for each card in r6"),
    pytest.param("r5", PRI_CARDS, "pri-channels", (0, 8, 8, 0, 8), id="8 PRI channels for each card"),
]


@pytest.mark.parametrize(("profile", "parts", "feature", "expected"), ALLOWANCES)
def test_free_allowances(
    profile: str, parts: tuple[PartDefinition, ...], feature: str, expected: tuple[int, ...]
) -> None:
    bench = Bench(definition(key(), profile=profile, parts=parts)).boot()
    assert numbers(bench, feature) == expected


def test_free_allowances_go_with_the_card() -> None:
    bench = Bench(definition(key(), parts=(VCM_CARD,))).boot()
    bench.apply(FaultSet("slots/1"))
    assert "vcm-channels" not in {feature.name for feature in bench.unit.features}


def test_basic_mode_has_three_sip_channels_free_and_twenty_at_most() -> None:
    bench = Bench(definition(key("SIP Trunk Channels", instances=30), profile="r6", parts=(VCM_CARD,))).boot()
    assert bench.unit.edition.name == "basic"
    assert numbers(bench, "sip-trunk-channels") == (30, 3, 20, 0, 20)


def test_a_v2_has_two_voicemail_channels_free() -> None:
    bench = Bench(definition(key(ESSENTIAL), model="ip500v2", profile="r6", parts=())).boot()
    assert numbers(bench, "embedded-voicemail-ports") == (0, 2, 2, 0, 2)


def test_acquire_and_release_are_idempotent_by_holder_and_request() -> None:
    bench = Bench(definition(key(), key("Phone Manager Pro (users)", instances=2))).boot()
    bench.apply(InstancesRequested("phone-manager-pro", "anna", request="r1"))
    with pytest.raises(CommandRejected) as caught:
        bench.apply(InstancesRequested("phone-manager-pro", "anna", request="r1"))
    assert caught.value.reason == "held-already"
    bench.apply(InstancesRequested("phone-manager-pro", "anna", request="r2"))
    assert pool(bench, "phone-manager-pro").available == 0
    bench.apply(InstancesReleased("phone-manager-pro", "anna", "r1"))
    assert pool(bench, "phone-manager-pro").available == 1
    bench.apply(InstancesReleased("phone-manager-pro", "anna"))
    assert numbers(bench, "phone-manager-pro") == (2, 0, 2, 0, 2)
    with pytest.raises(CommandRejected) as caught:
        bench.apply(InstancesReleased("phone-manager-pro", "anna"))
    assert caught.value.reason == "not-held"
    assert str(caught.value) == "holder 'anna' has acquired no phone-manager-pro; acquired by: nobody"


def test_who_holds_nothing_is_told_who_does() -> None:
    bench = Bench(definition(key(), key("Phone Manager Pro (users)", instances=2))).boot()
    bench.apply(*(InstancesRequested("phone-manager-pro", name) for name in ("anna", "bert")))
    with pytest.raises(
        CommandRejected, match=r"holder 'nobody' has acquired no .* by request 'r1'; acquired by: anna, bert"
    ):
        bench.apply(InstancesReleased("phone-manager-pro", "nobody", "r1"))
    with pytest.raises(CommandRejected, match="no licence of the catalogue feeds 'phones': there are professional-"):
        bench.apply(InstancesReleased("phones", "anna"))
    with pytest.raises(CommandRejected, match=r"feeds 'phone-manager': did you mean phone-manager-pro\?"):
        bench.apply(InstancesRequested("phone-manager", "anna"))


def test_an_extension_is_that_of_one_user() -> None:
    bench = Bench(definition(key(), parts=())).boot()
    bench.apply(UserConfigured("anna", extension="201"), UserConfigured("bert"), UserConfigured("carl"))
    with pytest.raises(CommandRejected, match="extension 201 is that of user anna") as caught:
        bench.apply(UserConfigured("bert", extension="201"))
    assert caught.value.reason == "extension-taken"
    bench.apply(UserConfigured("anna", extension="202"), UserConfigured("bert", extension="201"))
    assert [user.extension for user in bench.unit.users] == ["202", "201", ""]


def test_when_none_is_left_new_use_is_refused_and_existing_use_kept_until_one_is_free() -> None:
    bench = Bench(definition(key(), key("Phone Manager Pro (users)", instances=1))).boot()
    bench.apply(InstancesRequested("phone-manager-pro", "anna"))
    bench.notified()
    seq = bench.apply(InstancesRequested("phone-manager-pro", "bert")).seq
    assert bench.notified() == [(46, 4, "features/phone-manager-pro")]
    alarm = bench.alarm("46-features-phone-manager-pro")
    assert alarm is not None
    assert (alarm.reason, alarm.text) == (6, "Phone Manager Pro (users)")
    assert alarm.cause == ("licence:Phone Manager Pro (users)", f"event:{seq}")
    assert {held.holder for held in bench.unit.holdings} == {"anna"}
    bench.apply(InstancesReleased("phone-manager-pro", "anna"))
    assert bench.notified() == [(47, 1, "features/phone-manager-pro")]


def test_a_call_takes_all_its_channels_or_none() -> None:
    bench = Bench(definition(key(), parts=(VCM_CARD, PartDefinition("slots/1/daughter", "PRI-1")))).boot()
    for call in range(4):
        bench.apply(CallStarted(f"c{call}", vcm=1, pri=1))
    assert numbers(bench, "vcm-channels") == (0, 4, 4, 4, 0)
    bench.apply(CallStarted("c5", vcm=1, pri=1))
    assert pool(bench, "pri-channels").in_use == 4
    alarm = bench.alarm("46-features-vcm-channels")
    assert alarm is not None
    assert alarm.reason == 9
    bench.apply(CallEnded("c0"))
    assert bench.alarm("46-features-vcm-channels") is None
    assert pool(bench, "vcm-channels").available == 1


def test_a_pri_call_without_a_licensed_channel_is_rejected_with_its_own_trap() -> None:
    bench = Bench(definition(key(), parts=PRI_CARDS)).boot()
    bench.apply(CallStarted("many", pri=8))
    bench.notified()
    bench.apply(CallStarted("one more", pri=1))
    assert bench.notified() == [(35, 5, "features/pri-channels"), (46, 4, "features/pri-channels")]


def test_fewer_licensed_pri_channels_than_before_are_told() -> None:
    text = key(PRI, instances=8)
    bench = Bench(definition(key(), text, parts=PRI_CARDS)).boot()
    bench.apply(CallStarted("many", pri=16))
    bench.notified()
    bench.apply(LicenceRemoved(text))
    assert (34, 4, "features/pri-channels") in bench.notified()
    assert numbers(bench, "pri-channels") == (0, 8, 8, 16, 0)
    bench.apply(CallEnded("many"))
    assert numbers(bench, "pri-channels") == (0, 8, 8, 0, 8)


def load_leds(bench: Bench, slot: int) -> list[int]:
    """Numbers of the lit LEDs of a VCM card, but for that of its state."""
    ahead = f"slot-{slot}-led-"
    return [int(led.name.removeprefix(ahead)) for led in bench.unit.leds if led.name.startswith(ahead)][1:]


@pytest.mark.parametrize(
    ("channels", "first", "second"),
    [
        pytest.param(0, [], [], id="idle"),
        pytest.param(4, [], [], id="an eighth: LED 1 shows the state"),
        pytest.param(5, [2], [], id="the next eighth has begun"),
        pytest.param(16, [2, 3, 4], [], id="half"),
        pytest.param(32, [2, 3, 4, 5, 6, 7, 8], [], id="one card is full"),
        pytest.param(33 + 8, [2, 3, 4, 5, 6, 7, 8], [2], id="the second one begins"),
    ],
)
def test_a_vcm_card_shows_its_load(channels: int, first: list[int], second: list[int]) -> None:
    cards = (PartDefinition("slots/1", "VCM32"), PartDefinition("slots/3", "VCM64"))
    bench = Bench(definition(profile="r6", parts=cards)).boot()
    if channels:
        bench.apply(CallStarted("c1", vcm=channels))
    assert (load_leds(bench, 1), load_leds(bench, 3)) == (first, second)
    if first:
        assert bench.led("slot-1-led-2") == ("green", "on")
        assert list(bench.apply(CallEnded("c1")).changes.values())[-1] is None
    assert load_leds(bench, 1) == load_leds(bench, 3) == []


def test_a_card_out_of_service_shows_no_load() -> None:
    bench = r6()
    bench.apply(CallStarted("c1", vcm=16), FaultSet("slots/1"))
    assert load_leds(bench, 1) == []


def test_calls_are_cleared_when_telephony_stops() -> None:
    bench = Bench(definition(key(), parts=(VCM_CARD,))).boot()
    bench.apply(CallStarted("c1", vcm=2), FeatureKeyRemoved())
    assert pool(bench, "vcm-channels").in_use == 2
    bench.advance(hours=2)
    assert bench.unit.holdings == ()
    bench.apply(FeatureKeyInserted(SERIAL))
    assert numbers(bench, "vcm-channels") == (0, 4, 4, 0, 4)


def test_a_profile_needs_its_licence_and_the_refused_user_stays_as_he_was() -> None:
    bench = r6(key(PREFERRED, instances=4), key(POWER_USER, instances=1))
    bench.apply(UserConfigured("anna", "Anna", "201", "power-user"), UserConfigured("bert"))
    bench.notified()
    bench.apply(UserConfigured("bert", profile="power-user"))
    assert user(bench, "bert") == ("basic", True)
    assert (46, 4, "features/power-user") in bench.notified()
    bench.apply(UserConfigured("carl", profile="power-user"))
    assert "carl" not in {known.name for known in bench.unit.users}
    bench.apply(UserRemoved("anna"), UserConfigured("bert", profile="power-user"))
    assert user(bench, "bert") == ("power-user", True)


def test_configured_users_stay_configured_but_inactive_when_instances_shrink_the_latest_first() -> None:
    licence = key(POWER_USER, instances=1, nonce=9)
    bench = r6(key(PREFERRED, instances=4), key(POWER_USER, instances=1), licence)
    bench.apply(UserConfigured("anna", profile="power-user"), UserConfigured("bert", profile="power-user"))
    bench.notified()
    bench.apply(LicenceRemoved(licence))
    assert (user(bench, "anna"), user(bench, "bert")) == (("power-user", True), ("power-user", False))
    alarm = bench.alarm("46-features-power-user")
    assert alarm is not None
    assert alarm.reason == 5
    known = next(known for known in bench.unit.users if known.name == "bert")
    assert known.cause[0] == "licence:Power User"
    bench.apply(LicenceAdded(licence), ConfigurationLoaded())
    assert user(bench, "bert") == ("power-user", True)
    assert bench.alarm("46-features-power-user") is None


def test_a_profile_without_a_licence_in_this_release_is_free() -> None:
    bench = Bench(definition(parts=())).boot()
    bench.apply(UserConfigured("anna", profile="power-user"))
    assert user(bench, "anna") == ("power-user", True)


def test_users_of_the_definition_get_their_licences_at_the_first_start() -> None:
    unit = definition(
        key(ESSENTIAL),
        key(PREFERRED, instances=4),
        key(POWER_USER, instances=1),
        profile="r6",
        parts=(),
    )
    users = (UserDefinition("anna", profile="power-user"), UserDefinition("bert", profile="power-user"))
    bench = Bench(replace(unit, users=users)).boot()
    assert (user(bench, "anna"), user(bench, "bert")) == (("power-user", True), ("power-user", False))


def test_standard_edition_serves_32_users() -> None:
    bench = Bench(definition(parts=())).boot()
    for number in range(32):
        bench.apply(UserConfigured(f"user{number}"))
    with pytest.raises(CommandRejected, match="32 users") as caught:
        bench.apply(UserConfigured("one more"))
    assert caught.value.reason == "capacity"


def test_embedded_users_without_a_name_that_a_topic_can_hold_are_refused() -> None:
    bench = Bench(definition(parts=())).boot()
    for name in ("", "a/b", "a+b", "a#b", "x" * 16, "a,b", 'a"b', "a\nb"):
        with pytest.raises(CommandRejected) as caught:
            bench.apply(UserConfigured(name))
        assert caught.value.reason == "bad-user"


REFUSED: list[tuple[Fact, str]] = [
    (InstancesRequested("no-such-feature", "anna"), "unknown-feature"),
    (InstancesRequested("phone-manager-pro", ""), "bad-holder"),
    (InstancesRequested("phone-manager-pro", "anna", 0), "bad-instances"),
    (CallStarted("c1"), "bad-instances"),
    (CallStarted("c1", vcm=-1), "bad-instances"),
    (CallEnded("c1"), "not-held"),
    (UserConfigured("anna", profile="vcm-channels"), "unknown-feature"),
    (UserRemoved("anna"), "unknown-user"),
    (ExtensionConfigured("12a"), "bad-extension"),
    (ExtensionRemoved("201"), "unknown-extension"),
    (PhoneRegistered("201"), "unknown-extension"),
    (PhoneUnregistered("201"), "unknown-extension"),
]


@pytest.mark.parametrize(("fact", "reason"), REFUSED, ids=[f"{f.TYPE}-{r}-{n}" for n, (f, r) in enumerate(REFUSED)])
def test_refusals_are_named(fact: Fact, reason: str) -> None:
    bench = Bench(definition(key(), parts=())).boot()
    with pytest.raises(CommandRejected) as caught:
        bench.apply(fact)
    assert caught.value.reason == reason


def test_without_telephony_nothing_is_taken() -> None:
    bench = Bench(definition(key(), parts=(VCM_CARD,))).boot(serial=None)
    for fact in (CallStarted("c1", vcm=1), InstancesRequested("vcm-channels", "x")):
        with pytest.raises(CommandRejected) as caught:
            bench.apply(fact)
        assert caught.value.reason == "wrong-state"
