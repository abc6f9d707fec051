"""The plan of a purchase: with its keys nothing wants a licence, with one key less something does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import CallEnded, CallStarted, ConfigurationLoaded, LicencesImported, PhoneRegistered
from ipo_sim.core.model import (
    ExtensionDefinition,
    ExtensionKind,
    Hold,
    LicenceStatus,
    PartDefinition,
    PhoneState,
    Reserve,
    UnitDefinition,
    UserDefinition,
)
from ipo_sim.core.needs import Channels, equipment_of, wishes_of
from ipo_sim.core.purchase_plan import Plan, PlanRow, plan_purchase
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.packs import Pack
from tests.core.bench import OTHER_SERIAL, PROFESSIONAL, VOICEMAIL_PRO, Bench, definition, key

MODULES = tuple(PartDefinition(f"expansion/{n}", "DS30V2") for n in (1, 2))
VCM32, VCM64 = PartDefinition("slots/2", "VCM32"), PartDefinition("slots/3", "VCM64")
PRI = (PartDefinition("slots/1", "DS8"), PartDefinition("slots/1/daughter", "PRI-1"))
SECOND_PRI = (PartDefinition("slots/4", "POT8"), PartDefinition("slots/4/daughter", "PRI-2"))
ALL_CHANNELS = Channels()


def plan(unit: UnitDefinition, channels: Channels = ALL_CHANNELS) -> Plan:
    return plan_purchase(Bench(unit).boot().unit, channels)


def bought(made: Plan) -> list[tuple[str, int]]:
    return sorted((pack.licence.name, pack.instances) for pack in made.packs)


def row(made: Plan, feature: str) -> PlanRow:
    return next(found for found in made.rows if found.feature == feature)


def minted(packs: tuple[Pack, ...]) -> tuple[str, ...]:
    return tuple(key(pack.licence.name, instances=pack.instances, nonce=100 + n) for n, pack in enumerate(packs))


def users(*profiles: str) -> tuple[UserDefinition, ...]:
    return tuple(UserDefinition(f"user{n}", profile=profile) for n, profile in enumerate(profiles))


def phones(*kinds: ExtensionKind, reserve: Reserve = Reserve.NONE) -> tuple[ExtensionDefinition, ...]:
    return tuple(ExtensionDefinition(str(n), kind, reserve) for n, kind in enumerate(kinds, 201))


class TestWhatIsNeeded:
    def test_modules_need_the_professional_upgrade(self) -> None:
        made = plan(definition(parts=MODULES))
        assert (made.edition, made.complete) == ("professional", False)
        assert bought(made) == [(PROFESSIONAL, 1)]
        assert row(made, "professional-upgrade").why == ("2 expansion modules",)

    def test_modules_of_r6_need_professional_or_essential_and_phones_need_essential(self) -> None:
        made = plan(definition(parts=MODULES, profile="r6"))
        assert bought(made) == [("Essential Edition", 1)]
        assert set(row(made, "essential-edition").why) == {"2 expansion modules", "phones"}

    def test_a_unit_with_all_its_keys_is_complete(self) -> None:
        made = plan(definition(key(), parts=MODULES))
        assert (made.complete, made.packs) == (True, ())
        assert (row(made, "professional-upgrade").has, row(made, "professional-upgrade").missing) == (1, 0)

    @pytest.mark.parametrize(
        "held", [key(serial=OTHER_SERIAL), key(expiry=date(2026, 1, 4)), "Z" * 32], ids=["card", "expired", "string"]
    )
    def test_keys_of_another_card_or_out_of_date_count_for_nothing(self, held: str) -> None:
        assert bought(plan(definition(held, parts=MODULES))) == [(PROFESSIONAL, 1)]

    def test_channels_of_the_cards_beyond_the_free_ones_and_what_they_need_first(self) -> None:
        made = plan(definition(parts=(*PRI, VCM32)))
        assert bought(made) == [
            ("IP500 Universal PRI (additional channels)", 22),
            (PROFESSIONAL, 1),
            ("IP500 VCM Channels", 28),
        ]
        vcm = row(made, "vcm-channels")
        assert (vcm.wanted, vcm.free, vcm.needed, vcm.has, vcm.missing) == (32, 4, 28, 0, 28)

    def test_fewer_channels_can_be_asked_for(self) -> None:
        assert bought(plan(definition(parts=(*PRI, VCM32)), Channels(vcm=4, pri=8))) == []
        assert bought(plan(definition(parts=(*PRI, VCM32)), Channels(vcm=0, pri=10))) == [
            ("IP500 Universal PRI (additional channels)", 2)
        ]

    def test_what_is_there_is_not_bought_again(self) -> None:
        made = plan(definition(key("IP500 VCM Channels", instances=16), parts=(VCM32,)))
        assert bought(made) == [(PROFESSIONAL, 1), ("IP500 VCM Channels", 4), ("IP500 VCM Channels", 8)]

    def test_users_take_their_profile_with_all_prerequisites(self) -> None:
        unit = replace(definition(parts=(), profile="r6"), users=users("customer-service-agent", "power-user", "basic"))
        assert bought(plan(unit)) == [
            ("Advanced Edition", 1),
            ("Customer Service Agent", 1),
            ("Power User", 1),
            ("Preferred Edition", 4),
        ]

    def test_more_users_than_standard_edition_serves(self) -> None:
        made = plan(replace(definition(parts=()), users=users(*["basic"] * 33)))
        assert bought(made) == [(PROFESSIONAL, 1)]
        assert row(made, "professional-upgrade").why == ("more than 32 users",)

    def test_ip_phones_beyond_the_free_ones_of_a_vcm_card(self) -> None:
        unit = replace(
            definition(key("Essential Edition"), parts=(VCM32,), profile="r6"),
            extensions=phones(*[ExtensionKind.AVAYA_IP] * 18, ExtensionKind.THIRD_PARTY_IP),
        )
        assert bought(plan(unit)) == [
            ("3rd Party IP Endpoints", 1),
            ("Avaya IP Endpoints", 1),
            ("Avaya IP Endpoints", 5),
        ]

    def test_what_is_reserved_for_a_phone_counts_too(self) -> None:
        unit = replace(
            definition(key("Essential Edition"), parts=(), profile="r6"),
            extensions=phones(ExtensionKind.THIRD_PARTY_IP, reserve=Reserve.THIRD_PARTY),
        )
        assert bought(plan(unit)) == [("3rd Party IP Endpoints", 1)]

    def test_voicemail_has_a_base_licence_once(self) -> None:
        made = plan(definition(parts=()), Channels(voicemail=14))
        assert bought(made) == [
            ("Additional Voicemail Pro (ports)", 2),
            ("Additional Voicemail Pro (ports)", 8),
            (PROFESSIONAL, 1),
            (VOICEMAIL_PRO, 4),
        ]

    def test_a_key_that_was_paid_for_shall_not_stay_dormant(self) -> None:
        made = plan(definition(key("Additional Voicemail Pro (ports)", instances=2), parts=()))
        assert bought(made) == [(PROFESSIONAL, 1), (VOICEMAIL_PRO, 4)]
        assert row(made, "voicemail-pro-ports").why == ("for Additional Voicemail Pro (ports)",)

    def test_sip_channels_of_basic_edition_are_lost_with_essential(self) -> None:
        bare = definition(parts=(VCM32,), profile="r6")
        assert bought(plan(bare, Channels(sip=3))) == []
        assert bought(plan(replace(bare, users=users("power-user")), Channels(sip=3))) == [
            ("Power User", 1),
            ("Preferred Edition", 4),
            *[("SIP Trunk Channels", 1)] * 3,
        ]

    def test_what_no_licence_gives_is_said(self) -> None:
        made = plan(definition(parts=(VCM32,)), Channels(vcm=40, sip=2, voicemail=0))
        assert made.beyond == ("vcm-channels: 40 wanted, hardware and capacity of this unit allow 32",)
        without = plan(definition(parts=()), Channels(sip=2))
        assert (without.beyond[0].split(":")[0], without.complete) == ("sip-trunk-channels", False)

    def test_without_a_card_keys_cannot_be_told_apart(self) -> None:
        with pytest.raises(CommandRejected, match="no card"):
            plan_purchase(Bench(definition(key())).boot(serial=None).unit, Channels())


PARTS = st.lists(st.sampled_from([MODULES, (VCM32,), (VCM64,), PRI, SECOND_PRI]), unique=True).map(
    lambda chosen: tuple(part for parts in chosen for part in parts)
)
PROFILES = ["basic", "power-user", "receptionist", "mobility-features", "ums-web-services", "customer-service-agent"]
HELD = st.lists(
    st.sampled_from(
        [
            key(),
            key(serial=OTHER_SERIAL, nonce=1),
            key(VOICEMAIL_PRO, instances=4),
            key("Additional Voicemail Pro (ports)", instances=2, nonce=2),
            key("IP500 VCM Channels", instances=8),
            key("IP500 VCM Channels", instances=60, expiry=date(2026, 1, 4)),
            key("Phone Manager Pro IP Audio Enabled (users)", instances=5),
            key("SIP Trunk Channels", instances=1),
            key("Essential Edition"),
            key("Preferred Edition", instances=4),
            key("Advanced Edition"),
            key("Channel Migration", instances=12),
            key("Power User", instances=1),
            key("3rd Party IP Endpoints", instances=1),
        ]
    ),
    unique=True,
    max_size=5,
)
ASKED = st.builds(
    Channels, st.none() | st.integers(0, 40), st.none() | st.integers(0, 30), st.integers(0, 5), st.integers(0, 9)
)


MODELS = [(model.code, profile) for model in load_catalogue().models.values() for profile in model.release_profiles]


@st.composite
def units(draw: st.DrawFn) -> UnitDefinition:
    model, profile = draw(st.sampled_from(MODELS))
    parts = draw(PARTS) if model.startswith("ip500") else ()
    kinds = draw(st.lists(st.sampled_from(ExtensionKind), max_size=20))
    unit = definition(*draw(HELD), parts=parts, model=model, profile=profile)
    return replace(
        unit,
        users=users(*draw(st.lists(st.sampled_from(PROFILES), max_size=6))),
        extensions=phones(*kinds, reserve=draw(st.sampled_from(Reserve))),
    )


def wanting(unit: UnitDefinition, channels: Channels, keys: tuple[str, ...]) -> list[str]:
    """What is out of order for want of a licence once the keys are entered, and all phones and channels are used."""
    bench = Bench(unit).boot()
    wishes = {wish.feature: wish.wanted for wish in wishes_of(bench.unit, channels)}
    if keys:
        bench.apply(LicencesImported(keys), ConfigurationLoaded())
    found = [part.place.path for part in bench.unit.parts if part.service.hold in (Hold.LICENCE, Hold.SURPLUS)]
    found += [user.name for user in bench.unit.users if not user.active]
    found += [licence.type_name for licence in bench.unit.licences if licence.status is LicenceStatus.DORMANT]
    equipment, edition = equipment_of(bench.unit), bench.unit.edition
    if equipment.phones and edition.phones_cause:
        found.append("phones")
    if edition.max_users is not None and equipment.users > edition.max_users:
        found.append("users")
    for number in (extension.number for extension in unit.extensions):
        bench.apply(PhoneRegistered(number))
    found += [known.number for known in bench.unit.extensions if known.state is not PhoneState.LICENSED]
    found += [held.holder for held in bench.unit.holdings if not held.active]
    for call in CALLS:
        channels_of_it = wishes.get(call.feature, 0)
        if channels_of_it and bench.apply(call.started(channels_of_it)).refused:
            found.append(call.feature)
        elif channels_of_it:
            bench.apply(CallEnded("c1"))
    return found


class Call(NamedTuple):
    feature: str
    started: Callable[[int], CallStarted]


CALLS = (
    Call("vcm-channels", lambda number: CallStarted("c1", vcm=number)),
    Call("pri-channels", lambda number: CallStarted("c1", pri=number)),
    Call("sip-trunk-channels", lambda number: CallStarted("c1", sip=number)),
    Call("voicemail-pro-ports", lambda number: CallStarted("c1", voicemail=number)),
)


@given(unit=units(), channels=ASKED)
def test_the_planned_keys_are_enough_and_none_is_too_many(unit: UnitDefinition, channels: Channels) -> None:
    made = plan(unit, channels)
    keys = minted(made.packs)
    if not made.beyond:
        assert wanting(unit, channels, keys) == []
        for left_out in keys:
            assert wanting(unit, channels, tuple(text for text in keys if text != left_out))
    assert made.complete is not bool(keys or made.beyond)
    again = plan(replace(unit, licences=(*unit.licences, *keys)), channels)
    assert (again.packs, again.beyond, again.edition) == ((), made.beyond, made.edition)


def test_what_comes_out_of_another_licence_is_not_bought() -> None:
    migration = load_catalogue().licences_by_name["Channel Migration"]
    assert (migration.sold, migration.feature) == (False, "avaya-ip-endpoints")
    unit = replace(
        definition(key("Essential Edition"), key("Channel Migration", instances=12), parts=(VCM32,), profile="r6"),
        extensions=phones(*[ExtensionKind.AVAYA_IP] * 25),
    )
    assert bought(plan(unit)) == [("Avaya IP Endpoints", 1)]
