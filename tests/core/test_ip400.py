"""The IP Office 400 systems: their slots, what needs a licence on them, and what does not."""

from __future__ import annotations

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.events import (
    CallStarted,
    FaultSet,
    FeatureKeyInserted,
    PartConfigured,
    PartFitted,
    PartWithdrawn,
    PowerApplied,
    ReaderAttached,
)
from ipo_sim.core.fitting import places
from ipo_sim.core.model import Feature, LicenceStatus, Lifecycle, PartDefinition
from ipo_sim.errors import CommandRejected
from tests.core.bench import PROFESSIONAL, SERIAL, VOICEMAIL_PRO, Bench, definition, key

MODELS = load_catalogue().models
VALID, OBSOLETE = LicenceStatus.VALID, LicenceStatus.OBSOLETE
DS30 = tuple(PartDefinition(f"expansion/{n}", "DS30V2") for n in range(1, 13))


def booted(model: str, *licences: str, profile: str = "r4", parts: tuple[PartDefinition, ...] = ()) -> Bench:
    bench = Bench(definition(*licences, model=model, profile=profile, parts=parts))
    dongle = FeatureKeyInserted(SERIAL, kind=MODELS[model].own_key_kind)
    bench.apply(ReaderAttached("virtual"), dongle, PowerApplied())
    bench.advance(10)
    assert bench.state is Lifecycle.RUNNING
    return bench


def pool(bench: Bench, name: str) -> Feature | None:
    return next((feature for feature in bench.unit.features if feature.name == name), None)


@pytest.mark.parametrize(
    ("model", "slots", "expansion_ports"),
    [
        ("ip403", ["Trunk Slot A", "VCM Slot 1"], 3),
        ("ip406v2", ["Trunk Slot A", "Trunk Slot B", "VCM Slot 1"], 6),
        ("ip412", ["Trunk Slot A", "Trunk Slot B", "VCM Slot 1", "VCM Slot 2"], 12),
        ("soe", ["Trunk Slot A"], 0),
    ],
)
def test_places_of_an_ip400_system(model: str, slots: list[str], expansion_ports: int) -> None:
    names = [(place.path, place.entity_name) for place in places(MODELS[model])]
    assert names == [
        *((f"slots/{n}", f"Controller, {name}") for n, name in enumerate(slots, 1)),
        *((f"expansion/{n}", f"Controller, EXP {n}") for n in range(1, expansion_ports + 1)),
    ]
    assert not any(place.carried for place in places(MODELS[model]))


@pytest.mark.parametrize(
    ("path", "part", "said"),
    [
        ("slots/1", "VCM16", "VCM16 goes into a VCM slot; slots/1 is Trunk Slot A"),
        ("slots/3", "IP400-E1-1", "IP400-E1-1 goes into a trunk slot; slots/3 is VCM Slot 1"),
        ("slots/1", "DS8", "DS8 is not offered for model ip406v2, only for ip500, ip500v2"),
        ("slots/1", "DS30V2", "DS30V2 is an expansion module; slots/1 takes an IP400 trunk or VCM card"),
        ("expansion/1", "VCM16", "VCM16 is an IP400 trunk or VCM card; expansion/1 takes an expansion module"),
        ("slots/1/daughter", "PRI-1", "no place 'slots/1/daughter'"),
        ("expansion/7", "DS30V2", "no place 'expansion/7'"),
    ],
)
def test_what_an_ip406_v2_does_not_take(path: str, part: str, said: str) -> None:
    with pytest.raises(CommandRejected, match=said):
        Bench(definition(model="ip406v2", parts=())).apply(PartFitted(path, part))


CARRIED = (
    PartDefinition("slots/1", "CARRIER"),
    PartDefinition("slots/1/trunk", "IP400-E1-1"),
    PartDefinition("slots/1/vcm", "VCM16"),
)


@pytest.mark.parametrize(
    ("path", "part", "said"),
    [
        ("slots/1", "VCM16", "VCM16 goes into a VCM slot; slots/1 is Slot 1"),
        ("slots/1/vcm", "VCM16", "VCM16 needs a legacy card carrier in slots/1"),
        ("slots/2/vcm", "VCM16", "DS8 in slots/2 carries no IP400 trunk or VCM card"),
        ("slots/3/vcm", "IP400-E1-1", "IP400-E1-1 goes into a trunk slot; slots/3/vcm is another"),
        ("slots/3/trunk", "VCM16", "VCM16 goes into a VCM slot; slots/3/trunk is another"),
        ("slots/3/trunk", "PRI-1", "PRI-1 is a trunk daughter card; slots/3/trunk takes an IP400 trunk or VCM card"),
        ("slots/3/daughter", "PRI-1", "CARRIER in slots/3 carries no trunk daughter card"),
    ],
)
def test_where_an_ip500_takes_ip400_cards(path: str, part: str, said: str) -> None:
    parts = (PartDefinition("slots/2", "DS8"), PartDefinition("slots/3", "CARRIER"))
    with pytest.raises(CommandRejected, match=said):
        Bench(definition(parts=parts)).apply(PartFitted(path, part))


def test_a_carrier_brings_its_cards_to_an_ip500() -> None:
    bench = booted("ip500", profile="r6", parts=CARRIED)
    assert [bench.part(place.path).service.hold for place in CARRIED] == [None, None, None]
    assert bench.part("slots/1/vcm").entity_name == "Controller, Slot 1, VCM Slot, VCM 16"
    vcm, pri, phones = (pool(bench, name) for name in ("vcm-channels", "pri-channels", "avaya-ip-endpoints"))
    assert vcm is not None
    assert pri is not None
    assert phones is not None
    assert (vcm.usable, pri.usable, phones.usable) == (16, 30, 48)


def test_cards_share_the_fate_of_their_carrier() -> None:
    bench = booted("ip500", parts=CARRIED)
    bench.apply(FaultSet("slots/1"))
    assert bench.part("slots/1/vcm").service.cause[:2] == ("slots/1", "fault:failed")
    bench.apply(PartWithdrawn("slots/1"))
    assert {part.place.path for part in bench.unit.parts if part.fitted} == set()


def test_a_carrier_with_cards_is_not_exchanged_for_a_card_that_carries_none() -> None:
    base = PartDefinition("slots/1", None)
    bench = Bench(definition(parts=(base, *CARRIED[1:])))
    with pytest.raises(CommandRejected, match="DS8 carries no IP400 trunk or VCM card, but IP400-E1-1 is fitted at"):
        bench.apply(PartFitted("slots/1", "DS8"))


@pytest.mark.parametrize(
    ("model", "path", "part"),
    [("ip500", "slots/1", "VCM16"), ("ip406v2", "slots/1", "VCM16"), ("ip500", "slots/1/vcm", "IP400-E1-1")],
)
def test_a_place_is_configured_for_its_own_kind_only(model: str, path: str, part: str) -> None:
    with pytest.raises(CommandRejected, match=f"{part} cannot be at {path}"):
        Bench(definition(model=model, parts=())).apply(PartConfigured(path, part))


def test_a_card_is_withdrawn_from_a_unit_that_has_no_daughter_cards() -> None:
    bench = booted("ip406v2", parts=(PartDefinition("slots/3", "VCM16"),))
    assert bench.part("slots/3").entity_name == "Controller, VCM Slot 1, VCM 16"
    bench.apply(PartWithdrawn("slots/3"))
    assert bench.part("slots/3").fitted is None


@pytest.mark.parametrize(("model", "count"), [("ip403", 3), ("ip406v2", 6), ("ip412", 12)])
def test_expansion_modules_need_no_licence(model: str, count: int) -> None:
    bench = booted(model, parts=DS30[:count])
    assert bench.modules_in_service == count
    assert bench.unit.edition.name == "none"
    assert bench.unit.alarms == ()


def test_there_is_no_professional_upgrade_and_nothing_is_dormant_for_it() -> None:
    bench = booted("ip406v2", key(), key(VOICEMAIL_PRO, instances=4), key("Mobility Features", instances=5))
    upgrade, voicemail, mobility = bench.unit.licences
    assert (upgrade.type_name, upgrade.status) == (PROFESSIONAL, OBSOLETE)
    assert upgrade.cause == ("model:ip406v2", "event:0")
    assert (voicemail.status, mobility.status) == (VALID, VALID)


def test_other_prerequisites_hold_as_ever() -> None:
    bench = booted("ip406v2", key("Additional Voicemail Pro (ports)", instances=8))
    assert bench.licence().status is LicenceStatus.DORMANT
    assert bench.licence().cause[0] == f"licence:{VOICEMAIL_PRO}"


@pytest.mark.parametrize("name", ["Small Office Edition VCM", "Small Office Edition WiFi"])
@pytest.mark.parametrize(
    ("model", "status"), [("soe", VALID), ("ip500", OBSOLETE), ("ip500v2", OBSOLETE), ("ip406v2", OBSOLETE)]
)
def test_small_office_edition_licences_are_good_there_and_obsolete_elsewhere(
    name: str, model: str, status: LicenceStatus
) -> None:
    assert booted(model, key(name)).licence().status is status


def test_the_channels_of_a_small_office_edition_are_opened_by_its_licence() -> None:
    bench = booted("soe")
    free = pool(bench, "vcm-channels")
    assert free is not None
    assert (free.licence, free.free, free.licensed, free.usable) == ("Small Office Edition VCM", 3, 0, 3)
    opened = pool(booted("soe", key("Small Office Edition VCM", instances=20)), "vcm-channels")
    assert opened is not None
    assert (opened.free, opened.licensed, opened.usable) == (3, 20, 16)


def test_a_refused_call_names_the_licence_of_the_model() -> None:
    bench = booted("soe")
    refusal = bench.apply(CallStarted("c1", vcm=4))
    assert refusal.refused == ("Small Office Edition VCM",)


@pytest.mark.parametrize(("model", "cards", "channels"), [("ip406v2", 1, 30), ("ip412", 2, 60)])
def test_vcm_channels_need_no_licence(model: str, cards: int, channels: int) -> None:
    bench = booted(model, parts=tuple(PartDefinition(f"slots/{3 + n}", "VCM30") for n in range(cards)))
    vcm = pool(bench, "vcm-channels")
    assert vcm is not None
    assert (vcm.free, vcm.usable) == (channels, channels)


@pytest.mark.parametrize(("card", "phones"), [("VCM4", 12), ("VCM16", 48), ("VCM30", 90)])
def test_a_vcm_channel_is_3_avaya_ip_phones_in_r6(card: str, phones: int) -> None:
    parts = (PartDefinition("slots/3", card),)
    endpoints = pool(booted("ip406v2", profile="r6", parts=parts), "avaya-ip-endpoints")
    assert endpoints is not None
    assert (endpoints.free, endpoints.usable) == (phones, phones)
    assert pool(booted("ip406v2", profile="r5", parts=parts), "avaya-ip-endpoints") is None


def test_pri_channels_of_an_ip400_card_need_no_licence() -> None:
    pri = pool(booted("ip406v2", parts=(PartDefinition("slots/1", "IP400-E1-2"),)), "pri-channels")
    assert pri is not None
    assert (pri.free, pri.usable) == (60, 60)


def test_editions_of_r6_on_an_ip412() -> None:
    assert booted("ip412", profile="r6").unit.edition.name == "none"
    assert booted("ip412", key("Essential Edition"), profile="r6").unit.edition.name == "essential"
    assert booted("ip412", key("Preferred Edition"), profile="r6").unit.edition.name == "preferred"


def test_cards_inside_a_unit_show_no_led() -> None:
    bench = booted("ip406v2", parts=(PartDefinition("slots/1", "IP400-E1-1"), *DS30[:1]))
    assert [led.name for led in bench.unit.leds] == ["cpu", "expansion-1"]


@pytest.mark.parametrize(("model", "part"), [("ip406v2", "VCM16"), ("ip412", "VCM30")])
def test_pools_that_no_licence_of_the_unit_feeds_have_names_of_their_own(model: str, part: str) -> None:
    bench = booted(model, parts=(PartDefinition("slots/3", part), PartDefinition("slots/1", "IP400-E1-1")))
    names = {feature.name: feature.licence for feature in bench.unit.features}
    assert names["vcm-channels"] == "VCM channels"
    assert names["pri-channels"] == "PRI channels"


def test_pools_that_a_licence_feeds_are_named_after_it() -> None:
    parts = (
        PartDefinition("slots/1", "VCM32"),
        PartDefinition("slots/2", "DS8"),
        PartDefinition("slots/2/daughter", "PRI-1"),
    )
    names = {}
    for profile in ("r5", "r6"):
        bench = booted("ip500", profile=profile, parts=parts)
        names[profile] = {feature.name: feature.licence for feature in bench.unit.features}
    assert names["r5"]["vcm-channels"] == "IP500 VCM Channels"
    assert names["r6"]["vcm-channels"] == "VCM channels"
    assert {names[profile]["pri-channels"] for profile in names} == {"IP500 Universal PRI (additional channels)"}
